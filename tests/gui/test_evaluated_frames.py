"""Scores of the store of frames, by hand, against pycocotools and against each frame."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from kpviewer.gui.evaluating.evaluated_frames import FLOOR, EvaluatedFrames, WorstBy
from kpviewer.metrics.average_precision import average_precision
from kpviewer.metrics.curves import class_score, voc_average_precision
from kpviewer.metrics.frame_error import frame_error
from kpviewer.models.selection import select, shown_ground_truth
from kpviewer.structures import (
    Candidates,
    Detections,
    Frame,
    FrameResult,
    GroundTruth,
    NmsKind,
    StageTimings,
    Thresholds,
)

IMAGE = np.zeros((4, 4, 3), np.uint8)


def boxes(*places: float) -> np.ndarray:
    """Squares of 10 px, 20 px apart: a place is a number, a fraction of one an offset."""
    left = np.array(places, np.float32).reshape(-1) * 20
    return np.stack([left, left * 0, left + 10, left * 0 + 10], 1).astype(np.float32)


def result(
    index: int, found: list[tuple[float, ...]], true: list[float] | GroundTruth
) -> FrameResult:
    """Build a frame: (place, score of class 0, ...) each, and the places of true objects."""
    scores = np.array([row[1:] for row in found], np.float32).reshape(len(found), -1)
    points = boxes(*(row[0] for row in found))[:, None, :2]
    return FrameResult(
        Frame(
            index,
            0,
            index / 10,
            IMAGE,
            true if isinstance(true, GroundTruth) else ground_truth(*true),
        ),
        Candidates(boxes(*(row[0] for row in found)), scores, points),
        Detections.empty(1),
        StageTimings(),
    )


def ground_truth(*places: float, classes: tuple[int, ...] | None = None) -> GroundTruth:
    total = len(places)
    return GroundTruth(
        boxes(*places),
        np.array(classes or [0] * total, np.int64),
        boxes(*places)[:, None, :2],
        np.ones((total, 1), np.bool_),
        np.zeros(total, np.bool_),
    )


def evaluated(
    *results: FrameResult, thresholds: Thresholds | None = None, floor: float = FLOOR
) -> EvaluatedFrames:
    frames = EvaluatedFrames(floor=floor)
    for each in results:
        frames.add(each)
    frames.set_thresholds(thresholds or Thresholds())
    finish(frames)
    return frames


def finish(frames: EvaluatedFrames) -> None:
    while frames.pending:
        frames.work(0.0, lambda: 1.0)


def random_results(total: int, classes: int = 3) -> list[FrameResult]:
    """Boxes near true ones with scores that half know, and others that know nothing."""
    random = np.random.default_rng(7)
    results = []
    for index in range(total):
        places = random.choice(12, random.integers(1, 6), replace=False).astype(float)
        ids = tuple(random.integers(0, classes, len(places)).tolist())
        found = []
        for place, class_id in zip(places, ids, strict=True):
            for _ in range(3):
                scores = random.uniform(0, 0.4, classes)
                scores[class_id] = random.uniform(0, 1)
                found.append((place + random.normal(0, 0.12), *scores))
        results.append(result(index, found, ground_truth(*places, classes=ids)))
    return results


# true at 0, 1 | 0 ; hits of 0.9 and 0.6, false alarms of 0.7 and 0.3
BY_HAND = (
    result(0, [(0, 0.9), (5, 0.7), (1, 0.6)], [0, 1]),
    result(1, [(7, 0.3)], [0]),
)


def test_curve_by_hand() -> None:
    curve = evaluated(*BY_HAND).curve()
    assert curve.scores.tolist() == pytest.approx([0.9, 0.7, 0.6, 0.3])
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert curve.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_confidence_moves_the_point_and_not_the_curve() -> None:
    frames = evaluated(*BY_HAND)
    before = frames.curve()
    frames.set_thresholds(Thresholds(score=0.65))
    finish(frames)
    assert np.array_equal(frames.curve().precision, before.precision)
    summary = frames.summary()
    assert (summary.matched, summary.false_negatives, summary.false_positives) == (1, 2, 1)


def test_area_under_the_curve_is_that_of_pycocotools() -> None:
    results = random_results(60)
    thresholds = Thresholds(iou=0.3)
    frames = evaluated(*results, thresholds=thresholds, floor=0.001)
    low = replace(thresholds, score=0.0)
    reference = average_precision(
        [select(one.candidates, low) for one in results],
        [one.frame.ground_truth for one in results if one.frame.ground_truth is not None],
        3,
    ).ap50_by_class
    for class_id, expected in enumerate(reference):
        area = voc_average_precision(frames.curve(class_id))
        # pycocotools samples the curve at 101 recalls
        assert area == pytest.approx(expected, abs=0.01)
        assert area != pytest.approx(0.0)


@pytest.mark.parametrize("nms", list(NmsKind))
@pytest.mark.parametrize("score", [0.05, 0.3, 0.62])
@pytest.mark.parametrize("more", [{}, {"class_scores": {1: 0.5}}, {"classes": frozenset({0, 2})}])
def test_each_number_is_that_of_running_the_thresholds_on_every_frame(nms, score, more) -> None:
    results = random_results(25)
    thresholds = Thresholds(score=score, iou=0.3, nms=nms, **more)
    frames = evaluated(*results, thresholds=thresholds)
    errors = []
    for one in results:
        assert one.frame.ground_truth is not None
        found = select(one.candidates, thresholds)
        errors.append(frame_error(found, shown_ground_truth(one.frame.ground_truth, thresholds)))
    matched, false_negatives, false_positives = (
        sum(getattr(error, name) for error in errors)
        for name in ("matched", "false_negatives", "false_positives")
    )
    summary = frames.summary()
    assert (summary.matched, summary.false_negatives, summary.false_positives) == (
        matched,
        false_negatives,
        false_positives,
    )
    distances = [error.mean_px for error in errors if error.mean_px is not None]
    assert summary.mean_px == pytest.approx(np.mean(distances))
    assert summary.worst_px == pytest.approx(max(distances))
    point = class_score(frames.curve(), score)
    assert point.precision == pytest.approx(matched / (matched + false_positives))
    assert point.recall == pytest.approx(matched / (matched + false_negatives))


def test_iou_changes_the_curve() -> None:
    frames = evaluated(result(0, [(0, 0.9), (0.2, 0.8)], [0]), thresholds=Thresholds(iou=0.3))
    assert len(frames.curve().scores) == 1  # 4 px aside, IoU 3 / 7
    frames.set_thresholds(Thresholds(iou=0.5))
    finish(frames)
    assert len(frames.curve().scores) == 2


def test_frame_counts_once_and_its_newest_result_wins() -> None:
    frames = evaluated(result(3, [(5, 0.9)], [0]), result(3, [(0, 0.8)], [0]))
    assert len(frames) == 1
    assert frames.curve().precision.tolist() == [1.0]
    assert frames.summary().matched == 1


def test_frame_without_ground_truth_is_not_kept() -> None:
    frames = EvaluatedFrames()
    frames.add(replace(BY_HAND[0], frame=replace(BY_HAND[0].frame, ground_truth=None)))
    assert len(frames) == 0


def test_oldest_frames_are_dropped_if_there_are_too_many() -> None:
    frames = EvaluatedFrames(max_frames=3)
    for index in range(5):
        frames.add(result(index, [(5, 0.9)], [0]))
    finish(frames)
    assert {frame.index for frame in frames.worst(WorstBy.MISTAKES, 9)} == {2, 3, 4}
    assert frames.pending == 0


def test_candidates_take_a_bounded_memory() -> None:
    many = [(place, 0.9) for place in range(100)]  # 100 x (4 + 1 + 2) x 4 bytes = 2,800
    frames = EvaluatedFrames(max_bytes=3 * 2800)
    for index in range(10):
        frames.add(result(index, many, [0]))
    assert len(frames) == 3


def test_work_stops_when_its_time_is_over() -> None:
    frames = EvaluatedFrames()
    for index in range(10):
        frames.add(result(index, [(5, 0.9)], [0]))
    ticks = count(1)
    frames.work(4, lambda: next(ticks))
    assert frames.pending == 6


def test_worst_frames_by_each_kind() -> None:
    frames = evaluated(
        result(0, [(0.10, 0.9)], [0]),  # 2 px aside, IoU 2/3
        result(1, [(0.05, 0.9)], [0]),  # 1 px aside
        result(2, [(0.05, 0.9), (8, 0.9)], [0, 3]),  # the same, with a miss and a false alarm
        result(3, [(6, 0.1)], [0]),
    )
    assert [f.index for f in frames.worst(WorstBy.DISTANCE, 9)] == [0, 1, 2]
    assert [f.index for f in frames.worst(WorstBy.OVERLAP, 1)] == [0]
    assert [f.index for f in frames.worst(WorstBy.MISTAKES, 9)] == [2, 3]
    worst = frames.worst(WorstBy.DISTANCE, 1)[0]
    assert worst.error.mean_px == pytest.approx(2)
    assert WorstBy.OVERLAP.of(worst.error) == pytest.approx(1 / 3)
    assert worst.position_s == 0.0


def test_hidden_class_is_not_missed() -> None:
    frames = evaluated(
        result(0, [(0, 0.9, 0.0)], ground_truth(0, 3, classes=(0, 1))),
        thresholds=Thresholds(classes=frozenset({0})),
    )
    assert frames.summary().false_negatives == 0
    assert frames.curve().recall.tolist() == [1.0]


def test_keypoints_below_their_threshold_are_left_out_without_matching_again(monkeypatch) -> None:
    one = result(0, [(0, 0.9), (1, 0.8)], [0, 1])
    points = one.candidates.keypoints_xy + np.array([[[3, 4]], [[300, 400]]], np.float32)
    scores = np.array([[0.9], [0.4]], np.float32)
    scored = replace(one.candidates, keypoints_xy=points, keypoint_scores=scores)
    frames = evaluated(replace(one, candidates=scored))
    assert frames.summary().mean_px == pytest.approx(5)
    monkeypatch.setattr("kpviewer.gui.evaluating.evaluated_frames.select", None)
    frames.set_thresholds(Thresholds(keypoint=0.4))
    finish(frames)
    assert frames.summary().mean_px == pytest.approx((5 + 500) / 2)
