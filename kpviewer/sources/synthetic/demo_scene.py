"""Frames of the demo: portraits under a moving virtual camera.

Each frame is a pure function of its number, which makes its ground truth exact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.portraits import BACKDROP_BGR, MARGIN_PX, Portrait, collins, hopper
from kpviewer.structures import BoolArray, FloatArray, GroundTruth, ImageArray

WIDTH, HEIGHT = 640, 480
SMALLEST_FACE_PX = 12
"""Length of the shorter side below which a face is difficult."""


class Pose(NamedTuple):
    """Position and light of a portrait in its panel."""

    face_x: float
    """Centre of the face, as a fraction of the panel's width."""
    face_y: float
    """Centre of the face, as a fraction of the panel's height."""
    face_height: float
    """Height of the face, as a fraction of the panel's height."""
    angle_deg: float = 0.0
    """Clockwise rotation."""
    brightness: float = 1.0
    blur_px: float = 0.0
    """Standard deviation of the Gaussian blur."""


@dataclass(frozen=True, slots=True)
class Shot:
    """Portrait in a panel of the image, with a camera that moves through poses."""

    portrait: Callable[[], Portrait]
    panel: tuple[int, int, int, int]
    """Left, top, right and bottom of the panel, px."""
    poses: tuple[Pose, ...]

    def pose_at(self, moment: float) -> Pose:
        """Interpolate the poses at ``moment``, from 0 to 1 over the scene."""
        return Pose(*_catmull_rom(np.array(self.poses, np.float64), moment))


@dataclass(frozen=True, slots=True)
class Scene:
    """Shots between two cuts; later ones cover earlier ones."""

    frames: int
    shots: tuple[Shot, ...]


_WHOLE = (0, 0, WIDTH, HEIGHT)
_LEFT, _RIGHT = (8, 8, 316, HEIGHT - 8), (324, 8, WIDTH - 8, HEIGHT - 8)
_INSET = (WIDTH - 202, HEIGHT - 174, WIDTH - 14, HEIGHT - 14)

SCENES = (
    Scene(
        150,
        (
            Shot(
                hopper,
                _WHOLE,
                (
                    Pose(0.50, 0.47, 0.38),
                    Pose(0.46, 0.48, 0.48, -7),
                    Pose(0.53, 0.50, 0.56, 8, 0.85),
                    Pose(0.51, 0.48, 0.46, 2),
                ),
            ),
        ),
    ),
    Scene(
        120,
        (
            Shot(
                hopper,
                _LEFT,
                (Pose(0.50, 0.45, 0.38, 4), Pose(0.48, 0.46, 0.44, -5), Pose(0.53, 0.45, 0.40, 6)),
            ),
            Shot(
                collins,
                _RIGHT,
                (Pose(0.50, 0.42, 0.32), Pose(0.53, 0.44, 0.42, 8), Pose(0.47, 0.43, 0.36, -4)),
            ),
        ),
    ),
    Scene(
        150,
        (
            Shot(
                collins,
                _WHOLE,
                (
                    Pose(0.40, 0.40, 0.24),
                    Pose(0.52, 0.44, 0.33, 9),
                    Pose(0.56, 0.46, 0.44, -4, 0.55),
                    Pose(0.47, 0.46, 0.50, -12),
                    Pose(0.45, 0.44, 0.38, 0),
                ),
            ),
        ),
    ),
    Scene(
        90,
        (
            Shot(collins, _WHOLE, (Pose(0.36, 0.42, 0.34), Pose(0.32, 0.45, 0.42, 6))),
            Shot(
                hopper,
                _INSET,
                (Pose(0.50, 0.52, 0.58, -3), Pose(0.48, 0.54, 0.64, 4), Pose(0.52, 0.52, 0.56)),
            ),
        ),
    ),
    Scene(
        90,
        (
            Shot(
                hopper,
                _WHOLE,
                (
                    Pose(0.45, 0.50, 0.46, -10),
                    Pose(0.50, 0.50, 0.52, -20, 1.0, 0.8),
                    Pose(0.54, 0.48, 0.44, 6, 0.9, 2.2),
                    Pose(0.50, 0.47, 0.38),
                ),
            ),
        ),
    ),
)
_BACKDROP = np.full((HEIGHT, WIDTH, 3), BACKDROP_BGR, np.uint8)

FRAME_COUNT = sum(scene.frames for scene in SCENES)


def render(index: int, out: ImageArray) -> GroundTruth:
    """Paint a frame and return its ground truth.

    Args:
        index: frame number in [0, FRAME_COUNT).
        out: (HEIGHT, WIDTH, 3) uint8 BGR, overwritten.

    Returns:
        The faces, with the points of ``portraits.KEYPOINT_NAMES``; class 0.
    """
    scene, moment = _scene_at(index)
    if scene.shots[0].panel != _WHOLE:
        np.copyto(out, _BACKDROP)
    for shot in scene.shots:
        _paint(shot, moment, out)
    return ground_truth_at(index)


def ground_truth_at(index: int) -> GroundTruth:
    """Return the ground truth of a frame without painting it; see ``render``."""
    scene, moment = _scene_at(index)
    faces = [_face_of(shot, moment) for shot in scene.shots]
    return _ground_truth([face for face in faces if face is not None])


