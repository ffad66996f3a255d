"""Demo video: its ground truth matches the faces in every scene."""

import numpy as np
import pytest
from skimage.data import astronaut

from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.synthetic.demo_scene import FRAME_COUNT, HEIGHT, SCENES, WIDTH, render
from kpviewer.sources.synthetic.portraits import KEYPOINT_NAMES, MARGIN_PX, collins, hopper
from kpviewer.structures import GroundTruth, ImageArray

CUTS = np.cumsum([scene.frames for scene in SCENES])[:-1]


def painted(index: int) -> tuple[ImageArray, GroundTruth]:
    out = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return out, render(index, out)


def test_the_video_has_20_s_at_30_frames():
    info = DemoSource().open()
    assert (info.width, info.height, info.nominal_fps) == (640, 480, 30.0)
    assert info.frame_count == 600
    assert not info.is_live


def test_the_portrait_in_the_package_is_as_it_was_published():
    image = collins().canvas[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    assert np.array_equal(image[:, :, ::-1], astronaut())  # scikit-image ships the same


@pytest.mark.parametrize("index", range(0, FRAME_COUNT, 20))
def test_every_face_is_whole_and_its_points_are_inside_its_box(index):
    _, ground_truth = painted(index)
    assert len(ground_truth) in (1, 2)
    assert not ground_truth.difficult.any()
    assert ground_truth.keypoints_visible.all()
    for box, points in zip(ground_truth.xyxy, ground_truth.keypoints_xy, strict=True):
        assert (box[:2] >= 0).all()
        assert (box[2:] <= (WIDTH, HEIGHT)).all()
        assert (points > box[:2]).all()
        assert (points < box[2:]).all()


def test_points_come_in_the_named_order_left_being_the_viewers_left():
    _, ground_truth = painted(0)
    points = dict(zip(KEYPOINT_NAMES, ground_truth.keypoints_xy[0], strict=True))
    assert points["left_eye"][0] < points["nose"][0] < points["right_eye"][0]
    assert points["left_mouth"][0] < points["right_mouth"][0]
    assert points["left_eye"][1] < points["nose"][1] < points["left_mouth"][1]


@pytest.mark.parametrize("index", [0, 75, 130, 200, 280, 400, 440, 505, 530, 590])
def test_the_ground_truth_moves_with_the_image(index):
    """Each keypoint is found by its pixels within 1.5 px of the ground truth."""
    image, ground_truth = painted(index)
    for box, points in zip(ground_truth.xyxy, ground_truth.keypoints_xy, strict=True):
        portrait = min((hopper(), collins()), key=lambda one: _shape_error(one.points_xy, points))
        assert _shape_error(portrait.points_xy, points) < 1e-3
        _expect_same_patch(portrait.canvas, portrait.points_xy, image, points)
        assert box[3] - box[1] > 40


def _shape_error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the deviation of two point sets after rotation, shift and scaling."""
    a = (ours - ours.mean(0)) @ np.array([1, 1j])
    b = (theirs - theirs.mean(0)) @ np.array([1, 1j])
    return 1 - abs(np.vdot(a, b)) / (np.linalg.norm(a) * np.linalg.norm(b))


def _expect_same_patch(
    canvas: ImageArray, source_xy: np.ndarray, image: ImageArray, points_xy: np.ndarray
) -> None:
    """Transform the face to the portrait's pose, and find each keypoint at its position."""
    back, _ = cv2.estimateAffinePartial2D(points_xy - 0.5, source_xy + MARGIN_PX - 0.5)
    turned = cv2.warpAffine(image, back, canvas.shape[1::-1], flags=cv2.INTER_LINEAR)
    for x, y in (source_xy + MARGIN_PX).astype(int):
        ours = canvas[y - 14 : y + 15, x - 14 : x + 15]
        match = cv2.matchTemplate(
            turned[y - 20 : y + 21, x - 20 : x + 21], ours, cv2.TM_CCOEFF_NORMED
        )
        _, best, _, (dx, dy) = cv2.minMaxLoc(match)
        assert best > 0.8
        assert max(abs(dx - 6), abs(dy - 6)) <= 1


@pytest.mark.parametrize("index", [i for i in range(5, FRAME_COUNT, 15) if i not in CUTS])
def test_the_camera_moves_smoothly_between_the_cuts(index):
    before, after = painted(index - 1)[1], painted(index)[1]
    assert np.abs(after.keypoints_xy - before.keypoints_xy).max() < 6


def test_a_frame_depends_on_its_number_alone():
    first, _ = painted(321)
    painted(17)
    again, ground_truth = painted(321)
    assert np.array_equal(first, again)
    assert np.array_equal(ground_truth.xyxy, painted(321)[1].xyxy)


def test_the_buffer_may_be_reused_for_the_next_frame():
    out = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    render(200, out)
    clean, _ = painted(200)
    assert np.array_equal(out, clean)
