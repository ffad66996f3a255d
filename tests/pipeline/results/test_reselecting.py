"""The same frame at other thresholds."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeClock, FakeEngine
from sample_results import detections, ground_truth, result

from kpviewer.models.spec import Task
from kpviewer.pipeline.results.comparing import SecondModel
from kpviewer.pipeline.results.reselecting import reselected
from kpviewer.structures import Candidates, FrameResult, Thresholds

BOX, FAR = (0.0, 0.0, 10.0, 10.0), (30.0, 30.0, 40.0, 40.0)
STRICT, LENIENT = Thresholds(score=0.5), Thresholds(score=0.1)


def two_candidates(scores: tuple[float, float] = (0.9, 0.3)) -> Candidates:
    """BOX and FAR, each with one point."""
    points = np.array([[(5, 5)], [(35, 35)]], np.float32)
    return Candidates(
        np.array([BOX, FAR], np.float32), np.array(scores, np.float32)[:, None], points
    )


@pytest.fixture
def shown() -> FrameResult:
    """Result with both candidates, at a threshold that keeps BOX; the object is at FAR."""
    before = result(detections([BOX], points=[[(5, 5)]]), targets=ground_truth(FAR, (35, 35)))
    return replace(before, candidates=two_candidates(), thresholds=STRICT)


def test_candidates_above_the_new_threshold_are_evaluated_again(shown):
    after = reselected(shown, LENIENT, FAKE_SPEC)
    assert after.detections.xyxy.tolist() == [list(BOX), list(FAR)]
    assert (after.error.matched, after.error.false_negatives, after.error.false_positives) == (
        1,
        0,
        1,
    )
    assert after.thresholds is LENIENT
    again = reselected(after, STRICT, FAKE_SPEC)
    assert again.detections.xyxy.tolist() == [list(BOX)]
    assert (again.error.matched, again.error.false_negatives, again.error.false_positives) == (
        0,
        1,
        1,
    )


def test_the_frame_stays_and_the_previous_result_is_unchanged(shown):
    after = reselected(shown, LENIENT, FAKE_SPEC)
    assert after.frame is shown.frame
    assert after.candidates is shown.candidates
    assert len(shown.detections) == 1


def test_class_scores_have_no_error(shown):
    spec = replace(FAKE_SPEC, task=Task.CLASSIFY)
    assert reselected(shown, LENIENT, spec).error is None


def test_track_ids_come_back_with_detections_that_were_away(shown):
    known = replace(
        detections([BOX, FAR], points=[[(5, 5)], [(35, 35)]]), track_ids=np.array([7, 8])
    )
    away = reselected(shown, STRICT, FAKE_SPEC, known=known)
    back = reselected(away, LENIENT, FAKE_SPEC, known=known)
    assert away.detections.track_ids.tolist() == [7]
    assert back.detections.track_ids.tolist() == [7, 8]


def test_second_model_uses_its_present_thresholds(shown):
    second = SecondModel(FakeEngine(), LENIENT)
    bgr = shown.frame.bgr
    seen = second.infer(bgr, shown.detections, FAKE_SPEC, FakeClock())
    shown = replace(shown, second=replace(seen, candidates=two_candidates()))
    strict = replace(second, thresholds=STRICT)
    after = reselected(shown, LENIENT, FAKE_SPEC, strict)
    assert len(after.second.detections) == 1
    assert (after.second.difference.matched, after.second.difference.false_negatives) == (1, 1)
    assert reselected(shown, LENIENT, FAKE_SPEC).second is None
