"""The filter against the paper's equations for single numbers, and object by object."""

import math
from dataclasses import replace

import numpy as np
import pytest

from kpviewer.pipeline.results.smoothing import KeypointSmoother, OneEuro
from kpviewer.structures import Detections

BOX = (0.0, 0.0, 100.0, 100.0)


def one(
    *points: tuple[float, float], box: tuple[float, ...] = BOX, track_id: int | None = None
) -> Detections:
    return several((box, points), ids=None if track_id is None else [track_id])


def several(*objects, ids: list[int] | None = None, classes: list[int] | None = None) -> Detections:
    """Detections of (box, points)."""
    count = len(objects)
    xy = np.array([points for _, points in objects], np.float32)
    return Detections(
        np.array([box for box, _ in objects], np.float32),
        np.linspace(0.9, 0.8, count, dtype=np.float32),
        np.array(classes or [0] * count, np.int64),
        xy,
        np.ones(xy.shape[:2], np.float32),
        track_ids=None if ids is None else np.array(ids, np.int64),
    )


def alpha(cutoff_hz: float, elapsed_s: float) -> float:
    tau = 1 / (2 * math.pi * cutoff_hz)
    return 1 / (1 + tau / elapsed_s)


def by_the_paper(
    values: list[float], times: list[float], fc_min: float, beta: float
) -> list[float]:
    """The equations for one coordinate, one after another."""
    filtered, velocity = [values[0]], 0.0
    for value, before, now in zip(values[1:], times, times[1:], strict=False):
        elapsed = now - before
        a = alpha(1.0, elapsed)
        velocity = a * (value - filtered[-1]) / elapsed + (1 - a) * velocity
        a = alpha(fc_min + beta * abs(velocity), elapsed)
        filtered.append(a * value + (1 - a) * filtered[-1])
    return filtered


def test_one_step_by_hand():
    smoother = KeypointSmoother(OneEuro(fc_min_hz=1.0, beta_hz=1.0))
    first = smoother.smooth(one((0, 0)), 0.0)
    second = smoother.smooth(one((10, 0)), 0.1)
    # 100 px/s, of which 0.385870 pass: 0.385870 sides a second of 100 px, so fc = 1.385870 Hz,
    # tau = 0.114842 s and alpha = 0.465464.
    assert first.tolist() == [[[0, 0]]]
    assert second[0, 0] == pytest.approx([4.65464, 0], abs=1e-4)


def test_uneven_steps_are_those_of_the_equations():
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(0.01, 0.09, 50)).tolist()
    values = np.cumsum(rng.normal(0, 2, 50)).tolist()
    smoother = KeypointSmoother(OneEuro(fc_min_hz=1.5, beta_hz=8.0))
    found = [
        float(smoother.smooth(one((3, x)), t)[0, 0, 1]) for x, t in zip(values, times, strict=True)
    ]
    assert found == pytest.approx(by_the_paper(values, times, 1.5, 8.0 / 100), abs=1e-4)


def test_every_direction_is_filtered_alike():
    along, across = KeypointSmoother(), KeypointSmoother()
    for step, x in enumerate([0.0, 1, 4, 5, 3]):
        straight = along.smooth(one((x, 0)), step / 30)[0, 0]
        turned = across.smooth(one((0.6 * x, 0.8 * x)), step / 30)[0, 0]
    assert turned == pytest.approx([0.6 * straight[0], 0.8 * straight[0]], abs=1e-5)


def test_near_and_far_faces_are_filtered_alike():
    far, near = KeypointSmoother(), KeypointSmoother()
    for step, x in enumerate([0.0, 1, 4, 5, 3]):
        small = far.smooth(one((x, 0)), step / 30)[0, 0, 0]
        large = near.smooth(one((4 * x, 0), box=(0, 0, 400, 400)), step / 30)[0, 0, 0]
    assert large == pytest.approx(4 * small, abs=1e-4)


def test_still_points_become_steadier_and_the_detections_stay_raw():
    rng = np.random.default_rng(0)
    smoother = KeypointSmoother()
    raw = rng.normal(50, 1, (60, 1)).astype(np.float32)
    found = [one((float(x), 5.0)) for x in raw[:, 0]]
    smooth = [smoother.smooth(each, step / 30)[0, 0, 0] for step, each in enumerate(found)]
    assert np.std(smooth[10:]) < 0.6 * np.std(raw[10:])
    assert [each.keypoints_xy[0, 0, 0] for each in found] == raw[:, 0].tolist()


def test_objects_keep_their_own_past_when_their_order_changes():
    left = (0, 0, 100, 100), [(10.0, 10.0)]
    right = (300, 0, 400, 100), [(310.0, 10.0)]
    smoother = KeypointSmoother()
    smoother.smooth(several(left, right), 0.0)
    found = smoother.smooth(several(right, left), 0.03)
    assert found.tolist() == [[[310, 10]], [[10, 10]]]


def test_overlapping_object_of_another_class_is_another_object():
    smoother = KeypointSmoother()
    smoother.smooth(several((BOX, [(10, 10)]), classes=[0]), 0.0)
    assert smoother.smooth(several((BOX, [(20, 10)]), classes=[1]), 0.03)[0, 0, 0] == 20


