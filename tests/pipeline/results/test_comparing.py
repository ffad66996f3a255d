"""A second model on the same frames, and its difference from the first."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeClock, FakeEngine, FakeSource, eventually
from sample_results import detections

from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.results.comparing import SecondModel, difference, second_thresholds
from kpviewer.structures import Detections, Thresholds

ONE = ("face",)
BOX, FAR = (0.0, 0.0, 100.0, 100.0), (300.0, 300.0, 400.0, 400.0)


def points(dx: float = 0.0, dy: float = 0.0) -> list[tuple[float, float]]:
    return [(30 + dx, 40 + dy), (70 + dx, 40 + dy)]


def test_same_detections_differ_by_nothing():
    found = detections([BOX, FAR], points=[points(), points()])
    measured = difference(found, found, ONE, ONE)
    assert (measured.mean_px, measured.mean_iou) == (0.0, pytest.approx(1.0))
    assert (measured.matched, measured.false_negatives, measured.false_positives) == (2, 0, 0)


def test_distance_is_the_mean_over_matched_landmarks():
    first = detections([BOX, FAR], points=[points(), points()])
    second = detections([BOX, FAR], points=[points(3, 4), points()])
    assert difference(first, second, ONE, ONE).mean_px == pytest.approx(2.5)  # two of 5, two of 0


def test_overlap_and_detections_that_only_one_model_has():
    first = detections([BOX, FAR])
    second = detections([(0, 0, 100, 80), (600, 0, 650, 50), (600, 300, 700, 400)])
    measured = difference(first, second, ONE, ONE)
    assert measured.mean_iou == pytest.approx(0.8)
    assert measured.mean_px == pytest.approx(10)  # between the centres, as there are no landmarks
    assert (measured.matched, measured.false_negatives, measured.false_positives) == (1, 1, 2)


def test_two_frames_without_detections_have_no_distance():
    measured = difference(Detections.empty(2), Detections.empty(2), ONE, ONE)
    assert (measured.mean_px, measured.mean_iou, measured.matched) == (None, None, 0)


def test_classes_match_by_name_and_only_classes_match_each_other():
    first = detections([BOX], class_ids=[1])  # a dog
    second = detections([BOX], class_ids=[0])
    assert difference(first, second, ("cat", "dog"), ("Dog", "cat")).matched == 1
    measured = difference(first, second, ("cat", "dog"), ("horse", "cat"))
    assert (measured.matched, measured.false_negatives, measured.false_positives) == (0, 1, 1)
    only = detections([BOX])
    assert difference(only, only, ("face",), ("head",)).matched == 1


def test_landmark_that_is_nowhere_is_left_out():
    first = detections([BOX], points=[[(float("nan"), 0), (70, 40)]])
    second = detections([BOX], points=[points(0, 2)])
    assert difference(first, second, ONE, ONE).mean_px == pytest.approx(2)


SPEC = replace(FAKE_SPEC, class_names=("cat", "dog"))
OTHER = replace(FAKE_SPEC, name="other", class_names=("dog", "bird"), score_threshold=0.3)


def test_same_model_uses_the_same_thresholds():
    asked = Thresholds(score=0.77, classes=frozenset((1,)), class_scores={1: 0.9})
    assert second_thresholds(asked, SPEC, replace(SPEC), is_edited=False) is asked


def test_another_model_uses_its_own_thresholds_until_a_slider_moves():
    asked = Thresholds(score=0.77, iou=0.2, class_scores={1: 0.9, 0: 0.1})
    assert second_thresholds(asked, SPEC, OTHER, is_edited=False) == OTHER.thresholds
    edited = second_thresholds(asked, SPEC, OTHER, is_edited=True)
    assert (edited.score, edited.iou, edited.class_scores) == (0.77, 0.2, {0: 0.9})


def test_hidden_classes_are_hidden_by_name():
    asked = Thresholds(classes=frozenset((0,)))  # cats only: what has no name there is shown
    assert second_thresholds(asked, SPEC, OTHER, is_edited=False).classes == {1}


def test_second_model_is_timed_and_reselects_without_inference():
    clock = FakeClock()

    class Slow(FakeEngine):
        def infer(self, bgr):
            clock.advance(0.02)
            return super().infer(bgr)

    engine = Slow(spec=FAKE_SPEC)
    second = SecondModel(engine, Thresholds(score=0.1))
    seen = second.infer(np.zeros((24, 32, 3), np.uint8), Detections.empty(), FAKE_SPEC, clock)
    assert seen.model_ms == pytest.approx(20)
    assert len(seen.detections) == seen.difference.false_positives == 1
    calls = len(engine.seen)
    strict = SecondModel(engine, Thresholds(score=1.0))
    again = strict.reselect(seen, Detections.empty(), FAKE_SPEC)
    assert (len(again.detections), again.difference.false_positives) == (0, 0)
    assert len(engine.seen) == calls


@pytest.mark.parametrize(
    ("names", "mean_px"),
    [(("b", "a"), 0), (("a", "b"), 40), (("B", "c"), 0), (("A",), 40), (("1", "2"), 40)],
)
def test_landmarks_are_compared_by_name(names, mean_px):
    class Points(FakeEngine):
        def infer(self, bgr):
            found, timings = super().infer(bgr)
            own = np.array([points()[: len(names)]], np.float32)
            return replace(found, keypoints_xy=own), timings

    first_spec = replace(FAKE_SPEC, keypoint_names=("a", "b"))
    engine = Points(spec=replace(FAKE_SPEC, keypoint_names=names))
    first = detections([(0, 0, 10, 10)], points=[points()[::-1]])
    second = SecondModel(engine, FAKE_SPEC.thresholds)
    bgr = np.zeros((24, 32, 3), np.uint8)
    seen = second.infer(bgr, first, first_spec, FakeClock())
    assert seen.difference.mean_px == mean_px
    assert second.reselect(seen, first, first_spec).difference == seen.difference


def test_both_models_see_the_same_frame_in_the_pipeline():
    first, second = FakeEngine(spec=FAKE_SPEC), FakeEngine(spec=FAKE_SPEC)
    results = []

    class Sink:
        def accept(self, result):
            results.append(result)

    pipeline = Pipeline(FakeSource(8), first)
    pipeline.add_sink(Sink())
    pipeline.settings.set_second(SecondModel(second, FAKE_SPEC.thresholds))
    pipeline.start()
    eventually(lambda: len(results) == 8)
    pipeline.close()
    assert first.seen == second.seen
    for result in results:
        assert result.second.difference.mean_px == 0
        assert (result.second.detections.xyxy == result.detections.xyxy).all()


def test_without_a_first_model_the_second_does_not_run():
    second, results = FakeEngine(spec=FAKE_SPEC), []

    class Sink:
        def accept(self, result):
            results.append(result.second)

    pipeline = Pipeline(FakeSource(3))
    pipeline.add_sink(Sink())
    pipeline.settings.set_second(SecondModel(second, Thresholds()))
    pipeline.start()
    eventually(lambda: len(results) == 3)
    pipeline.close()
    assert results == [None] * 3
    assert not second.seen


def test_keypoints_that_the_first_model_did_not_predict_are_left_out():
    first = detections([BOX], points=[points()], point_scores=[[0.9, 0.2]])
    second = detections([BOX], points=[[(33, 44), (500, 500)]])
    measured = difference(first, second, ONE, ONE)
    assert (measured.mean_px, measured.keypoints_not_predicted) == (5.0, 0)
    measured = difference(second, first, ONE, ONE)
    assert (measured.mean_px, measured.keypoints_not_predicted) == (5.0, 1)


def test_threshold_of_keypoints_is_shared_where_both_models_score_them():
    plain = FAKE_SPEC
    scoring = replace(FAKE_SPEC, name="pose", keypoint_threshold=0.3)
    other = replace(scoring, name="other", keypoint_threshold=0.4)
    asked = Thresholds(score=0.6, keypoint=0.8)
    assert second_thresholds(asked, scoring, other, is_edited=True).keypoint == 0.8
    assert second_thresholds(asked, scoring, other, is_edited=False).keypoint == 0.4
    assert second_thresholds(asked, plain, other, is_edited=True).keypoint == 0.4
