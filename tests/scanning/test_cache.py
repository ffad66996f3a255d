import os
from pathlib import Path

import pytest
from sample_scans import chunk, header

from kpviewer.config import files as config_files
from kpviewer.scanning.cache import cached_path, find_scan, scans_folder, trim_cache
from kpviewer.scanning.fingerprint import fingerprint_of
from kpviewer.scanning.scan_writer import ScanWriter

MODEL = "ab" * 32


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config_files, "cache_folder", lambda: tmp_path / "cache")
    return scans_folder()


@pytest.fixture
def clip(tmp_path: Path) -> str:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"frames")
    return str(path)


def scan(path: Path, source: str, frames: int = 1, model: str = MODEL) -> Path:
    writer = ScanWriter(path, header(fingerprint=fingerprint_of(source), model_hash=model))
    for index in range(frames):
        writer.append(chunk(index))
    writer.close()
    return path


def cached(clip: str) -> Path:
    fingerprint = fingerprint_of(clip)
    assert fingerprint is not None
    return cached_path(fingerprint, MODEL)


def test_a_fitting_scan_is_found_beside_the_video_and_in_the_cache(clip, tmp_path):
    assert find_scan(clip, MODEL) is None
    in_cache = scan(cached(clip), clip)
    assert find_scan(clip, MODEL) == in_cache
    beside = scan(tmp_path / "clip.mp4.kpv", clip, frames=3)
    assert find_scan(clip, MODEL) == beside  # the longer one
    longest = scan(tmp_path / "clip.kpv", clip, frames=5)
    assert find_scan(clip, MODEL) == longest


def test_a_scan_of_another_video_or_model_is_not_found(clip, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(b"other frames")
    scan(tmp_path / "clip.kpv", str(other))
    scan(tmp_path / "clip.mp4.kpv", clip, model="ef" * 32)
    cached(clip).parent.mkdir(parents=True)
    cached(clip).write_bytes(b"damaged")
    assert find_scan(clip, MODEL) is None
    assert find_scan(clip, None) is None
    assert find_scan("0", MODEL) is None


def test_the_least_recently_used_scans_go_first(folder, clip):
    paths = [scan(folder / f"{name}.kpv", clip) for name in "abcd"]
    for age, path in enumerate(paths):
        os.utime(path, ns=(age * 10**9, age * 10**9))
    size = paths[0].stat().st_size
    assert trim_cache(keep=[paths[0]], max_bytes=2 * size) == [paths[1], paths[2]]
    assert sorted(folder.iterdir()) == [paths[0], paths[3]]


def test_a_scan_that_is_being_written_stays(folder, clip):
    writer = ScanWriter(folder / "a.kpv", header())
    closed = scan(folder / "b.kpv", clip)
    assert trim_cache(max_bytes=0) == [closed]
    writer.close()
    assert trim_cache(max_bytes=0) == [folder / "a.kpv"]


def test_finding_a_scan_counts_as_use(folder, clip):
    mine = scan(cached(clip), clip)
    os.utime(mine, ns=(0, 0))
    other = scan(folder / "z.kpv", clip)
    os.utime(other, ns=(10**9, 10**9))
    find_scan(clip, MODEL)
    assert trim_cache(max_bytes=mine.stat().st_size) == [other]
