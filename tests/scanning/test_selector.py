"""Survivors of a store's blocks are computed once for each block and suppression."""

import gc
import weakref

import numpy as np
import pytest

from kpviewer.scanning import selector as module
from kpviewer.scanning.columns import CandidateColumns, ScannedFrame, columns_of
from kpviewer.scanning.selection import Superseded, ranked, survivors
from kpviewer.scanning.selector import Selector
from kpviewer.structures import Candidates, Thresholds


def block(seed: int) -> CandidateColumns:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 30, (9, 2))
    boxes = np.concatenate([corner, corner + 20], 1).astype(np.float32)
    scores = rng.uniform(0.1, 1, (9, 1)).astype(np.float32)
    one = Candidates(boxes, scores, np.zeros((9, 0, 2), np.float32))
    return columns_of([ScannedFrame(seed, None, one)], 1, 0, 0.05)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Log of what is computed."""
    log: list[str] = []

    def noted(name, function):
        def run(*args, **options):
            log.append(name)
            return function(*args, **options)

        return run

    monkeypatch.setattr(module, "ranked", noted("sort", ranked))
    monkeypatch.setattr(module, "survivors", noted("suppress", survivors))
    return log


def test_a_confidence_costs_nothing_and_an_iou_no_sorting(done):
    selector, blocks = Selector(), [block(0), block(1)]
    first = selector.survivors(blocks, Thresholds(0.5))
    assert done == ["sort", "suppress"] * 2
    assert selector.survivors(blocks, Thresholds(0.3, classes=frozenset())) == first
    assert len(done) == 4
    other = selector.survivors(blocks, Thresholds(iou=0.1))
    assert done[4:] == ["suppress"] * 2
    for part, own in zip(other, blocks, strict=True):
        expected = survivors(own, Thresholds(iou=0.1))
        assert part.candidate_rows.tolist() == expected.candidate_rows.tolist()


def test_only_new_blocks_are_computed_and_old_ones_forgotten(done):
    selector, kept, old = Selector(), block(0), block(1)
    first = selector.survivors([kept, old], Thresholds())
    gone = weakref.ref(old)
    second = selector.survivors([kept, block(2)], Thresholds())
    assert done == ["sort", "suppress"] * 3
    assert second[0] is first[0]
    del first, old
    gc.collect()
    assert gone() is None


def test_blocks_that_are_done_stay_when_the_rest_is_not_wanted(done):
    selector, blocks = Selector(), [block(0), block(1), block(2)]
    answers = iter([True, False])
    with pytest.raises(Superseded):
        selector.survivors(blocks, Thresholds(), lambda: next(answers))
    done.clear()
    selector.survivors(blocks, Thresholds())
    assert done == ["suppress", "sort", "suppress"]
