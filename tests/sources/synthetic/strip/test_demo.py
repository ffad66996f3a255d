"""Video of the strips: smooth, seekable, with exact ground truth."""

import numpy as np

from kpviewer.sources.synthetic.strip.demo import (
    FRAME_COUNT,
    FRAMES_PER_STRIP,
    SPEED_PX,
    StripSource,
    render,
)
from kpviewer.sources.synthetic.strip.world import CLASS_NAMES


def test_the_video_has_20_s_at_30_frames_of_1920_by_320():
    info = StripSource().open()
    assert (info.width, info.height, info.nominal_fps, info.frame_count) == (1920, 320, 30.0, 600)


def test_a_frame_depends_on_its_number_alone():
    first, _ = render(321)
    render(17)
    again, ground_truth = render(321)
    assert np.array_equal(first, again)
    assert np.array_equal(ground_truth.xyxy, render(321)[1].xyxy)


def test_marks_move_with_the_strip_from_frame_to_frame():
    before, after = render(100)[1], render(101)[1]
    gaps = after.keypoints_xy[:, None, 0] - before.keypoints_xy[None, :, 0]
    moved = np.abs(gaps[..., 0] + SPEED_PX) < 1e-2  # to the left, on the first strip
    assert moved.any(1).sum() >= 2
    assert np.abs(gaps[moved][:, 1]).max() < 1.0


def test_both_kinds_of_mark_are_seen_on_every_strip_and_cut_ones_are_difficult():
    for start in range(0, FRAME_COUNT, FRAMES_PER_STRIP):
        seen: set[int] = set()
        for index in range(start, start + FRAMES_PER_STRIP, 20):
            ground_truth = render(index)[1]
            seen |= set(ground_truth.class_ids.tolist())
            sides = ground_truth.xyxy[:, 2:] - ground_truth.xyxy[:, :2]
            assert ((sides < 29.99).any(1) == ground_truth.difficult).all()
        assert seen == set(range(len(CLASS_NAMES)))
