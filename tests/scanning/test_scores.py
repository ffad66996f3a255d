"""Scores of a scan, by hand, against pycocotools and against each frame alone."""

from dataclasses import replace

import numpy as np
import pytest
from rotated_scenes import as_masks, turned

from kpviewer.metrics.average_precision import average_precision
from kpviewer.metrics.curves import class_score, curves_by_class, voc_average_precision
from kpviewer.metrics.detection import confusion_matrix
from kpviewer.metrics.frame_error import frame_error
from kpviewer.models.selection import of_shown_classes, select
from kpviewer.scanning.columns import FLOOR, CandidateColumns, ScannedFrame, columns_of
from kpviewer.scanning.frame_errors import WorstBy
from kpviewer.scanning.ground_truth import ground_truth_columns
from kpviewer.scanning.scorer import Scorer
from kpviewer.scanning.scores import ScanScores
from kpviewer.scanning.selection import Superseded, survivors
from kpviewer.structures import Candidates, Detections, GroundTruth, NmsKind, Thresholds

MASKS = 20
"""Angle of rotated boxes that are compared as masks."""


def boxes(*places: float) -> np.ndarray:
    """Squares of 10 px, 20 px apart: a place is a number, a fraction of one an offset."""
    left = np.array(places, np.float32).reshape(-1) * 20
    return np.stack([left, left * 0, left + 10, left * 0 + 10], 1).astype(np.float32)


def ground_truth(*places: float, classes: tuple[int, ...] | None = None) -> GroundTruth:
    total = len(places)
    return GroundTruth(
        boxes(*places),
        np.array(classes or [0] * total, np.int64),
        boxes(*places)[:, None, :2],
        np.ones((total, 1), np.bool_),
        np.zeros(total, np.bool_),
    )


class Clip:
    """Frames of (place, score of class 0, ...) each, and their ground truth; None: they have none.

    Args:
        frames: found places, and places of true objects, of each frame.
        classes: number of classes.
    """

    def __init__(self, *frames: tuple[list[tuple[float, ...]], object], classes: int = 1) -> None:
        self.truth: dict[int, GroundTruth] = {}
        self.candidates: list[Candidates] = []
        self.classes = classes
        for index, (found, true) in enumerate(frames):
            if true is not None:
                is_ready = isinstance(true, GroundTruth)
                self.truth[index] = true if is_ready else ground_truth(*true)  # type: ignore
            scores = np.array([row[1:] for row in found], np.float32).reshape(len(found), classes)
            places = boxes(*(row[0] for row in found))
            self.candidates.append(Candidates(places, scores, places[:, None, :2]))

    def columns(self, floor: float = FLOOR, rows: slice = slice(None)) -> CandidateColumns:
        frames = [
            ScannedFrame(index, index / 10, each) for index, each in enumerate(self.candidates)
        ]
        return columns_of(frames[rows], self.classes, 1, floor)

    def scores(self, thresholds: Thresholds | None = None, floor: float = FLOOR) -> ScanScores:
        thresholds = thresholds or Thresholds()
        found = survivors(self.columns(floor), thresholds)
        return Scorer().score([found], ground_truth_columns(self.truth), thresholds)

    def detections(self, thresholds: Thresholds) -> list[Detections]:
        return [select(self.candidates[index], thresholds) for index in self.truth]


# true at 0, 1 | 0 ; hits of 0.9 and 0.6, false alarms of 0.7 and 0.3
BY_HAND = Clip(([(0, 0.9), (5, 0.7), (1, 0.6)], [0, 1]), ([(7, 0.3)], [0]))


def test_recall_counts_small_medium_and_large_objects_apart():
    sides = np.array([[31, 31], [32, 32], [96, 96], [97, 96], [200, 300], [9, 9]], np.float32)
    offsets = np.arange(6, dtype=np.float32)[:, None] * 400
    places = np.concatenate([sides * 0, sides], 1) + offsets
    difficult = np.array([False] * 5 + [True])
    truth = replace(ground_truth(*range(6)), xyxy=places, difficult=difficult)
    clip = Clip(([], truth), ([], None))
    found = places[[0, 2, 4, 5]]
    scores = np.array([[0.9], [0.9], [0.6], [0.9]], np.float32)
    clip.candidates[0] = Candidates(found, scores, found[:, None, :2])
    assert clip.scores(Thresholds(0.5)).by_size == ((1, 1), (1, 2), (1, 2))
    assert clip.scores(Thresholds(0.7)).by_size == ((1, 1), (1, 2), (0, 2))
    masks = np.array([961, 1023, 9000, 900, 50_000, 81], np.float32)  # they fill boxes in part
    clip.truth[0] = replace(truth, mask_areas=masks)
    assert clip.scores(Thresholds(0.5)).by_size == ((1, 3), (1, 1), (1, 1))


