"""Many values of Qt at once: nothing is left of them, however many frames are painted."""

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from PyQt6.QtCore import QLineF
from sample_results import detections, ground_truth, result

from kpviewer.overlay import OverlayStyle, render
from kpviewer.overlay.kept_values import KeptValues

pytestmark = pytest.mark.usefixtures("qapp")

FRAMES = 50
FOUND = detections([(10, 10, 60, 60), (90, 20, 150, 80)], points=[[(20, 20)], [(100, 40)]])
TRUE = ground_truth((12, 10, 60, 62), (45, 40))


def rows(count: int, first: float = 0.0) -> np.ndarray:
    return first + np.arange(4.0 * count).reshape(count, 4)


def ends_of(lines: list[QLineF]) -> list[list[float]]:
    return [[line.x1(), line.y1(), line.x2(), line.y2()] for line in lines]


@pytest.fixture
def kept() -> KeptValues:
    return KeptValues(QLineF)


@pytest.mark.parametrize("counts", [(3, 1, 2), (1, 5, 4), (8, 0, 8)])
def test_values_have_the_numbers_of_their_rows(kept, counts):
    for count in counts:
        assert ends_of(kept.of(rows(count, 0.5))) == rows(count, 0.5).tolist()


def test_a_thread_keeps_its_values_while_another_writes(kept):
    lines = kept.of(rows(3))
    with ThreadPoolExecutor(1) as other:
        assert ends_of(other.submit(kept.of, rows(3, 50)).result()) == rows(3, 50).tolist()
    assert ends_of(lines) == rows(3).tolist()


def test_painted_frames_leave_nothing_behind():
    frame = result(FOUND, size_hw=(240, 320), targets=TRUE)
    style = OverlayStyle(verdicts=True)

    def blocks_after(frames: int) -> int:
        for _ in range(frames):
            render(frame, style)
        gc.collect()
        return sys.getallocatedblocks()

    blocks_after(8 * FRAMES)  # fills the caches of libraries
    counts = [blocks_after(FRAMES) for _ in range(4)]
    # A leak takes as much each time.
    assert min(after - before for before, after in pairwise(counts)) < FRAMES
