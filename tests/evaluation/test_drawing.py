"""What is drawn on the images of a report."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC
from sample_results import GREY, detections, ground_truth

from kpviewer.evaluation.drawing import draw_on
from kpviewer.models.spec import ModelSpec, Task

pytestmark = pytest.mark.usefixtures("qapp")

BOX = (100.0, 100.0, 200.0, 180.0)
SPEC = replace(FAKE_SPEC, class_names=("ace", "king"))


def corner(spec: ModelSpec) -> np.ndarray:
    """Return the pixels beyond the lower right corner of a missed object."""
    bgr = np.full((300, 400, 3), GREY, np.uint8)
    drawn = draw_on(bgr, 1.0, ground_truth(BOX, (150, 140)), detections(), spec)
    return drawn[182:190, 202:210]


def test_missed_objects_are_marked_in_reports():
    assert (corner(SPEC) == 255).any()


def test_centres_within_the_distance_are_drawn_as_matched_at_every_scale():
    shifted = detections([(160.0, 100.0, 260.0, 180.0)])  # 60 px off, IoU 0.25
    truth, bgr = ground_truth(BOX, (150, 140)), np.full((150, 200, 3), GREY, np.uint8)
    by_iou, near, too_far = (
        draw_on(bgr, 0.5, truth, shifted, SPEC, within_px) for within_px in (None, 61.0, 59.0)
    )
    assert (too_far == by_iou).all()
    assert (near != by_iou).any()


def test_outlines_are_scaled_with_the_image():
    diamond = np.array([[[150, 50], [250, 150], [150, 250], [50, 150]]], np.float32)
    found = replace(detections([(50, 50, 250, 250)]), outlines_xy=diamond)
    truth = replace(ground_truth((50, 50, 250, 250), (150, 150)), outlines_xy=diamond)
    bgr = np.full((200, 200, 3), GREY, np.uint8)
    small = replace(found, xyxy=found.xyxy / 2, outlines_xy=diamond / 2)
    true = replace(truth, xyxy=truth.xyxy / 2, outlines_xy=diamond / 2)
    true = replace(true, keypoints_xy=truth.keypoints_xy / 2)
    halved, already = (
        draw_on(bgr, *given, SPEC) for given in ((0.5, truth, found), (1.0, true, small))
    )
    assert (halved == already).all()
    assert (halved[50, 100 - 3 : 100 + 50] != GREY).any(), "a side of the diamond"


def test_a_low_image_has_no_legend_over_its_marks():
    truth = ground_truth((10.0, 5.0, 40.0, 35.0), (25, 20))
    low, high = (
        draw_on(np.full((height, 400, 3), GREY, np.uint8), 1.0, truth, detections(), SPEC)
        for height in (66, 300)
    )
    assert (low[:, 200:] == GREY).all()
    assert (high[:, 200:] != GREY).any()


def test_reports_on_keypoint_models_mark_no_boxes():
    points = replace(SPEC, task=Task.KEYPOINTS, keypoint_names=("nose",))
    assert (corner(points) == GREY).all()