def _scene_at(index: int) -> tuple[Scene, float]:
    for scene in SCENES:
        if index < scene.frames:
            return scene, index / (scene.frames - 1)
        index -= scene.frames
    raise IndexError(f"the demo has frames 0 to {FRAME_COUNT - 1}")


class _Face(NamedTuple):
    xyxy: FloatArray
    points_xy: FloatArray
    visible: BoolArray
    difficult: bool


def _face_of(shot: Shot, moment: float) -> _Face | None:
    left, top, right, bottom = shot.panel
    portrait = shot.portrait()
    matrix = _view(portrait, shot.pose_at(moment), (right - left, bottom - top))
    return _face(portrait, _affine(1.0, (left, top)) @ matrix, shot.panel)


def _paint(shot: Shot, moment: float, out: ImageArray) -> None:
    portrait, pose = shot.portrait(), shot.pose_at(moment)
    left, top, right, bottom = shot.panel
    matrix = _view(portrait, pose, (right - left, bottom - top))
    panel = out[top:bottom, left:right]
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    canvas, size = (portrait.canvas, 1.0) if scale > 0.6 else (portrait.half_canvas, 0.5)
    cv2.warpAffine(
        canvas,
        _pixel_centres(matrix @ _affine(1 / size, -MARGIN_PX)),
        (right - left, bottom - top),
        dst=panel,
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if pose.blur_px > 0.3:
        cv2.GaussianBlur(panel, (0, 0), pose.blur_px, dst=panel)
    if pose.brightness < 0.995:
        cv2.convertScaleAbs(panel, dst=panel, alpha=pose.brightness)


def _view(portrait: Portrait, pose: Pose, panel_wh: tuple[int, int]) -> FloatArray:
    """Return the (3, 3) similarity from image to panel pixels for a pose."""
    x1, y1, x2, y2 = portrait.face_xyxy
    scale = pose.face_height * panel_wh[1] / (y2 - y1)
    angle = np.deg2rad(pose.angle_deg)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], np.float32)
    target = np.array([pose.face_x * panel_wh[0], pose.face_y * panel_wh[1]], np.float32)
    turn[:2, 2] = target - turn[:2, :2] @ np.array([(x1 + x2) / 2, (y1 + y2) / 2], np.float32)
    return turn


def _affine(scale: float, shift: float | tuple[float, float]) -> FloatArray:
    matrix = np.diag([scale, scale, 1.0]).astype(np.float32)
    matrix[:2, 2] = shift
    return matrix


def _pixel_centres(matrix: FloatArray) -> FloatArray:
    """Convert a transform to OpenCV's coordinates, where (0, 0) is a pixel's centre."""
    return np.asarray((_affine(1.0, -0.5) @ matrix @ _affine(1.0, 0.5))[:2], np.float32)


def _face(
    portrait: Portrait, to_frame: FloatArray, panel: tuple[int, int, int, int]
) -> _Face | None:
    """Transform a portrait's annotation to the frame; None if the face is outside its panel."""
    points = portrait.points_xy @ to_frame[:2, :2].T + to_frame[:2, 2]  # (5, 2)
    whole = _turned_box(portrait.face_xyxy, to_frame)
    low, high = np.array(panel[:2], np.float32), np.array(panel[2:], np.float32)
    seen = np.concatenate([np.maximum(whole[:2], low), np.minimum(whole[2:], high)])
    sides = np.clip(seen[2:] - seen[:2], 0, None)
    share = float(sides.prod() / (whole[2:] - whole[:2]).prod())
    if share == 0:
        return None
    visible = np.all((points >= low) & (points < high), axis=1)  # (5,)
    difficult = share < 0.5 or float(sides.min()) < SMALLEST_FACE_PX
    return _Face(seen, points.astype(np.float32), visible, difficult)


def _turned_box(xyxy: FloatArray, to_frame: FloatArray) -> FloatArray:
    """Return the bounds of the rotated ellipse in a box; the rotated box would be too large."""
    centre = to_frame[:2, :2] @ ((xyxy[:2] + xyxy[2:]) / 2) + to_frame[:2, 2]
    half = np.hypot(*(to_frame[:2, :2] * (xyxy[2:] - xyxy[:2]) / 2).T)  # (2,)
    return np.asarray(np.concatenate([centre - half, centre + half]), np.float32)


def _ground_truth(faces: list[_Face]) -> GroundTruth:
    if not faces:
        return GroundTruth.empty(5)
    return GroundTruth(
        np.stack([face.xyxy for face in faces]),
        np.zeros(len(faces), np.int64),
        np.stack([face.points_xy for face in faces]),
        np.stack([face.visible for face in faces]),
        np.array([face.difficult for face in faces], np.bool_),
    )


def _catmull_rom(keys: FloatArray, moment: float) -> list[float]:
    """Interpolate (N, P) keys smoothly at ``moment`` in [0, 1]; the ends are clamped."""
    position = min(max(moment, 0.0), 1.0) * (len(keys) - 1)
    start = min(int(position), len(keys) - 2)
    t = position - start
    before, a, b, after = (keys[min(max(start + i, 0), len(keys) - 1)] for i in (-1, 0, 1, 2))
    curve = 2 * a + (b - before) * t + (2 * before - 5 * a + 4 * b - after) * t**2
    curve += (3 * a - before - 3 * b + after) * t**3
    return [float(value) for value in curve / 2]
