"""Images on disk: order, sizes, orientation and damage."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from videos import buffer, numbered_image, read_number

from kpviewer.errors import SourceError
from kpviewer.sources.images.source import ImagesSource, load_image, natural_order
from kpviewer.sources.open import make_source
from kpviewer.sources.opencv import cv2
from kpviewer.structures import GroundTruth


def numbers(source: ImagesSource) -> list[int]:
    found = []
    while (captured := source.read(buffer)) is not None:
        found.append(read_number(captured.bgr))
    return found


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG with an EXIF orientation (tag 0x0112) after its first marker."""
    ifd = b"\x00\x01" + b"\x01\x12\x00\x03\x00\x00\x00\x01" + bytes([0, orientation, 0, 0])
    body = b"Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08" + ifd + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def test_images_come_in_natural_order():
    names = ["b/img10.png", "b/img2.png", "b/IMG1.png", "a/x.png", "b/img2b.png"]
    ordered = [str(path) for path in natural_order([Path(name) for name in names])]
    assert ordered == ["a/x.png", "b/IMG1.png", "b/img2.png", "b/img2b.png", "b/img10.png"]


@pytest.mark.parametrize(
    ("names", "size_wh", "cure"),
    [
        (["a.png"], (9000, 2), r"9000x2 px.*\. Scale it down, or cut it"),
        (["a.jpg", "b.jpg"], (2, 9000), r"none of 2 images.*\. Scale them down, or cut them"),
        (["a.jpg", "b.jpg"], None, r"\. Copy them again, or convert them"),
        (["a.jpg"], None, r"\. Copy it again, or convert it"),
    ],
)
def test_the_cure_of_large_images_is_not_that_of_damaged_ones(tmp_path, names, size_wh, cure):
    for name in names:
        if size_wh is None:
            (tmp_path / name).write_bytes(b"damaged")
        else:
            Image.new("L", size_wh).save(tmp_path / name)
    source = ImagesSource("folder", sorted(tmp_path.iterdir()))
    with pytest.raises(SourceError, match=cure):
        source.open()


def test_unreadable_images_are_left_out_and_counted(image_folder):
    (image_folder / "img3.png").write_bytes(b"not an image")
    (image_folder / "img7.png").write_bytes(b"")
    source = ImagesSource("folder", natural_order(list(image_folder.iterdir())))
    source.open()
    assert numbers(source) == [0, 1, 2, 4, 5, 6, 8, 9, 10, 11]
    assert source.warning == (
        "2 of 12 images left out: img3.png is not an image of a known format, "
        "img7.png is empty (0 bytes)"
    )
    source.seek(3)
    captured = source.read(buffer)
    assert captured is not None
    assert read_number(captured.bgr) == 2  # backwards, as the seek was
    source.seek(1)
    source.seek(3)
    assert read_number(source.read(buffer).bgr) == 4


def test_an_image_that_was_copied_again_is_shown(image_folder):
    path = image_folder / "img3.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:40])  # as while it is copied
    source = make_source(str(image_folder))
    source.open()
    for files in (11, 12):
        source.seek(0)
        shown = 0
        while source.read(buffer) is not None:
            shown += 1
        assert shown == files
        assert (source.warning is None) == (files == 12)
        path.write_bytes(whole)
    source.close()


def test_an_image_keeps_its_number_beside_unreadable_ones(image_folder):
    (image_folder / "img3.png").write_bytes(b"not an image")
    source = ImagesSource("folder", natural_order(list(image_folder.iterdir())))
    source.open()
    source.seek(8)  # past the one that can't be read, before it is found out
    captured = source.read(buffer)
    assert captured is not None
    assert (read_number(captured.bgr), source.next_index) == (8, 9)
    source.seek(2)
    seen = []
    while (captured := source.read(buffer)) is not None:
        seen.append((source.next_index - 1, read_number(captured.bgr)))
    assert seen == [(number, number) for number in (2, 4, 5, 6, 7, 8, 9, 10, 11)]


