"""Results of every frame that was played reach the window, whatever it shows."""

import numpy as np

from kpviewer.gui.session.played_results import MAX_WAITING, PlayedResults
from kpviewer.structures import Candidates, Detections, Frame, FrameResult, StageTimings


class Lease:
    def retain(self) -> None:
        raise AssertionError("the sink keeps no pixels")

    release = retain


def result(index: int, *, has_model: bool = True) -> FrameResult:
    frame = Frame(index, index, index / 25, np.zeros((480, 640, 3), np.uint8), None, Lease())
    return FrameResult(
        frame, Candidates.empty(), Detections.empty(), StageTimings(), has_model=has_model
    )


def test_results_are_kept_in_order_and_without_pixels():
    played = PlayedResults()
    for index in range(3):
        played.accept(result(index))
    played.accept(result(3, has_model=False))
    taken = played.take()
    assert [each.frame.index for each in taken] == [0, 1, 2]
    assert all(each.frame.bgr.nbytes == 3 and each.frame.lease is None for each in taken)
    assert taken[2].frame.position_s == 2 / 25
    assert played.take() == []


def test_a_window_that_hangs_holds_few_results():
    played = PlayedResults()
    for index in range(MAX_WAITING + 10):
        played.accept(result(index))
    assert [each.frame.index for each in played.take()] == list(range(10, MAX_WAITING + 10))
