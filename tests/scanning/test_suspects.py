"""Suspects in made-up clips, where the suspicious frames are known."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from kpviewer.scanning.columns import ScannedFrame, columns_of
from kpviewer.scanning.selection import Superseded, Survivors, survivors
from kpviewer.scanning.signs import Kind, SecondScan
from kpviewer.scanning.suspects import Suspect, suspects
from kpviewer.structures import Candidates, Thresholds

THRESHOLDS = Thresholds(score=0.5)
SIDE = 40.0
FACE = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6]], np.float32) * SIDE
"""Three landmarks, from the corner of the box, px."""
Thing = tuple[float, ...]
"""Left side of a box and its score; more are added to x of the landmarks, or its class."""


def thing(
    left: float, score: float = 0.9, *, bent: float = 0.0, grown: float = 0.0, kind: int = 0
) -> Thing:
    return (left, score, bent, grown, kind)


def scan(frames: Mapping[int, list[Thing]], *, points: bool = True, classes: int = 1) -> Survivors:
    """Return what is found in frames, by number."""
    scanned = []
    for index, things in frames.items():
        left = np.array([each[0] for each in things], np.float32)
        grown = np.array([each[3] for each in things], np.float32)
        xyxy = np.stack([left, left * 0, left + SIDE + grown, left * 0 + SIDE + grown], 1)
        scores = np.zeros((len(things), classes), np.float32)
        scores[np.arange(len(things)), [each[4] for each in things]] = [each[1] for each in things]
        xy = xyxy[:, None, :2] + FACE
        xy[:, 0, 0] += np.array([each[2] for each in things], np.float32)
        xy = xy if points else xy[:, :0]
        candidates = Candidates(xyxy.reshape(-1, 4), scores, xy)
        scanned.append(ScannedFrame(index, index / 10, candidates))
    columns = columns_of(scanned, classes, 3 if points else 0, 0.05)
    return survivors(columns, THRESHOLDS)


def clip(change: Callable[[int], list[Thing]], total: int = 30) -> dict[int, list[Thing]]:
    return {index: change(index) for index in range(total)}


def found(
    frames: Mapping[int, list[Thing]], kind: Kind, *, is_video: bool = True, **more: int
) -> list[Suspect]:
    every = suspects([scan(frames, **more)], THRESHOLDS, is_video=is_video)
    assert all(0 <= each.suspicion <= 1 for each in every)
    return [each for each in every if each.kind is kind]


def numbers(found: list[Suspect]) -> list[int]:
    return sorted(each.frame_index for each in found)


def moving(index: int) -> Thing:
    return thing(10 + 3 * index)


def test_steady_object_is_not_suspicious():
    assert suspects([scan(clip(lambda i: [moving(i)]))], THRESHOLDS, is_video=True) == []
    assert suspects([scan({})], THRESHOLDS, is_video=True) == []


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_object_that_is_gone_for_few_frames(gap):
    frames = clip(lambda i: [] if 12 <= i < 12 + gap else [moving(i)])
    (suspect,) = found(frames, Kind.GONE)
    assert suspect.frame_index == 12
    assert suspect.position_s == pytest.approx(1.2)
    assert suspect.values["frames"] == gap
    assert suspect.class_id == 0
    # scores of 0.9 are four fifths of the way from the threshold to 1
    assert suspect.suspicion == pytest.approx(0.5 + 0.4 - 0.1 * (gap - 1), abs=1e-3)
    assert found(frames, Kind.BRIEF) == []


def test_object_that_leaves_for_long_or_appears_for_good_is_not_flickering():
    long = clip(lambda i: [] if 12 <= i < 16 else [moving(i)])
    assert found(long, Kind.GONE) == []
    late = clip(lambda i: [moving(i)] if i >= 10 else [])
    assert found(late, Kind.GONE) == found(late, Kind.BRIEF) == []


def test_object_that_is_there_for_one_frame_alone():
    frames = clip(lambda i: [moving(i), *([thing(300, 0.75)] if i == 7 else [])])
    (suspect,) = found(frames, Kind.BRIEF)
    assert (suspect.frame_index, suspect.suspicion) == (7, pytest.approx(0.3 + 0.5 / 2))
    at_the_edges = clip(lambda i: [moving(i), *([thing(300)] if i in (0, 29) else [])])
    assert found(at_the_edges, Kind.BRIEF) == []


def test_blinking_object_is_one_suspect():
    frames = clip(lambda i: [] if i in (10, 12, 14) else [moving(i)])
    (suspect,) = found(frames, Kind.GONE)
    assert suspect.values["run"] == 3
    assert found(frames, Kind.BRIEF) == []


def test_frames_that_were_not_scanned_are_no_flicker():
    frames = {i: things for i, things in clip(lambda i: [moving(i)]).items() if i not in (9, 20)}
    assert suspects([scan(frames)], THRESHOLDS, is_video=True) == []
    gap = {i: [] if i == 11 else [moving(i)] for i in (*range(10), *range(11, 30))}
    assert found(gap, Kind.GONE) == [], "nobody knows of frame 10"
    around = {8: [moving(8)], 9: [moving(9), thing(300)], 11: [moving(11)]}
    assert found(around, Kind.BRIEF) == []


def test_box_that_jumps_away_and_back():
    frames = clip(lambda i: [thing(10 + 3 * i + (20 if i == 15 else 0))])
    (suspect,) = found(frames, Kind.BOX_JUMP)
    assert suspect.frame_index == 15
    diagonal = np.hypot(SIDE, SIDE)
    assert suspect.values["share"] == pytest.approx(20 / diagonal, abs=1e-3)
    assert suspect.suspicion == pytest.approx(2 * 20 / diagonal, abs=1e-3)
    assert found(frames, Kind.LANDMARK_JUMP) == [], "the landmarks go with their box"


def test_box_that_grows_at_once():
    frames = clip(lambda i: [thing(100, grown=40 if i == 1 else 0)])
    assert numbers(found(frames, Kind.BOX_JUMP)) == [1]


def test_jumps_of_a_restless_clip_are_usual():
    frames = clip(lambda i: [thing(100 + 10 * (i % 2))])
    assert found(frames, Kind.BOX_JUMP) == []


def test_landmark_that_jumps_in_a_steady_box():
    frames = clip(lambda i: [thing(10 + 3 * i, bent=12 if i == 20 else 0)])
    (suspect,) = found(frames, Kind.LANDMARK_JUMP)
    assert (suspect.frame_index, suspect.values["point"]) == (20, 0)
    assert suspect.values["share"] == pytest.approx(12 / np.hypot(SIDE, SIDE), abs=1e-3)
    assert found(frames, Kind.BOX_JUMP) == []


def test_sudden_change_of_the_count():
    def change(index: int) -> list[Thing]:
        return [thing(60 * each) for each in range(2 if index < 14 else 6)]

    (suspect,) = found(clip(change), Kind.COUNT)
    assert suspect.frame_index == 14
    assert (suspect.values["before"], suspect.values["after"]) == (2, 6)
    assert suspect.suspicion == pytest.approx(4 / 7, abs=1e-3)
    slow = clip(lambda i: [thing(60 * each) for each in range(i // 3)])
    assert found(slow, Kind.COUNT) == []


def test_score_close_to_the_threshold_above_and_below():
    frames = {0: [thing(0, 0.51)], 10: [thing(0, 0.48)], 20: [thing(0, 0.9), thing(200, 0.3)]}
    for is_video in (True, False):
        found_near = found(frames, Kind.NEAR, is_video=is_video)
        assert numbers(found_near) == [0, 10]
        first = min(found_near, key=lambda each: each.frame_index)
        assert first.suspicion == pytest.approx(0.4, abs=1e-3)
        assert first.values["score"] == pytest.approx(0.51)


def test_images_of_a_folder_have_no_neighbours():
    frames = clip(lambda i: [thing(60 * each, 0.9) for each in range(i % 5)])
    assert suspects([scan(frames)], THRESHOLDS, is_video=False) == []
    near = found({0: [thing(0, 0.51)], 1: [thing(0, 0.51)]}, Kind.NEAR, is_video=False)
    assert numbers(near) == [0, 1]


def test_landmarks_outside_their_box():
    frames = clip(lambda i: [thing(100, bent=40 if i == 5 else 0)])
    (suspect,) = found(frames, Kind.OUTSIDE, is_video=False)
    assert (suspect.frame_index, suspect.values["points"]) == (5, 1)
    assert suspect.suspicion == pytest.approx(0.3 + (12 + 40 - SIDE) / SIDE, abs=1e-3)
    # 2 px beyond the right side are within the room
    a_little = clip(lambda i: [thing(100, bent=30 if i == 5 else 0)])
    assert found(a_little, Kind.OUTSIDE) == []
    everywhere = clip(lambda i: [thing(100, bent=60)])
    assert found(everywhere, Kind.OUTSIDE) == []


def test_shape_far_from_the_usual_one():
    frames = clip(lambda i: [thing(100, bent=16 if i == 8 else 0)])
    (suspect,) = found(frames, Kind.SHAPE, is_video=False)
    assert (suspect.frame_index, suspect.suspicion) == (8, pytest.approx(16 / SIDE, abs=1e-3))
    few = clip(lambda i: [thing(100, bent=16 if i == 8 else 0)], total=15)
    assert found(few, Kind.SHAPE, is_video=False) == []


def test_two_models_that_find_different_objects():
    first = scan(clip(lambda i: [thing(0), thing(100)]), points=False)
    frames = clip(lambda i: [thing(0, kind=1), *([] if i == 9 else [thing(100, kind=1)])])
    second = scan(frames, points=False, classes=2)
    other = SecondScan([second], THRESHOLDS, {1: 0})
    (suspect,) = suspects([first], THRESHOLDS, is_video=False, other=other)
    assert (suspect.kind, suspect.frame_index) == (Kind.DISAGREEMENT, 9)
    values = suspect.values
    assert (values["both"], values["only_a"], values["only_b"]) == (1, 1, 0)
    assert suspect.suspicion == pytest.approx(0.5)
    unnamed = SecondScan([second], THRESHOLDS, {})
    assert len(suspects([first], THRESHOLDS, is_video=False, other=unnamed)) == 30


def test_classes_that_only_one_of_two_models_has_are_different_objects():
    first = scan(clip(lambda i: [thing(0, kind=2)]), points=False, classes=3)
    second = scan(clip(lambda i: [thing(0, kind=1)]), points=False, classes=2)
    other = SecondScan([second], THRESHOLDS, {0: 0})
    (each, *_) = found = suspects([first], THRESHOLDS, is_video=False, other=other)
    assert len(found) == 30
    assert (each.values["both"], each.values["only_a"], each.values["only_b"]) == (0, 1, 1)


def test_models_are_compared_in_the_frames_that_both_scanned():
    first = scan(clip(lambda i: [thing(0)]), points=False)
    second = scan({3: [thing(0)], 7: [thing(200)], 99: []}, points=False)
    other = SecondScan([second], THRESHOLDS, {0: 0})
    assert numbers(suspects([first], THRESHOLDS, is_video=False, other=other)) == [7]


def test_parts_of_a_scan_are_one_clip():
    frames = clip(lambda i: [] if i == 15 else [moving(i)])
    halves = [dict(list(frames.items())[:16]), dict(list(frames.items())[16:])]
    parts = [scan(half) for half in halves]
    assert suspects(parts, THRESHOLDS, is_video=True) == suspects(
        [scan(frames)], THRESHOLDS, is_video=True
    )
    assert numbers(suspects(parts, THRESHOLDS, is_video=True)) == [15]


def test_the_most_suspicious_comes_first_and_hidden_classes_are_left_out():
    frames = clip(
        lambda i: [*([] if i == 4 else [thing(0)]), *([] if i == 9 else [thing(99, 0.6)])]
    )
    every = suspects([scan(frames)], THRESHOLDS, is_video=True)
    assert [each.frame_index for each in every] == [4, 9]
    hidden = Thresholds(score=0.5, classes=frozenset({7}))
    assert suspects([scan(frames)], hidden, is_video=True) == []


def test_suspects_that_nobody_waits_for_are_given_up():
    with pytest.raises(Superseded):
        suspects(
            [scan(clip(lambda i: [moving(i)]))],
            THRESHOLDS,
            is_video=True,
            is_wanted=lambda: False,
        )