def random_clip(
    total: int, classes: int = 3, *, unlabelled: bool = False, degrees: float = 0
) -> Clip:
    """Boxes near true ones with scores that half know, and others that know nothing.

    With an angle, all boxes are rotated; with MASKS, they are masks, too.
    """
    random = np.random.default_rng(7)
    frames = []
    for index in range(total):
        places = random.choice(12, random.integers(1, 6), replace=False).astype(float)
        ids = tuple(random.integers(0, classes, len(places)).tolist())
        found = []
        for place, class_id in zip(places, ids, strict=True):
            for _ in range(3):
                scores = random.uniform(0, 0.4, classes).round(2)  # some are equal
                scores[class_id] = round(random.uniform(0, 1), 2)
                found.append((place + random.normal(0, 0.12), *scores))
        true = ground_truth(*places, classes=ids)
        true = replace(true, difficult=random.random(len(places)) < 0.1)
        if unlabelled:
            true = true.take(true.class_ids > 0)
            labelled = frozenset(range(1, classes)) - {index % 4}  # 1 or 2: in part, in some frames
            true = replace(true, labelled_ids=labelled)
        frames.append((found, None if index % 5 == 4 else true))
    clip = Clip(*frames, classes=classes)
    if degrees:
        clip.candidates = [turned(each, degrees) for each in clip.candidates]
        clip.truth = {index: turned(each, degrees) for index, each in clip.truth.items()}
    if degrees == MASKS:
        clip.candidates = [as_masks(each, 64) for each in clip.candidates]
        clip.truth = {index: as_masks(each, 5 + index) for index, each in clip.truth.items()}
    return clip


def test_curve_by_hand():
    curve = BY_HAND.scores().overall
    assert curve.scores.tolist() == pytest.approx([0.9, 0.7, 0.6, 0.3])
    assert curve.precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4])
    assert curve.recall.tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_confidence_moves_the_point_and_not_the_curve():
    before, after = BY_HAND.scores(), BY_HAND.scores(Thresholds(score=0.65))
    assert np.array_equal(after.overall.precision, before.overall.precision)
    assert after.precision == before.precision
    summary = after.summary
    assert (summary.matched, summary.false_negatives, summary.false_positives) == (1, 2, 1)
    (row,) = after.rows
    assert (row.objects, row.matched, row.false_negatives, row.false_positives) == (3, 1, 2, 1)


def test_best_confidence_is_the_centre_of_the_highest_f1():
    # two thirds of precision and of recall from 0.301 to 0.6
    best = BY_HAND.scores().best(None)
    assert best is not None
    assert (best.score, best.f1) == (pytest.approx(0.45), pytest.approx(2 / 3))
    # nothing is known below the floor of a scan
    alone = Clip(([(0, 0.9)], [0])).scores(floor=0.3).best(None)
    assert alone is not None and alone.score == pytest.approx((0.3 + 0.9) / 2)


@pytest.mark.parametrize("degrees", [0, 33, MASKS])
@pytest.mark.parametrize("unlabelled", [False, True])
def test_average_precision_and_confusion_are_those_of_the_evaluation(unlabelled, degrees):
    """``kpviewer eval`` computes them with pycocotools and ``confusion_matrix``."""
    clip = random_clip(60, unlabelled=unlabelled, degrees=degrees)
    floor, thresholds = 0.01, Thresholds(score=0.4, iou=0.3)
    shown = frozenset({1, 2}) if unlabelled else None
    scores = clip.scores(thresholds, floor)
    true = list(clip.truth.values())
    low = clip.detections(replace(thresholds, score=floor, classes=shown))
    expected = average_precision(low, true, 3)
    assert 0.1 < (expected.ap or 0) < 0.9
    assert scores.precision.ap50_by_class == expected.ap50_by_class
    assert scores.precision.ap == pytest.approx(expected.ap, abs=1e-12)
    assert scores.precision.ap50 == pytest.approx(expected.ap50, abs=1e-12)
    assert scores.confusion is not None
    assert np.array_equal(scores.confusion, confusion_matrix(low, true, 3, score=0.4))
    for class_id in shown or range(3):
        curve, reference = scores.curve(class_id), curves_by_class(low, true, 3)[class_id]
        assert np.array_equal(curve.precision, reference.precision)
        assert np.array_equal(curve.recall, reference.recall)
        area = voc_average_precision(curve)
        # pycocotools samples the curve at 101 recalls
        assert area == pytest.approx(expected.ap50_by_class[class_id], abs=0.01)