def test_the_warning_remains_after_closing(image_folder):
    (image_folder / "img0.png").write_bytes(b"")
    source = ImagesSource("folder", natural_order(list(image_folder.iterdir())))
    for _ in range(2):  # each opening counts anew
        source.open()
        numbers(source)
        source.close()
        assert source.warning == "1 of 12 images left out: img0.png is empty (0 bytes)"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((f"x.{suffix}", "not an image format") for suffix in ("heic", "HEIC", "docx", "svg")),
        ("x.dng", "not an image format"),
        *((f"x.{suffix}", "videos, each a source of its own") for suffix in ("mp4", "MOV")),
    ],
)
def test_files_of_other_formats_are_noted(image_folder, name, why):
    for other in (name, "notes.txt", "labels.json", ".x.heic"):
        (image_folder / other).write_bytes(b"-")
    source = make_source(str(image_folder))
    source.open()
    assert source.warning is not None
    assert source.warning.startswith(f"1 of 13 files left out: {why}")
    assert name in source.warning


def test_a_folder_of_unknown_formats_is_an_error(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"-")
    with pytest.raises(SourceError, match=r"1 of 1 files left out: .*a\.heic"):
        make_source(str(tmp_path))


def test_opening_skips_to_the_first_readable_image(image_folder):
    (image_folder / "img0.png").write_bytes(b"not an image")
    source = ImagesSource("folder", natural_order(list(image_folder.iterdir())))
    assert source.open().frame_count == 12
    assert numbers(source)[0] == 1


def test_a_folder_of_nothing_readable_is_an_error(tmp_path):
    (tmp_path / "a.png").write_bytes(b"not an image")
    source = ImagesSource("a.png", [tmp_path / "a.png"])
    with pytest.raises(SourceError, match=r"a.png is not an image of a known format"):
        source.open()
    assert source.warning is None  # only the error reports it


def test_each_image_comes_in_its_own_size(tmp_path):
    sizes = [(40, 60), (10, 20), (70, 30)]
    for number, (height, width) in enumerate(sizes):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((height, width, 3), number, np.uint8))
    source = ImagesSource("folder", natural_order(list(tmp_path.iterdir())))
    info = source.open()
    assert (info.height, info.width) == sizes[0]
    for size in sizes:
        captured = source.read(buffer)
        assert captured is not None
        assert captured.bgr.shape[:2] == size


def test_a_grey_image_comes_in_three_channels(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((8, 9), 55, np.uint8))
    image = load_image(tmp_path / "grey.png")
    assert image is not None
    assert image.shape == (8, 9, 3)
    assert (image == 55).all()


def test_a_photograph_is_rotated_by_its_exif_data(tmp_path):
    stored = np.ascontiguousarray(np.rot90(numbered_image(37)))  # counterclockwise
    jpeg = cv2.imencode(".jpg", stored)[1].tobytes()
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_orientation(jpeg, 6))  # 6: rotate clockwise by 90 degrees
    image = load_image(path)
    assert image is not None
    assert image.shape == numbered_image(0).shape
    assert read_number(image) == 37


def test_an_image_that_needs_too_much_memory_is_refused(tmp_path):
    path = tmp_path / "wide.png"
    cv2.imwrite(str(path), np.zeros((1, 8193, 3), np.uint8))
    assert load_image(path) is None


def test_ground_truth_is_asked_for_by_number_and_name(image_folder):
    asked: list[tuple[int, str, tuple[int, int] | None]] = []
    counts: list[int] = []

    class Annotations:
        def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
            counts.append(len(files))

        def for_frame(
            self, index: int, name: str, size_wh: tuple[int, int] | None = None
        ) -> GroundTruth | None:
            asked.append((index, Path(name).name, size_wh))
            return GroundTruth.empty()

    paths = natural_order(list(image_folder.iterdir()))
    source = ImagesSource("folder", paths, ground_truth=Annotations())
    source.open()
    source.seek(10)
    captured = source.read(buffer)
    assert captured is not None
    assert captured.ground_truth is not None
    assert counts == [12]
    assert asked == [(10, "img10.png", captured.bgr.shape[1::-1])]