def test_track_ids_decide_if_there_are_any():
    smoother = KeypointSmoother()
    smoother.smooth(several((BOX, [(10, 10)]), (BOX, [(20, 10)]), ids=[7, 8]), 0.0)
    found = smoother.smooth(several((BOX, [(20, 10)]), (BOX, [(10, 10)]), ids=[8, 7]), 0.03)
    assert found[:, 0, 0].tolist() == [20, 10]
    assert smoother.smooth(one((15, 10), track_id=9), 0.06)[0, 0, 0] == 15


@pytest.mark.parametrize(
    ("box", "x", "time_s"),
    [
        ((200, 200, 300, 300), 14, 0.1),
        (BOX, 60, 0.1),
        (BOX, 14, 2.0),
        (BOX, 14, -1.0),
        (BOX, 14, 0.0),
    ],
    ids=["elsewhere", "a cut", "long away", "back in time", "the same time"],
)
def test_filter_restarts(box, x, time_s):
    smoother = KeypointSmoother()
    smoother.smooth(one((10, 10)), 0.0)
    assert smoother.smooth(one((x, 10), box=box), time_s)[0, 0, 0] == x


def test_object_that_was_missed_in_a_frame_continues():
    smoother = KeypointSmoother()
    smoother.smooth(one((10, 10)), 0.0)
    nothing = one((0, 0)).take(np.zeros(0, np.int64))
    assert smoother.smooth(nothing, 0.03).shape == (0, 1, 2)
    assert 10 < smoother.smooth(one((14, 10)), 0.06)[0, 0, 0] < 14


def test_reset_forgets():
    smoother = KeypointSmoother()
    smoother.smooth(one((10, 10)), 0.0)
    smoother.reset()
    assert smoother.smooth(one((14, 10)), 0.03)[0, 0, 0] == 14


def test_point_that_is_not_a_number_spoils_no_later_one():
    smoother = KeypointSmoother()
    smoother.smooth(one((10, 10), (20, 20)), 0.0)
    smoother.smooth(one((math.nan, 10), (20, 20)), 0.03)
    found = smoother.smooth(one((12, 10), (20, 20)), 0.06)
    assert found.tolist() == [[[12, 10], [20, 20]]]


def test_model_without_keypoints_or_with_others_does_no_harm():
    smoother = KeypointSmoother()
    smoother.smooth(one((10, 10)), 0.0)
    assert smoother.smooth(one((1, 1), (2, 2)), 0.06).shape == (1, 2, 2)


@pytest.mark.parametrize("count", [0, 2], ids=["no model yet", "a model without keypoints"])
def test_boxes_without_keypoints_are_left_alone(count):
    smoother = KeypointSmoother()
    boxes = several(*[(BOX, np.zeros((0, 2)))] * count) if count else Detections.empty()
    for time_s in (0.0, 0.03):  # warnings are errors in tests
        assert smoother.smooth(boxes, time_s).shape == (count, 0, 2)


def scored(xy: tuple[float, float], score: float) -> Detections:
    """Return one object whose first point is sure and still, and whose second has a score."""
    found = one((50, 50), xy)
    scores = np.array([[1.0, score]], np.float32)
    return replace(found, keypoint_scores=scores, keypoint_threshold=0.5)


def test_keypoint_below_the_threshold_is_a_missing_sample():
    smoother, plain = KeypointSmoother(), KeypointSmoother()
    for time_s, x in ((0.0, 10.0), (0.03, 11.0)):
        smoother.smooth(scored((x, 10), 0.9), time_s)
        plain.smooth(one((50, 50), (x, 10)), time_s)
    guess = smoother.smooth(scored((90, 70), 0.2), 0.06)
    assert guess[0, 1].tolist() == [90, 70]  # raw: it isn't known where the point is
    after = smoother.smooth(scored((12, 10), 0.9), 0.09)[0, 1]
    expected = plain.smooth(one((50, 50), (12, 10)), 0.09)[0, 1]  # as if nothing had come
    assert after == pytest.approx(expected, abs=1e-5)
    assert 11 < after[0] < 12


def test_far_guess_of_one_keypoint_does_not_make_the_others_begin_anew():
    smoother = KeypointSmoother()
    for step, guess in enumerate([(10, 10), (900, 900), (-900, 900)]):
        first = one((50 + step, 50), guess)
        scores = np.array([[1.0, 0.9 if step == 0 else 0.1]], np.float32)
        found = replace(first, keypoint_scores=scores, keypoint_threshold=0.5)
        smooth = smoother.smooth(found, step * 0.03)
    assert 50 < smooth[0, 0, 0] < 52


def test_keypoint_that_was_away_for_long_begins_anew():
    smoother = KeypointSmoother()
    smoother.smooth(scored((10, 10), 0.9), 0.0)
    for step in range(1, 20):
        smoother.smooth(scored((70, 70), 0.1), step * 0.03)
    assert smoother.smooth(scored((14, 10), 0.9), 0.6)[0, 1].tolist() == [14, 10]


def test_keypoint_that_was_never_predicted_begins_raw():
    smoother = KeypointSmoother()
    smoother.smooth(scored((90, 90), 0.1), 0.0)
    assert smoother.smooth(scored((14, 10), 0.9), 0.03)[0, 1].tolist() == [14, 10]