@pytest.mark.parametrize("nms", list(NmsKind))
@pytest.mark.parametrize("score", [0.05, 0.3, 0.62])
@pytest.mark.parametrize("more", [{}, {"class_scores": {1: 0.5}}, {"classes": frozenset({0, 2})}])
@pytest.mark.parametrize("degrees", [0, 33])
def test_each_number_is_that_of_running_the_thresholds_on_every_frame(nms, score, more, degrees):
    clip = random_clip(25, degrees=degrees)
    thresholds = Thresholds(score=score, iou=0.3, nms=nms, **more)
    scores = clip.scores(thresholds)
    true = [of_shown_classes(each, thresholds) for each in clip.truth.values()]
    found = clip.detections(thresholds)
    errors = [frame_error(*each) for each in zip(found, true, strict=True)]
    assert scores.errors.frame_index.tolist() == list(clip.truth)
    for row, error in enumerate(errors):
        found_error = scores.errors.error(row)
        for name in ("mean_px", "nme", "mean_iou"):
            value = getattr(error, name)
            assert getattr(found_error, name) == (value and pytest.approx(value, rel=1e-5))
        for name in ("matched", "false_negatives", "false_positives", "nme_normaliser"):
            assert getattr(found_error, name) == getattr(error, name)
    summary, point = scores.summary, class_score(scores.overall, score)
    matched, missed, false = (
        sum(getattr(error, name) for error in errors)
        for name in ("matched", "false_negatives", "false_positives")
    )
    assert (summary.matched, summary.false_negatives) == (matched, missed)
    assert summary.false_positives == false
    distances = [error.mean_px for error in errors if error.mean_px is not None]
    assert summary.mean_px == pytest.approx(np.mean(distances))
    assert summary.worst_px == pytest.approx(max(distances))
    assert point.precision == pytest.approx(matched / (matched + false))
    assert point.recall == pytest.approx(matched / (matched + missed))
    assert np.array_equal(scores.confusion, confusion_matrix(found, true, 3, score=0))


def test_half_an_overlap_is_a_match_and_half_a_box_in_a_difficult_object_is_ignored():
    difficult = replace(ground_truth(0), difficult=np.ones(1, np.bool_))
    clip = Clip(([(0, 0.9)], [0]), ([(0.25, 0.9)], difficult), ([(0.3, 0.9)], difficult))
    clip.candidates[0] = replace(clip.candidates[0], xyxy=np.array([[0, 0, 10, 5]], np.float32))
    summary = clip.scores().summary
    assert (summary.matched, summary.false_negatives, summary.false_positives) == (1, 0, 1)


def test_iou_changes_the_curve():
    clip = Clip(([(0, 0.9), (0.2, 0.8)], [0]))
    assert len(clip.scores(Thresholds(iou=0.3)).overall.scores) == 1  # 4 px aside, IoU 3 / 7
    assert len(clip.scores(Thresholds(iou=0.5)).overall.scores) == 2


def test_frames_without_ground_truth_are_scanned_and_not_scored():
    clip = Clip(([(0, 0.9)], [0]), ([(0, 0.9)], None), ([(3, 0.9)], []))
    clip.truth[7] = ground_truth(0)  # not scanned
    scores = clip.scores()
    assert (scores.scanned, scores.scored, scores.with_ground_truth) == (3, 2, 3)
    assert (scores.summary.matched, scores.summary.false_positives) == (1, 1)
    assert scores.overall.objects == 1


def test_without_any_ground_truth_nothing_is_scored():
    scores = Clip(([(0, 0.9)], None)).scores()
    assert (scores.scored, scores.precision.ap50, scores.summary.mean_px) == (0, None, None)
    assert (scores.worst(WorstBy.MISTAKES, 9), scores.best(None), scores.rows) == ([], None, ())


@pytest.mark.parametrize("degrees", [0, 33, MASKS])
def test_parts_of_a_scan_score_as_the_whole(degrees):
    clip, thresholds = random_clip(40, degrees=degrees), Thresholds(score=0.3, iou=0.3)
    truth = ground_truth_columns(clip.truth)
    parts = [clip.columns(rows=rows) for rows in (slice(0, 13), slice(13, 14), slice(14, 40))]
    found = [survivors(each, thresholds) for each in parts]
    one, whole = Scorer().score(found, truth, thresholds), clip.scores(thresholds)
    assert (one.precision, one.summary, one.rows) == (whole.precision, whole.summary, whole.rows)
    assert np.array_equal(one.confusion, whole.confusion)
    assert one.worst(WorstBy.DISTANCE, 9) == whole.worst(WorstBy.DISTANCE, 9)
    assert np.array_equal(one.object_errors, whole.object_errors)
    assert one.by_size == whole.by_size
    assert one.by_size[0] == (
        one.summary.matched,
        one.summary.matched + one.summary.false_negatives,
    )


