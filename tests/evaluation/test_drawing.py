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


def test_missed_objects_are_marked_in_reports() -> None:
    assert (corner(SPEC) == 255).any()


def test_reports_on_keypoint_models_mark_no_boxes() -> None:
    points = replace(SPEC, task=Task.KEYPOINTS, keypoint_names=("nose",))
    assert (corner(points) == GREY).all()
