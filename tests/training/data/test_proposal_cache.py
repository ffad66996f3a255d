"""Proposals on disk: kept by content, searched for again when a file is torn, bounded."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import DatasetError, RecordingError
from kpviewer.models.networks.regions.selective_search import FAST, selective_search
from kpviewer.sources.opencv import cv2
from kpviewer.structures import GroundTruth
from kpviewer.training.data.proposal_cache import ProposalCache
from kpviewer.training.data.proposal_search import search_all


def annotated(path: Path, colour: tuple[int, int, int] = (0, 0, 255)) -> AnnotatedImage:
    """Write an image of a block on grey, and return it without objects."""
    bgr = np.full((48, 64, 3), 128, np.uint8)
    bgr[10:30, 20:50] = colour
    cv2.imwrite(str(path), bgr)
    none = np.zeros((0, 0), np.bool_)
    return AnnotatedImage(path, (64, 48), GroundTruth.empty(), "", np.zeros(0, np.bool_), none, 0)


@pytest.fixture
def images(tmp_path):
    colours = [(0, 0, 255), (0, 255, 0), (255, 0, 0)]
    return [annotated(tmp_path / f"{i}.png", colour) for i, colour in enumerate(colours)]


@pytest.fixture
def cache(tmp_path):
    return ProposalCache(tmp_path / "kept")


def files(cache: ProposalCache) -> list[Path]:
    return sorted(cache.folder.glob("*"))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_search_keeps_what_selective_search_finds(images, cache, workers):
    assert search_all(images, cache, workers).searched == 3
    for item in images:
        sample = cache.sample(item)
        assert len(sample.proposals_xyxy) > 1
        np.testing.assert_array_equal(sample.proposals_xyxy, selective_search(sample.rgb))


def test_kept_proposals_are_not_searched_for_again(images, cache):
    counts = []
    search_all(images[:2], cache, progress=counts.append)
    assert search_all(images, cache, progress=counts.append).searched == 1
    assert sum(counts) == 2 + 3


def test_images_of_one_content_share_a_file(images, cache, tmp_path):
    copy = tmp_path / "copy.png"
    copy.write_bytes(images[0].path.read_bytes())
    counts = []
    search_all([images[0], replace(images[0], path=copy)], cache, progress=counts.append)
    assert len(files(cache)) == 1
    assert sum(counts) == 2


def test_a_changed_image_or_setting_has_another_file(images, cache):
    before = cache.path_of(images[0].path)
    assert ProposalCache(cache.folder, replace(FAST, most=5)).path_of(images[0].path) != before
    annotated(images[0].path, (9, 99, 9))
    assert cache.path_of(images[0].path) != before


HEALTHY = np.array([[1, 2, 3, 4]], np.float32)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        save({"xyxy": HEALTHY})[:-5],
        save({"other": HEALTHY}),
        save({"xyxy": HEALTHY.astype(np.float64)}),
        save({"xyxy": HEALTHY[:, :3]}),
        save({"xyxy": HEALTHY * np.nan}),
        save({"xyxy": HEALTHY[:, ::-1].copy()}),
        save({"xyxy": HEALTHY - 2}),
        save({"xyxy": HEALTHY + 60}),
        save({"xyxy": np.tile(HEALTHY, (9000, 1))}),
    ],
    ids=[
        "empty",
        "torn",
        "key",
        "dtype",
        "shape",
        "nan",
        "inverted",
        "negative",
        "outside",
        "many",
    ],
)
def test_a_damaged_file_is_written_again(images, cache, content):
    cache.folder.mkdir()
    path = cache.path_of(images[0].path)
    path.write_bytes(content)
    sample = cache.sample(images[0])
    np.testing.assert_array_equal(sample.proposals_xyxy, selective_search(sample.rgb))
    np.testing.assert_array_equal(cache.read(path), sample.proposals_xyxy)
    assert files(cache) == [path]


def test_an_image_that_has_vanished_is_named(images, cache):
    images[1].path.unlink()
    with pytest.raises(DatasetError, match=r"1\.png can't be read \(no such file"):
        search_all(images, cache)


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_can_not_be_decoded_is_named_in_one_line(images, cache, workers):
    images[1].path.write_bytes(b"no image")
    with pytest.raises(DatasetError, match=r"1\.png can't be read as an image") as raised:
        search_all(images, cache, workers)
    assert "\n" not in str(raised.value)
    assert len(files(cache)) == 1  # what was found before stays


def test_a_folder_that_can_not_be_written_is_named(images, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="can't be created as a folder"):
        search_all(images, ProposalCache(tmp_path / "file"))


def test_a_full_disk_leaves_no_part_of_a_file(images, cache, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(RecordingError, match=r"Proposals can't be kept in .*No space left"):
        cache.sample(images[0])
    assert files(cache) == []


def test_the_folder_loses_what_was_not_used_for_longest_but_nothing_of_this_run(images, cache):
    search_all(images, cache)
    paths = [cache.path_of(item.path) for item in images]
    for seconds, path in enumerate(paths):
        os.utime(path, (seconds, seconds))
    other = cache.folder / "notes.txt"
    other.write_text("mine")
    size = paths[2].stat().st_size
    assert cache.trim({paths[0]}, max_bytes=paths[0].stat().st_size + size) == [paths[1]]
    assert files(cache) == sorted([paths[0], paths[2], other])


def test_reading_counts_as_use(images, cache):
    search_all(images, cache)
    paths = [cache.path_of(item.path) for item in images]
    for path in paths:
        os.utime(path, (1, 1))
    search_all(images[:1], cache)
    assert cache.trim(set(), max_bytes=paths[0].stat().st_size) == sorted(paths[1:])
