"""Marks of keypoints: their size and colours, the hit test, and lines to the ground truth."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter, QTransform
from sample_results import GREY, detections, ground_truth, result

from kpviewer.overlay import OverlayStyle, array_of, keypoint_at, paint_overlay, readable, render
from kpviewer.overlay.keypoints import mark_diameters
from kpviewer.overlay.palette import class_color
from kpviewer.overlay.parts import keypoint_colors
from kpviewer.structures import Detections, GroundTruth, ImageArray

pytestmark = pytest.mark.usefixtures("qapp")

BOX = (100.0, 100.0, 300.0, 300.0)  # marks of 6 px
AT = (200.5, 200.5)
STYLE = OverlayStyle(boxes=False, labels=False, scores=False, verdicts=False)
SIZE_HW = (480, 640)
WHITE = (255, 255, 255)
FACE = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")


def painted(
    found: Detections, style: OverlayStyle = STYLE, targets: GroundTruth | None = None
) -> ImageArray:
    return render(result(found, size_hw=SIZE_HW, targets=targets), style)


def test_mark_has_a_white_core_a_coloured_disc_and_a_dark_ring():
    row = painted(detections([BOX], points=[[AT]]))[200]
    assert tuple(row[200]) == WHITE
    assert tuple(row[202]) == class_color(0)[::-1]
    assert (row[204] < GREY).all()
    assert (row[206] == GREY).all()


@pytest.mark.parametrize(
    ("side", "points", "scale", "expected"),
    [
        (100, 5, 1, 4),  # never smaller
        (200, 5, 1, 6),  # 3 % of the side
        (400, 5, 1, 12),
        (4000, 5, 1, 14),  # never larger
        (4000, 5, 2, 28),  # bounds scale as strokes do
        (200, 100, 1, 5),  # a quarter of the distance of 10 x 10 points
        (200, 400, 1, 2.5),
        (10, 5, 1, 2),  # unless the object is
    ],
)
def test_size_of_marks(side, points, scale, expected):
    style = replace(STYLE, scale=scale)
    box = np.array([[0, 0, side, side]])
    assert mark_diameters(box, points, style) == pytest.approx(expected)
    large = replace(style, dots=2.0)
    assert mark_diameters(box, points, large) == pytest.approx(2 * expected)


def test_marks_grow_with_the_zoom():
    found = detections([(10, 10, 60, 60)], points=[[(25, 25)]])
    widths = []
    for zoom in (4, 8):
        image = QImage(640, 480, QImage.Format.Format_BGR888)
        image.fill(0x808080)
        painter = QPainter(image)
        to_view = QTransform.fromScale(zoom, zoom)
        paint_overlay(painter, found, None, STYLE, to_view, QRectF(image.rect()))
        painter.end()
        widths.append(int((array_of(image)[25 * zoom] != GREY).any(axis=1).sum()))
    assert widths == [8, 14]  # 6 and 12 px, with a ring of 1 px


def test_left_and_right_and_the_parts_of_a_face_differ():
    colors = keypoint_colors(FACE, 5)
    assert len(set(colors)) == 5
    left, right = colors[0], colors[1]
    assert left[2] > left[0] and right[0] > right[2]  # bluish, orange


def test_names_are_read_in_several_spellings():
    usual = keypoint_colors(("left_eye", "right_knee"), 2)
    spellings = ("leftEye", "RightKnee"), ("L-eye", "r knee"), ("eye left", "knee.R")
    for names in (*spellings, ("LEye", "RKnee")):  # the last as in OpenPose
        assert keypoint_colors(names, 2) == usual


def test_points_without_known_names_have_stable_colours_by_index():
    assert keypoint_colors((), 3) == tuple(class_color(index) for index in range(3))
    many = keypoint_colors(tuple(str(index) for index in range(98)), 98)
    assert len(set(many)) > 90
    assert many == keypoint_colors((), 98)
    assert keypoint_colors(("centre",), 1) is None  # of the class


def test_names_for_people():
    assert readable("left_eye") == "left eye"


# -- the pointer -------------------------------------------------------------------------------

TWO = detections(
    [BOX, BOX], points=[[(150, 150), (250, 150)], [(150, 250), (250, 250)]], scores=[0.9, 0.8]
)


def test_pointer_finds_the_nearest_keypoint_within_reach():
    assert keypoint_at(TWO, STYLE, 247, 248, 5) == (1, 1)
    assert keypoint_at(TWO, STYLE, 247, 248, 3) is None
    assert keypoint_at(detections(), STYLE, 1, 1, 5) is None


def test_pointer_finds_only_what_is_drawn():
    assert keypoint_at(TWO, replace(STYLE, landmarks=False), 250, 250, 5) is None
    faint = replace(TWO, keypoint_scores=np.array([[0.9, 0.1], [0.9, 0.9]], np.float32))
    assert keypoint_at(replace(faint, keypoint_threshold=0.5), STYLE, 250, 150, 5) is None
    moved = replace(TWO, smoothed_xy=TWO.keypoints_xy + np.float32(20))
    assert keypoint_at(moved, replace(STYLE, smooth_landmarks=True), 270, 170, 5) == (0, 1)
    assert keypoint_at(moved, STYLE, 250, 150, 5) == (0, 1)
    lost = replace(TWO, keypoints_xy=np.full_like(TWO.keypoints_xy, np.nan))
    assert keypoint_at(lost, STYLE, 250, 150, 5) is None


# -- the error ---------------------------------------------------------------------------------


def test_line_of_the_true_length_leads_from_the_found_to_the_true_point():
    found = detections([BOX], points=[[AT]])
    image = painted(found, targets=ground_truth(BOX, (240.5, 200.5)))
    bright = np.flatnonzero((image[200] == WHITE).all(axis=1))
    assert bright.min() in (199, 200)  # the core of the mark
    assert 238 <= bright.max() <= 242  # a small cross
    assert set(range(206, 236)) <= set(bright.tolist())


def test_tiny_error_has_one_mark():
    found = detections([BOX], points=[[AT]])
    plain = painted(found)
    near = painted(found, targets=ground_truth(BOX, (205.0, 203.0)))
    assert (near == plain).all()


def test_missed_keypoint_is_a_cross_of_its_own():
    image = painted(detections(), targets=ground_truth(BOX, AT))
    assert tuple(image[200, 200]) == WHITE
    assert tuple(image[198, 198]) == tuple(image[202, 198]) == WHITE
    assert (image[200, 206:] == GREY).all()


def test_keypoint_that_is_not_predicted_has_no_line():
    found = detections([BOX], points=[[AT]], point_scores=[[0.1]])
    image = painted(found, targets=ground_truth(BOX, (240.5, 200.5)))
    assert (image[200, 206:234] == GREY).all()
    assert tuple(image[200, 240]) == WHITE


def test_error_is_that_of_the_raw_keypoints():
    found = detections([BOX], points=[[AT]])
    smoothed = replace(found, smoothed_xy=np.array([[[200.5, 150.5]]], np.float32))
    style = replace(STYLE, smooth_landmarks=True)
    image = painted(smoothed, style, targets=ground_truth(BOX, (240.5, 200.5)))
    assert (image[200, 206:236] == WHITE).all()


@pytest.mark.parametrize(
    "style", [replace(STYLE, landmarks=False), replace(STYLE, ground_truth=False)]
)
def test_error_lines_go_with_their_switches(style):
    found = detections([BOX], points=[[AT]])
    image = painted(found, style, targets=ground_truth(BOX, (240.5, 200.5)))
    assert (image[200, 206:] == GREY).all()


def test_other_numbers_of_keypoints_are_not_compared():
    found = detections([BOX], points=[[AT, (150, 150)]])
    image = painted(found, targets=ground_truth(BOX, (240.5, 200.5)))
    assert (image[200, 206:234] == GREY).all()
    assert tuple(image[200, 240]) == WHITE
