from pathlib import Path

import pytest

from kpviewer.scanning.fingerprint import fingerprint_of, scan_names

MIB = 1024**2


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(3 * MIB))
    return path


def test_a_copy_under_another_name_is_the_same_source(clip, tmp_path):
    copy = tmp_path / "copy.mkv"
    copy.write_bytes(clip.read_bytes())
    assert fingerprint_of(str(clip)) == fingerprint_of(str(copy)) is not None


@pytest.mark.parametrize("at", [0, 3 * MIB // 2, 3 * MIB - 1])
def test_head_middle_and_tail_count(clip, at):
    before = fingerprint_of(str(clip))
    data = bytearray(clip.read_bytes())
    data[at] = 1
    clip.write_bytes(data)
    assert fingerprint_of(str(clip)) != before


def test_the_size_counts(clip):
    before = fingerprint_of(str(clip))
    clip.write_bytes(clip.read_bytes() + b"\0")
    assert fingerprint_of(str(clip)) != before


def test_rotated_frames_are_another_source(clip):
    turns = ("", "90", "180", "90 mirror")
    assert len({fingerprint_of(str(clip), turn) for turn in turns}) == len(turns)
    assert fingerprint_of("0", "90") is None


def test_names_and_sizes_of_a_folder_count(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"1234")
    (folder / "b.png").write_bytes(b"1234")
    (folder / "notes.txt").write_bytes(b"1")
    first = fingerprint_of(str(folder))
    assert first == fingerprint_of(f"{folder}/*.png")
    (folder / "notes.txt").write_bytes(b"12")
    assert fingerprint_of(str(folder)) == first
    (folder / "b.png").write_bytes(b"12345")
    second = fingerprint_of(str(folder))
    assert second != first
    (folder / "b.png").rename(folder / "c.png")
    assert fingerprint_of(str(folder)) not in (first, second)


@pytest.mark.parametrize("suffix", [".bmp", ".TIF", ".ppm"])
def test_pixels_of_images_that_are_not_compressed_count(tmp_path, suffix):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}{suffix}").write_bytes(bytes(100_000))
    first = fingerprint_of(str(folder))
    assert fingerprint_of(str(folder)) == first
    (folder / f"1{suffix}").write_bytes(bytes(99_999) + b"1")
    assert fingerprint_of(str(folder)) != first


@pytest.mark.parametrize("source", [None, "", "0", "screen", "rtsp://h/a", "none.mp4", "~x/a"])
def test_live_and_missing_sources_have_none(source):
    assert fingerprint_of(source) is None


def test_a_built_in_scene_has_one():
    assert fingerprint_of("Demo") == fingerprint_of("demo") != fingerprint_of("strip")
    assert scan_names("demo") == ()


def test_a_scan_lies_beside_its_source(tmp_path):
    names = [path.name for path in scan_names(str(tmp_path / "clip.mp4"))]
    assert names == ["clip.kpv", "clip.mp4.kpv"]
    (tmp_path / "set.1").mkdir()
    assert [path.name for path in scan_names(str(tmp_path / "set.1"))] == ["set.1.kpv"]
    names = [path.name for path in scan_names(str(tmp_path / "clip [x-1].mp4"))]
    assert names == ["clip [x-1].kpv", "clip [x-1].mp4.kpv"]
