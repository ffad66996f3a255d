"""Pages and frames of a file play one by one, or a note says that only the first is shown."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from image_makers import numbered, saved
from PIL import Image
from videos import buffer

from kpviewer.image_files import read_image_header
from kpviewer.sources.base import FrameSource
from kpviewer.sources.images import source as images
from kpviewer.sources.images.source import ImagesSource
from kpviewer.sources.open import make_source
from kpviewer.structures import GroundTruth

COUNT = 5
KINDS = {
    "m.tif": ("TIFF", {}),
    "lzw.tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "big.tif": ("TIFF", {"big_tiff": True}),
    "m.webp": ("WEBP", {"lossless": True, "duration": 50}),
    "m.png": ("PNG", {"duration": 50}),
    "m.apng": ("PNG", {"duration": 50}),
    "m.avif": ("AVIF", {"quality": 100, "duration": 50}),
    "m.gif": ("GIF", {"duration": 50}),
    "wrong.jpg": ("WEBP", {"lossless": True, "duration": 50}),
}


def write_pages(folder: Path, name: str) -> Path:
    kind, how = KINDS[name]
    first, *others = numbered(COUNT)
    return saved(first, folder / name, kind, save_all=True, append_images=others, **how)


def seen(source: FrameSource) -> list[tuple[str | None, int | None, int]]:
    """Return file, number in the file and painted number of all remaining images of a source."""
    found = []
    while (captured := source.read(buffer)) is not None:
        painted = round((int(captured.bgr[5, 5, 0]) - 5) / 10)
        found.append((captured.file, captured.frame_in_file, painted))
    return found


@pytest.mark.parametrize("name", KINDS)
def test_every_page_plays_as_a_frame(tmp_path, name):
    source = make_source(str(write_pages(tmp_path, name)))
    info = source.open()
    assert info.frame_count == COUNT
    assert seen(source) == [(name, number, number) for number in range(COUNT)]
    for number in (3, 1, 4, 0):
        source.seek(number)
        assert seen(source)[0] == (name, number, number)
    assert source.warning is None
    source.close()


@pytest.mark.parametrize("name", ["m.webp", "m.png", "m.avif", "m.gif"])
def test_an_animation_alone_plays_at_its_own_rate(tmp_path, name):
    source = make_source(str(write_pages(tmp_path, name)))
    assert source.open().nominal_fps == pytest.approx(20)
    source.read(buffer)
    second = source.read(buffer)
    assert second is not None
    assert second.position_s == pytest.approx(0.05)
    source.close()


@pytest.mark.parametrize("name", ["m.webp", "m.png", "m.avif"])
def test_frames_of_an_animation_have_the_times_that_the_file_states(tmp_path, name):
    times_ms = [20, 500, 0, 100, 40]
    first, *others = numbered(len(times_ms))
    path = tmp_path / name
    first.save(path, save_all=True, append_images=others, duration=times_ms)
    source = make_source(str(path))
    source.open()
    untimed_s = 0.001 if name == "m.avif" else 0.1  # Pillow writes 1 ms for 0
    expected = [0.0, 0.02, 0.52, 0.52 + untimed_s, 0.62 + untimed_s]
    assert [image.position_s for image in iter(lambda: source.read(buffer), None)] == (
        pytest.approx(expected)
    )
    source.seek(3)
    again = source.read(buffer)
    assert again is not None
    assert again.position_s == pytest.approx(expected[3])
    source.close()


@pytest.mark.parametrize("disposal", [0, 1, 2])
def test_an_animation_is_the_same_backwards(tmp_path, disposal):
    frames = []
    for number in range(8):
        frame = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
        frame.paste((255, 60 * number % 256, 30, 255), (number * 6, 5, number * 6 + 12, 25))
        frames.append(frame)
    path = tmp_path / "m.png"
    frames[0].save(
        path, save_all=True, append_images=frames[1:], disposal=disposal, blend=1, duration=50
    )
    source = make_source(str(path))
    source.open()
    forwards = [image.bgr for image in iter(lambda: source.read(buffer), None)]
    assert len(forwards) == 8
    for number in reversed(range(8)):
        source.seek(number)
        image = source.read(buffer)
        assert image is not None
        np.testing.assert_array_equal(image.bgr, forwards[number])
    assert source.warning is None
    source.close()


def test_pages_and_single_images_of_a_folder_play_in_order(tmp_path):
    numbered(1)[0].save(tmp_path / "a.png")
    write_pages(tmp_path, "m.gif")
    write_pages(tmp_path, "m.tif")
    numbered(8)[7].save(tmp_path / "z.bmp")
    source = make_source(str(tmp_path))
    assert source.open().frame_count == 2 * COUNT + 2
    pages = [(name, number, number) for name in ("m.gif", "m.tif") for number in range(COUNT)]
    assert seen(source) == [("a.png", None, 0), *pages, ("z.bmp", None, 7)]
    assert source.warning is None


def test_thumbnails_and_masks_in_a_tiff_are_no_pages(tmp_path):
    first, second = numbered(2)
    small = first.resize((8, 8))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    second.encoderinfo = {"tiffinfo": {254: 2}}
    path = saved(first, tmp_path / "a.tif", "TIFF", save_all=True, append_images=[small, second])
    assert read_image_header(path).pages == (0, 2)
    source = make_source(str(path))
    source.open()
    assert seen(source) == [("a.tif", 0, 0), ("a.tif", 2, 1)]


def write_phone_photo(folder: Path, name: str) -> None:
    first, *others = numbered(3)
    saved(first, folder / name, "MPO", save_all=True, append_images=others)


def test_previews_in_a_photograph_are_noted_not_shown(tmp_path):
    write_phone_photo(tmp_path, "IMG_1.jpg")
    source = make_source(str(tmp_path))
    assert source.open().frame_count == 1
    assert source.warning == "only the first of the 3 images in IMG_1.jpg is shown"
    write_phone_photo(tmp_path, "IMG_2.JPG")
    source = make_source(str(tmp_path))
    source.open()
    assert seen(source) == [("IMG_1.jpg", None, 0), ("IMG_2.JPG", None, 0)]
    assert source.warning == (
        "only the first of the 3 images in IMG_1.jpg is shown, and in 1 more such file"
    )


def test_if_finding_pages_takes_too_long_the_first_is_shown_and_noted(tmp_path, monkeypatch):
    write_pages(tmp_path, "m.gif")
    write_pages(tmp_path, "m.tif")
    monkeypatch.setattr(images, "SCAN_BUDGET_S", -1.0)
    source = make_source(str(tmp_path))
    assert source.open().frame_count == 2
    assert seen(source) == [("m.gif", None, 0), ("m.tif", None, 0)]
    assert source.warning is not None
    assert source.warning.startswith("only the first of the 5 images in m.gif is shown")


def test_a_damaged_page_leaves_the_others(tmp_path):
    noise = [Image.effect_noise((64, 64), 90) for _ in range(3)]
    path = saved(noise[0], tmp_path / "a.tif", "TIFF", save_all=True, append_images=noise[1:])
    data = bytearray(path.read_bytes())
    with Image.open(path) as stack:
        stack.seek(1)
        compressed = int(stack.tag_v2[273][0])
    at = data.find(compressed.to_bytes(4, "little"), 8)
    data[at : at + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(data)
    source = make_source(str(path))
    source.open()
    numbers = []
    while (captured := source.read(buffer)) is not None:
        numbers.append(captured.frame_in_file)
    assert numbers == [0, 2]
    assert source.warning == "1 of 3 images left out: a.tif (no. 2) is damaged or cut off"


class FirstOnly:
    """Ground truth that records the requested frames."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        del files, frames

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        del name, size_wh
        self.asked.append(index)
        return GroundTruth.empty()


def test_the_ground_truth_of_a_file_is_that_of_its_first_page(tmp_path):
    ground_truth = FirstOnly()
    source = ImagesSource("m.tif", [write_pages(tmp_path, "m.tif")], ground_truth=ground_truth)
    source.open()
    assert len(seen(source)) == COUNT
    assert ground_truth.asked == [0]
