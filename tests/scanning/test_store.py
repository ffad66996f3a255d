"""The store of scanned frames: each counts once, memory is bounded, unchanged blocks stay."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from kpviewer.scanning.columns import CandidateColumns, ScannedFrame, columns_of, concatenated
from kpviewer.scanning.store import BLOCK, ScanStore
from kpviewer.structures import Candidates, box_outlines


def frame(index: int, score: float = 0.9, count: int = 1) -> ScannedFrame:
    scores = np.full((count, 1), score, np.float32)
    boxes = np.tile(np.array([0, 0, 9, 9], np.float32), (count, 1))
    return ScannedFrame(index, None, Candidates(boxes, scores, np.zeros((count, 0, 2), np.float32)))


def scanned(*frames: ScannedFrame) -> CandidateColumns:
    return columns_of(frames, 1, 0, 0.05)


def scores(store: ScanStore) -> dict[int, float]:
    kept = concatenated(store.blocks())
    first = kept.entry_scores[kept.entry_starts[:-1]]
    return dict(zip(kept.frame_index.tolist(), first.round(3).tolist(), strict=True))


@pytest.fixture
def store() -> ScanStore:
    return ScanStore(1, 0, 0.05)


def test_a_frame_counts_once_with_its_newest_result(store):
    for index, score in ((3, 0.5), (0, 0.25), (3, 0.75)):
        store.add(frame(index, score))
    assert scores(store) == {0: 0.25, 3: 0.75}
    store.add(frame(0, 1.0))
    assert scores(store) == {0: 1.0, 3: 0.75}
    assert len(store) == 2


def test_a_scan_counts_more_than_a_live_result_before_or_after(store):
    store.add(frame(1, 0.25))
    store.add_columns(scanned(frame(1, 0.5), frame(2, 0.5)))
    store.add(frame(2, 0.25))
    store.add(frame(3, 0.25))
    assert scores(store) == {1: 0.5, 2: 0.5, 3: 0.25}
    store.add_columns(scanned(frame(2, 0.75)))
    assert scores(store)[2] == 0.75


def test_frames_come_in_any_order_and_ascend(store):
    store.add_columns(scanned(frame(5 * BLOCK), frame(7 * BLOCK)))
    store.add(frame(6 * BLOCK + 1))
    store.add_columns(scanned(frame(2), frame(5 * BLOCK - 1)))
    indices = concatenated(store.blocks()).frame_index
    assert indices.tolist() == [2, 5 * BLOCK - 1, 5 * BLOCK, 6 * BLOCK + 1, 7 * BLOCK]


def test_only_blocks_with_new_frames_are_new_objects(store):
    store.add_columns(scanned(frame(0), frame(BLOCK), frame(2 * BLOCK)))
    before = store.blocks()
    assert store.blocks() == before
    store.add_columns(scanned(frame(BLOCK + 1)))
    after = store.blocks()
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_scores_below_the_floor_are_not_kept(store):
    store.add(frame(0, 0.04))
    kept = concatenated(store.blocks())
    assert len(kept) == 1
    assert len(kept.xyxy) == 0


@pytest.mark.parametrize("corners", [4, 64])
def test_outlines_are_kept(store, corners):
    upright, rotated = frame(1, count=2), frame(0, count=2)
    outlines = np.random.default_rng(0).uniform(0, 9, (2, corners, 2)).astype(np.float32)
    outlined = replace(rotated.candidates, outlines_xy=outlines)
    before = store.nbytes
    store.add(upright)
    store.add_columns(scanned(replace(rotated, candidates=outlined)))
    kept = concatenated(store.blocks())
    found = kept.outlines_of(np.array([3, 0, 1]))
    boxes = box_outlines(upright.candidates.xyxy[1:], corners)
    np.testing.assert_array_equal(found, np.concatenate([boxes, outlines]))
    assert store.nbytes - before > outlines.nbytes + upright.candidates.xyxy.nbytes


def test_columns_of_another_model_are_refused(store):
    with pytest.raises(ValueError, match="classes"):
        store.add_columns(columns_of((), 2, 0, 0.05))


def test_memory_is_bounded_and_the_oldest_block_goes_first():
    block = scanned(*(frame(index) for index in range(BLOCK))).nbytes
    store = ScanStore(1, 0, 0.05, max_bytes=2 * block + 100)
    for number in (4, 1, 2):
        assert not store.has_dropped
        store.add_columns(scanned(*(frame(number * BLOCK + at) for at in range(BLOCK))))
    assert store.has_dropped
    assert [part.frame_index[0] // BLOCK for part in store.blocks()] == [1, 2]
    assert store.nbytes == sum(part.nbytes for part in store.blocks()) <= 2 * block + 100
    store.add(frame(4 * BLOCK))  # the scan's frame was dropped, so a live one counts again
    assert 4 * BLOCK in concatenated(store.blocks()).frame_index


def test_threads_may_add_while_another_reads(store):
    def live(start: int) -> None:
        for index in range(start, 400, 4):
            store.add(frame(index))

    def read() -> list[int]:
        return [len(store) for _ in range(30)]

    with ThreadPoolExecutor(5) as pool:
        jobs = [pool.submit(live, start) for start in range(4)]
        lengths = pool.submit(read).result()
        for job in jobs:
            job.result()
    assert lengths == sorted(lengths)
    assert concatenated(store.blocks()).frame_index.tolist() == list(range(400))
