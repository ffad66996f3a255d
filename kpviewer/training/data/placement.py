"""Affine maps of an image and its objects: scale, rotation, mirror, shift and crop in one step.

Each image is resampled once, because a mosaic places up to sixteen of them. torchvision's
transforms would resample once for each change, and fill borders with one colour.
"""

import math
from dataclasses import dataclass

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, ImageArray
from kpviewer.training.data.samples import Sample

MIN_SIDE_PX = 5.0
"""Side below which objects are ignored: they have too few pixels to learn from."""
KEPT_SHARE = 0.45
"""Share of a box inside the image below which its object is ignored."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Map from source to output: mirror, scale, rotate about ``anchor_xy``, move to ``at_xy``."""

    anchor_xy: tuple[float, float]
    at_xy: tuple[float, float]
    scale: float
    angle_rad: float
    """Angle, clockwise in the image."""
    mirror: bool
    output_hw: tuple[int, int]

    def matrix(self) -> FloatArray:
        """Return the (2, 3) affine matrix in continuous pixels."""
        cos, sin = math.cos(self.angle_rad) * self.scale, math.sin(self.angle_rad) * self.scale
        flip = -1.0 if self.mirror else 1.0
        linear = np.array([[flip * cos, -sin], [flip * sin, cos]])
        shift = np.array(self.at_xy) - linear @ np.array(self.anchor_xy)
        return np.concatenate([linear, shift[:, None]], 1).astype(np.float32)


def place(sample: Sample, placement: Placement, swap: tuple[int, ...], border: int) -> Sample:
    """Map a sample into an output.

    Args:
        sample: image and objects.
        placement: the map.
        swap: index that each keypoint takes in a mirrored image; empty if none swaps.
        border: OpenCV border mode for pixels outside the source.

    Returns:
        A sample of ``placement.output_hw``. Boxes are those of the mapped inscribed ellipses,
        clipped. Objects that are mostly outside, or tiny, are marked ``ignore``; proposals that are
        outside or tiny are left out, and others stay, as a search in the output would cut them too.
    """
    matrix = placement.matrix()
    rgb = _warp(sample.rgb, matrix, placement, border)
    points = sample.points_xy @ matrix[:, :2].T + matrix[:, 2]
    labelled = sample.labelled
    if placement.mirror and swap:
        points, labelled = points[:, list(swap)], labelled[:, list(swap)]
    moved = move_boxes(sample.xyxy, matrix)
    height, width = placement.output_hw
    limit = np.array([width, height, width, height], np.float32)
    clipped = np.clip(moved, 0, limit)
    sides, whole = clipped[:, 2:] - clipped[:, :2], moved[:, 2:] - moved[:, :2]
    share = sides.prod(1) / np.maximum(whole.prod(1), 1e-6)
    visible = share > 0
    ignore = sample.ignore | (share < KEPT_SHARE) | (sides.min(1, initial=1e9) < MIN_SIDE_PX)
    inside = ((points >= 0) & (points < limit[:2])).all(-1)
    return Sample(
        rgb,
        clipped[visible],
        sample.class_ids[visible],
        points[visible].astype(np.float32),
        (labelled & inside)[visible],
        ignore[visible],
        _placed_proposals(sample.proposals_xyxy, matrix, limit),
    )


def _placed_proposals(xyxy: FloatArray, matrix: FloatArray, limit: FloatArray) -> FloatArray:
    """Map proposals, clip them, and leave out those without a side of MIN_SIDE_PX."""
    clipped = np.clip(move_boxes(xyxy, matrix), 0, limit)
    sides = clipped[:, 2:] - clipped[:, :2]
    return clipped[(sides >= MIN_SIDE_PX).all(1)]


def move_boxes(xyxy: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return the box of each box's inscribed ellipse after a (2, 3) affine map: (N, 4).

    A face is an ellipse rather than a rectangle: the box of the rotated corners would grow by up to
    a third at 30 degrees. For half axes a, b the half width is sqrt((m00 a)^2 + (m01 b)^2).
    """
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = (xyxy[:, 2:] - xyxy[:, :2]) / 2
    spread = np.sqrt((half**2) @ (matrix[:, :2] ** 2).T)
    return np.concatenate([centre - spread, centre + spread], 1).astype(np.float32)


def _warp(rgb: ImageArray, matrix: FloatArray, placement: Placement, border: int) -> ImageArray:
    """Resample; shrink by area averaging first, to prevent aliasing."""
    height, width = placement.output_hw
    if placement.scale < 0.75:
        rgb, matrix = _cropped(rgb, matrix, placement.output_hw)
        # rounded up, so that the ratio below stays at or under 1
        size = [max(1, math.ceil(side * placement.scale)) for side in rgb.shape[:2]]
        ratio = np.array([rgb.shape[1] / size[1], rgb.shape[0] / size[0]], np.float32)
        rgb = np.asarray(
            cv2.resize(rgb, (size[1], size[0]), interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix = np.concatenate([matrix[:, :2] * ratio, matrix[:, 2:]], 1)
    centres = matrix.astype(np.float64)  # OpenCV counts from pixel centres, kpviewer from corners
    centres[:, 2] += centres[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return np.asarray(
        cv2.warpAffine(
            rgb,
            centres,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=border,
            borderValue=(114, 114, 114),
        )
    )


def _cropped(
    rgb: ImageArray, matrix: FloatArray, output_hw: tuple[int, int]
) -> tuple[ImageArray, FloatArray]:
    """Cut out the part of the source that the output shows: the rest needn't be averaged."""
    height, width = output_hw
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    limit = np.array([rgb.shape[1], rgb.shape[0]])
    low = np.clip(np.floor(seen.min(0)).astype(int) - 4, 0, limit - 1)
    high = np.clip(np.ceil(seen.max(0)).astype(int) + 4, low + 1, limit)
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2] @ low
    return rgb[low[1] : high[1], low[0] : high[0]], shifted
