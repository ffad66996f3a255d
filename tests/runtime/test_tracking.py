"""Track ids from frame to frame; the package tests its own matching."""

import numpy as np
from sample_results import detections

from kpviewer.runtime.tracking import LOST_AFTER_S, Tracker
from kpviewer.structures import Detections

FPS = 30


def walking(step: int, *, swapped: bool = False, classes=(0, 0)) -> Detections:
    """One object goes right, one goes up; ``swapped``: in the other order."""
    boxes = [(10 + 3 * step, 10, 60 + 3 * step, 60), (200, 150 - 2 * step, 260, 220 - 2 * step)]
    return detections(boxes[::-1] if swapped else boxes, class_ids=list(classes))


def test_ids_stay_with_their_objects_in_any_order():
    tracker = Tracker()
    assert tracker.update(walking(0), 0.0).tolist() == [-1, -1]
    first = tracker.update(walking(1), 1 / FPS).tolist()
    assert sorted(first) == [1, 2]
    for step in range(2, 20):
        swapped = step % 3 == 0
        ids = tracker.update(walking(step, swapped=swapped), step / FPS).tolist()
        assert ids == (first[::-1] if swapped else first)


def test_same_frames_give_the_same_ids():
    rng = np.random.default_rng(0)
    frames = [walking(step).take(rng.permutation(2)[: rng.integers(0, 3)]) for step in range(60)]
    runs = []
    for _ in range(2):
        tracker = Tracker()
        runs.append([tracker.update(one, step / FPS).tolist() for step, one in enumerate(frames)])
    assert runs[0] == runs[1]
    assert max(max(ids, default=-1) for ids in runs[0]) >= 2


def test_briefly_missed_object_keeps_its_id_and_one_long_away_does_not():
    tracker = Tracker()
    still = detections([(10, 10, 60, 60)])
    nothing = still.take(np.zeros(0, np.int64))
    ids = [tracker.update(still, step / FPS).tolist() for step in range(5)]
    assert ids[-1] == [1]
    for step in range(5, 10):
        assert tracker.update(nothing, step / FPS).shape == (0,)
    assert tracker.update(still, 10 / FPS).tolist() == [1]
    later_s = 10 / FPS + LOST_AFTER_S + 1
    tracker.update(nothing, later_s)
    back = [tracker.update(still, later_s + (1 + step) / FPS).tolist() for step in range(3)]
    assert back[-1][0] > 1


def test_object_keeps_its_id_when_its_class_changes():
    tracker = Tracker()
    for step in range(3):
        before = tracker.update(walking(step), step / FPS).tolist()
    assert tracker.update(walking(3, classes=(1, 0)), 3 / FPS).tolist() == before


def test_no_id_is_reused_after_a_reset_or_a_step_back_in_time():
    tracker = Tracker()
    for step in range(3):
        first = tracker.update(walking(step), step / FPS)
    tracker.reset()
    for step in range(3):
        second = tracker.update(walking(step), step / FPS)
    tracker.update(walking(0), 0.0)
    third = tracker.update(walking(1), 1 / FPS)
    assert [sorted(ids.tolist()) for ids in (first, second, third)] == [[1, 2], [3, 4], [5, 6]]


def test_box_that_is_not_finite_has_no_id_and_does_no_harm():
    tracker = Tracker()
    for step in range(3):
        ids = tracker.update(detections([(np.nan, 0, 5, 5), (10, 10, 60, 60)]), step / FPS)
    assert ids.tolist() == [-1, 1]