def test_matches_are_computed_once_for_all_confidences(monkeypatch):
    clip, truth = BY_HAND, ground_truth_columns(BY_HAND.truth)
    found, scorer = survivors(clip.columns(), Thresholds()), Scorer()
    scorer.score([found], truth, Thresholds())
    monkeypatch.setattr("kpviewer.scanning.scorer.scan_matches", None)
    scores = scorer.score([found], truth, Thresholds(score=0.65, keypoint=0.2))
    assert scores.summary.matched == 1
    with pytest.raises(TypeError):
        scorer.score([found], ground_truth_columns(clip.truth), Thresholds())


def test_errors_are_known_at_once_where_matches_are():
    clip, thresholds, scorer = random_clip(6), Thresholds(0.4), Scorer()
    found, truth = survivors(clip.columns(), thresholds), ground_truth_columns(clip.truth)
    assert scorer.kept_errors([found], truth, thresholds) is None
    scorer.score([found], truth, thresholds)
    other = replace(thresholds, score=0.7)
    known = scorer.kept_errors([found], truth, other)
    assert known is not None
    expected = clip.scores(other).errors
    assert known.false_negatives.tolist() == expected.false_negatives.tolist()
    assert scorer.kept_errors([found], ground_truth_columns(clip.truth), other) is None
    assert scorer.kept_errors([survivors(clip.columns(), thresholds)], truth, other) is None
    hidden = replace(thresholds, classes=frozenset({0}))
    assert scorer.kept_errors([found], truth, hidden) is None


def test_scores_that_nobody_waits_for_are_given_up():
    found = survivors(BY_HAND.columns(), Thresholds())
    truth = ground_truth_columns(BY_HAND.truth)
    with pytest.raises(Superseded):
        Scorer().score([found], truth, Thresholds(), is_wanted=lambda: False)


def test_worst_frames_by_each_kind():
    scores = Clip(
        ([(0.10, 0.9)], [0]),  # 2 px aside, IoU 2/3
        ([(0.05, 0.9)], [0]),  # 1 px aside
        ([(0.05, 0.9), (8, 0.9)], [0, 3]),  # the same, with a miss and a false alarm
        ([(6, 0.1)], [0]),
    ).scores()
    assert [f.index for f in scores.worst(WorstBy.DISTANCE, 9)] == [0, 1, 2]
    assert [f.index for f in scores.worst(WorstBy.OVERLAP, 1)] == [0]
    assert [f.index for f in scores.worst(WorstBy.MISTAKES, 9)] == [2, 3]
    worst = scores.worst(WorstBy.DISTANCE, 1)[0]
    assert worst.error.mean_px == pytest.approx(2)
    assert scores.worst(WorstBy.OVERLAP, 1)[0].value == pytest.approx(1 / 3)
    assert worst.position_s == 0.0


def test_hidden_class_is_not_missed():
    clip = Clip(([(0, 0.9, 0.0)], ground_truth(0, 3, classes=(0, 1))), classes=2)
    scores = clip.scores(Thresholds(classes=frozenset({0})))
    assert scores.summary.false_negatives == 0
    assert scores.overall.recall.tolist() == [1.0]
    assert [row.class_id for row in scores.rows] == [0]


def test_keypoints_below_their_threshold_are_left_out():
    clip = Clip(([(0, 0.9), (1, 0.8)], [0, 1]))
    one = clip.candidates[0]
    points = one.keypoints_xy + np.array([[[3, 4]], [[300, 400]]], np.float32)
    confidences = np.array([[0.9], [0.4]], np.float32)
    clip.candidates[0] = replace(one, keypoints_xy=points, keypoint_scores=confidences)
    scores = clip.scores()
    assert scores.summary.mean_px == pytest.approx(5)
    assert scores.worst(WorstBy.DISTANCE, 1)[0].error.keypoints_not_predicted == 1
    assert clip.scores(Thresholds(keypoint=0.4)).summary.mean_px == pytest.approx((5 + 500) / 2)


def test_errors_of_objects_are_nme_where_keypoints_are_shared_and_px_elsewhere():
    clip = Clip(([(0.05, 0.9)], [0]))
    scores = clip.scores()
    assert scores.error_unit == "box diagonal"
    assert scores.object_errors.tolist() == pytest.approx([1 / np.hypot(10, 10)])
    no_points = np.zeros((1, 0, 2), np.float32)
    clip.truth[0] = replace(
        clip.truth[0], keypoints_xy=no_points, keypoints_visible=np.zeros((1, 0), np.bool_)
    )
    scores = clip.scores()
    assert (scores.error_unit, scores.object_errors.tolist()) == ("px", [pytest.approx(1)])
