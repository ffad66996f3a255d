"""Sources by the text that a user types."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from videos import write_video

from kpviewer.errors import DatasetError, FolderBelowError, SourceError
from kpviewer.sources import open as opening
from kpviewer.sources.devices.camera import Camera, CameraSource
from kpviewer.sources.devices.screen import ScreenSource
from kpviewer.sources.images.source import ImagesSource
from kpviewer.sources.naming import path_of
from kpviewer.sources.network.stream import StreamSource
from kpviewer.sources.open import make_source
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.synthetic.strip.demo import StripSource
from kpviewer.sources.video.file import VideoSource
from kpviewer.system.progress import PROGRESS, Progress


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("demo", DemoSource),
        ("strip", StripSource),
        ("0", CameraSource),
        ("12", CameraSource),
        ("/dev/video2", CameraSource),
        ("rtsp://host/live", StreamSource),
        ("https://host/cam.mjpg", StreamSource),
        ("0:1920x1080@60", CameraSource),
        ("screen", ScreenSource),
        ("screen:2:0,0,640,480", ScreenSource),
    ],
)
def test_the_text_decides_the_kind(text, kind):
    assert isinstance(make_source(text), kind)


def test_no_text_opens_the_first_camera(monkeypatch):
    monkeypatch.setattr(opening, "list_cameras", lambda: [Camera(2, "Webcam", "/dev/video2")])
    assert isinstance(make_source(None), CameraSource)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_text_opens_the_demo_without_a_camera(monkeypatch, text):
    monkeypatch.setattr(opening, "list_cameras", list)
    assert isinstance(make_source(text), DemoSource)


def test_a_file_is_a_video_or_an_image(tmp_path, image_folder):
    write_video(tmp_path / "film.mp4", frames=2)
    assert isinstance(make_source(str(tmp_path / "film.mp4")), VideoSource)
    assert isinstance(make_source(str(image_folder / "img1.png")), ImagesSource)


def test_a_photograph_called_an_animation_is_shown(tmp_path):
    for kind, expected in (("PNG", ImagesSource), ("JPEG", ImagesSource), ("GIF", VideoSource)):
        path = tmp_path / f"{kind}.gif"
        Image.new("RGB", (8, 8)).save(path, kind)
        source = make_source(str(path))
        assert isinstance(source, expected)
        source.open()
        source.close()


@pytest.mark.parametrize("name", ["download", "EPQ2.jpg_large", "IMG_1.jpg~"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "JPEG2000"])
def test_an_image_without_the_suffix_of_one_is_shown(tmp_path, name, kind):
    Image.new("RGB", (32, 16)).save(tmp_path / name, kind)
    source = make_source(str(tmp_path / name))
    assert (source.open().width, source.info.height, source.info.frame_count) == (32, 16, 1)
    source.close()


def test_a_video_without_a_suffix_is_played(tmp_path):
    write_video(tmp_path / "film.mp4", frames=2)
    source = make_source(str((tmp_path / "film.mp4").rename(tmp_path / "film")))
    assert source.open().frame_count == 2
    source.close()


@pytest.mark.parametrize("name", [" lead.mp4", "trail.mp4 ", "~clip.mp4"])
def test_a_file_in_the_present_folder_may_begin_with_a_blank_or_a_tilde(
    tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "film.mp4", frames=2)
    (tmp_path / "film.mp4").rename(name)
    assert path_of(name) == Path(name)
    source = make_source(name)
    assert source.open().frame_count == 2
    source.close()


def test_blanks_around_a_name_and_a_home_folder_are_those_of_the_shell(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_video(tmp_path / "film.mp4", frames=2)
    for text in (f" {tmp_path / 'film.mp4'} ", "~/film.mp4", " ~/film.mp4"):
        assert path_of(text) == tmp_path / "film.mp4"
        assert isinstance(make_source(text), VideoSource)


def test_a_folder_and_a_glob_are_their_images(image_folder):
    (image_folder / "notes.txt").write_text("no image")
    assert make_source(str(image_folder)).open().frame_count == 12
    assert make_source(str(image_folder / "img1*.png")).open().frame_count == 3


@pytest.mark.parametrize("pattern", ["", "/*.png", "/**/*.png"])
def test_progress_is_noted_while_files_are_listed(image_folder, pattern):
    progress = Progress()
    token = PROGRESS.set(progress)
    source = make_source(f"{image_folder}{pattern}")
    PROGRESS.reset(token)
    assert progress.noted_s > 0
    assert source.open().frame_count == 12


def test_many_files_get_more_time_to_open():
    assert ImagesSource("one", [Path("a.png")]).open_timeout_s == pytest.approx(5.0, abs=0.1)
    assert ImagesSource("many", [Path("a.png")] * 200_000).open_timeout_s > 20.0


@pytest.mark.parametrize("above", ["", "./", "/"])
@pytest.mark.parametrize("pattern", ["*/*.png", "**/*.png", "a/../*/img.png"])
def test_files_are_named_relative_to_the_folder_that_was_named(
    tmp_path, image_folder, pattern, above, monkeypatch
):
    (tmp_path / "deep").mkdir()
    (image_folder / "img1.png").rename(tmp_path / "deep" / "img.png")
    for rest in image_folder.glob("*.png"):
        rest.unlink()
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path)
    source = make_source((f"{tmp_path}/" if above == "/" else above) + pattern)
    source.open()
    captured = source.read(lambda height, width: np.zeros((height, width, 3), np.uint8))
    assert captured is not None
    assert captured.file == "deep/img.png"


@pytest.mark.parametrize("text", ["nowhere.mp4", "nothing/*.png", "demoo", "-1"])
def test_an_unknown_source_is_an_error_with_a_fix(text):
    with pytest.raises(SourceError, match=r"No file matches|File not found"):
        make_source(text)


@pytest.mark.parametrize(
    ("name", "maker"), [("a.slp", "SLEAP's"), ("a.ndjson", "JSON Lines"), ("a.parquet", "Parquet")]
)
def test_annotations_that_are_not_read_are_no_broken_video(tmp_path, name, maker):
    (tmp_path / name).write_bytes(b"1")
    with pytest.raises(SourceError, match=f"^Not a video: {name} is in {maker} format"):
        make_source(str(tmp_path / name))


@pytest.mark.parametrize("name", ["pets.zip", "clips.tar.gz"])
def test_an_archive_is_to_be_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(SourceError, match=f"^{name} is an archive. Unpack it"):
        make_source(str(tmp_path / name))


def test_a_scan_is_no_video(tmp_path):
    (tmp_path / "clip.kpv").write_bytes(b"\x89KPV")
    with pytest.raises(SourceError, match=r"clip\.kpv is a scan, not a video\. Open the video"):
        make_source(str(tmp_path / "clip.kpv"))


@pytest.mark.parametrize("name", ["best.onnx", "best.PT", "yolov3.weights"])
def test_a_model_is_no_video(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(SourceError, match=rf"{name} is a model, not a video\..*--model {name}"):
        make_source(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF", "a.cr2", "a.jxl", "a.raw"])
def test_an_error_names_a_format_that_cannot_be_shown(tmp_path, name):
    (tmp_path / name).write_bytes(b"\0\0\0\x1cftypheic")
    with pytest.raises(SourceError, match=r"in a format that can't be shown \(.*Convert it"):
        make_source(str(tmp_path / name))


@pytest.mark.parametrize("pattern", ["", "*", "pipe.jpg"])
def test_a_pipe_called_an_image_is_not_opened(tmp_path, pattern):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(SourceError, match=r"There is no image|is not a regular file"):
        make_source(str(tmp_path / pattern)).open()


def test_a_pattern_below_a_folder_with_brackets_finds_its_images(tmp_path, image_folder):
    folder = tmp_path / "photos [2023]"
    folder.mkdir()
    (image_folder / "img1.png").rename(folder / "img1.png")
    source = make_source(f"{folder}/*.png")
    assert source.open().frame_count == 1


def test_a_folder_of_videos_names_them_in_order(tmp_path):
    for name in ("b10.mp4", "b9.mkv", "labels.txt"):
        (tmp_path / name).touch()
    with pytest.raises(FolderBelowError, match="2 files left out: videos") as refused:
        make_source(str(tmp_path))
    assert refused.value.below == (f"{tmp_path}/b9.mkv", f"{tmp_path}/b10.mp4")


def test_a_folder_without_images_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no image"):
        make_source(str(tmp_path))


@pytest.mark.parametrize("text", ["a" * 5000, "~nobody-has-this-name/film.mp4"])
def test_an_inaccessible_name_is_an_error_in_two_sentences(text):
    with pytest.raises(SourceError, match=r"can't be accessed|File not found") as raised:
        make_source(text)
    assert len(str(raised.value)) < 300


def test_a_folder_that_may_not_be_read_is_an_error(tmp_path, monkeypatch):
    def refuse(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(SourceError, match=r"\(Permission denied\)"):
        make_source(str(tmp_path))


@pytest.mark.parametrize("text", [None, "0", "0:640x480", "screen", "rtsp://host/live"])
def test_annotations_of_a_camera_are_refused_not_ignored(text):
    with pytest.raises(SourceError, match="omit --ground-truth"):
        make_source(text, ground_truth=NoGroundTruth())


class NoGroundTruth:
    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        pass

    def for_frame(self, index: int, name: str, size_wh: tuple[int, int] | None = None) -> None:
        return None


@pytest.mark.parametrize("name", ["demo", "strip"])
def test_ground_truth_of_a_generated_video_is_that_of_its_frames(name):
    source = make_source(name)
    known = source.own_ground_truth
    source.open()
    for index in (0, 170, 599):
        source.seek(index)
        captured = source.read(lambda height, width: np.zeros((height, width, 3), np.uint8))
        expected, got = captured.ground_truth, known.for_frame(index, "")
        assert len(expected) > 0
        assert np.array_equal(expected.xyxy, got.xyxy)
        assert np.array_equal(expected.keypoints_xy, got.keypoints_xy)
        assert np.array_equal(expected.difficult, got.difficult)
    source.close()


def test_ground_truth_of_a_generated_video_is_numbered_as_the_model_does():
    source = make_source("demo")
    source.open()
    blank = partial(np.zeros, dtype=np.uint8)
    plain = source.read(lambda *hw: blank((*hw, 3))).ground_truth
    own, nose = source.own_ground_truth, ("Nose", "left_eye")
    own.use_names(("hand", "Face"), nose)
    source.seek(0)
    seen = source.read(lambda *hw: blank((*hw, 3))).ground_truth
    assert seen.class_ids.tolist() == [1] * len(plain)
    assert np.array_equal(seen.keypoints_xy, plain.keypoints_xy[:, [2, 0]])
    for names in (("ace", "jack"), ("ball",)):
        with pytest.raises(DatasetError, match=f"knows {', '.join(names)}; the video shows face"):
            own.use_names(names, ())
    source.seek(0)
    assert source.read(lambda *hw: blank((*hw, 3))).ground_truth is None
    assert own.for_frame(0, "") is None
    source.close()


def test_a_folder_of_folders_says_which_one_has_images(tmp_path):
    (tmp_path / "images" / "val").mkdir(parents=True)
    with pytest.raises(SourceError, match="For a video, name the file"):
        make_source(str(tmp_path))
    (tmp_path / "images" / "val" / "a.jpg").write_bytes(b"-")
    with pytest.raises(SourceError, match=r"Open .*val\."):
        make_source(str(tmp_path))
