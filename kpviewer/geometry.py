"""Geometry of boxes and letterboxes on numpy arrays: pure functions.

Coordinates are continuous pixels: a pixel (column i, row j) covers [i, i+1) x [j, j+1), so a resize
by s maps x to s*x. ``models.networks.boxes`` has torch versions of some functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kpviewer.structures import FloatArray

_FEWEST_CORNERS = 3
"""Number of corners of a ring."""
_LEAST_PART = 0.02
"""Area of the smallest part or hole of a mask that is kept, as share of the largest part."""


def xywh_to_xyxy(xywh: FloatArray) -> FloatArray:
    """Convert (..., 4) left, top, width, height to (..., 4) corners."""
    return np.concatenate([xywh[..., :2], xywh[..., :2] + xywh[..., 2:]], axis=-1)


def xyxy_to_xywh(xyxy: FloatArray) -> FloatArray:
    """Convert (..., 4) corners to (..., 4) left, top, width, height."""
    return np.concatenate([xyxy[..., :2], xyxy[..., 2:] - xyxy[..., :2]], axis=-1)


def box_centres(xyxy: FloatArray) -> FloatArray:
    """Return the centres of (N, 4) boxes: (N, 2)."""
    return np.asarray((xyxy[:, :2] + xyxy[:, 2:]) / 2, np.float32)


def largest_parts(areas: NDArray[np.float64], most: int) -> list[int]:
    """Return the rows of the parts and holes of a mask that are worth their corners, largest first.

    Args:
        areas: (N,) areas of the parts and holes.
        most: largest number of rows.
    """
    rows = np.argsort(-areas, kind="stable")[:most]
    kept: list[int] = rows[areas[rows] > _LEAST_PART * areas.max(initial=0)].tolist()
    return kept


def bridged(rings: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return one polygon with the area of several rings, joined by bridges without width.

    Args:
        rings: (V, 2) corners of each, at least one; holes turn the other way.

    Returns:
        (W, 2) corners: those of all, and two more for each bridge.
    """
    whole = rings[0]
    for ring in rings[1:]:
        gaps = np.linalg.norm(whole[:, None] - ring, axis=2)
        here, there = np.unravel_index(gaps.argmin(), gaps.shape)
        around = np.roll(ring, -there, axis=0)
        whole = np.concatenate([whole[: here + 1], around, around[:1], whole[here:]])
    return whole


def rings_of(polygon: Sequence[tuple[float, float]]) -> list[Sequence[tuple[float, float]]]:
    """Return the rings that ``bridged`` joined, by their corners; or the polygon itself.

    A bridge is a side that the polygon goes along twice, there and back.
    """
    places: dict[tuple[tuple[float, float], tuple[float, float]], int] = {}
    for end, side in enumerate(pairwise(polygon)):
        start = places.get(side[::-1], end)
        if end - start > _FEWEST_CORNERS:
            inner = polygon[start + 1 : end]
            return rings_of([*polygon[: start + 1], *polygon[end + 2 :]]) + rings_of(inner)
        places[side] = end
    return [polygon]


def box_area(xyxy: FloatArray) -> FloatArray:
    """Return the area of (..., 4) boxes, px^2; 0 for inverted boxes."""
    sides = np.maximum(xyxy[..., 2:] - xyxy[..., :2], 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def intersection(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Return the shared area, px^2, of pairs of (..., N, 4) and (..., M, 4) boxes: (..., N, M)."""
    return shared_of_sides(*_paired(a_xyxy, b_xyxy))


def iou_matrix(a_xyxy: FloatArray, b_xyxy: FloatArray) -> FloatArray:
    """Return the IoU of each pair of (..., N, 4) and (..., M, 4) boxes: (..., N, M) in [0, 1].

    Two boxes of zero area have IoU 0.
    """
    return iou_of_sides(*_paired(a_xyxy, b_xyxy))


def sides_of(xyxy: FloatArray) -> tuple[FloatArray, ...]:
    """Return left, top, right, bottom and area of (..., 4) boxes: (...) each."""
    return (*(np.ascontiguousarray(xyxy[..., side]) for side in range(4)), box_area(xyxy))


def iou_of_sides(one: Sequence[FloatArray], other: Sequence[FloatArray]) -> FloatArray:
    """Return the IoU of boxes by ``sides_of``, of shapes that broadcast; as ``iou_matrix``."""
    shared = shared_of_sides(one, other)
    union = one[4] + other[4]
    union -= shared
    shared /= np.maximum(union, 1e-9, out=union)
    return shared


def _paired(
    a_xyxy: FloatArray, b_xyxy: FloatArray
) -> tuple[Sequence[FloatArray], Sequence[FloatArray]]:
    """Return the sides of (..., N, 4) and (..., M, 4) boxes, in shapes that broadcast to pairs.

    Each side is contiguous: numpy computes with columns of boxes at half the speed.
    """
    one = sides_of(a_xyxy)
    other = one if b_xyxy is a_xyxy else sides_of(b_xyxy)
    return [side[..., :, None] for side in one], [side[..., None, :] for side in other]


def shared_of_sides(one: Sequence[FloatArray], other: Sequence[FloatArray]) -> FloatArray:
    """Return the shared area of boxes by ``sides_of``, of shapes that broadcast, px^2."""
    shared = np.minimum(one[2], other[2])
    shared -= np.maximum(one[0], other[0])
    np.maximum(shared, 0, out=shared)
    height = np.minimum(one[3], other[3])
    height -= np.maximum(one[1], other[1])
    shared *= np.maximum(height, 0, out=height)
    return shared


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Transform between source image and network input.

    input = source * scale + (left, top), with separate scales for x and y. The rest of the input is
    padding. ``fit`` and ``fit_area`` keep the aspect ratio; ``stretch`` fills the input.
    """

    scale_x: float
    scale_y: float
    left: int
    top: int
    resized_hw: tuple[int, int]
    input_hw: tuple[int, int]

    @classmethod
    def fit(
        cls,
        source_hw: tuple[int, int],
        limit_hw: tuple[int, int],
        stride: int | None = None,
        *,
        is_centred: bool = True,
        content_hw: tuple[int, int] | None = None,
    ) -> Letterbox:
        """Fit an image into ``limit_hw``.

        Args:
            source_hw: height and width of the image, px.
            limit_hw: largest input, px.
            stride: with it the input is only as large as the image needs, rounded up to a
                multiple of it; without it the input is ``limit_hw``.
            is_centred: whether padding is on both sides and sides are rounded to the nearest
                pixel; otherwise the image is at the top left and sides are rounded down.
            content_hw: largest size of the image within the input, px; None: ``limit_hw``.

        Raises:
            ValueError: if a side is not positive.
        """
        if min(*source_hw, *limit_hw) < 1:
            raise ValueError(f"sides must be at least 1 px, got {source_hw} into {limit_hw}")
        source_height, source_width = source_hw
        content_height, content_width = content_hw or limit_hw
        scale = min(content_height / source_height, content_width / source_width)
        to_whole = round if is_centred else int
        height, width = (max(1, to_whole(side * scale)) for side in source_hw)
        input_height, input_width = limit_hw
        if stride is not None:
            input_height = min(limit_hw[0], -(-height // stride) * stride)
            input_width = min(limit_hw[1], -(-width // stride) * stride)
        return cls(
            width / source_width,  # not quite ``scale``: sides are whole pixels
            height / source_height,
            (input_width - width) // 2 if is_centred else 0,
            (input_height - height) // 2 if is_centred else 0,
            (height, width),
            (input_height, input_width),
        )

    @classmethod
    def fit_area(
        cls, source_hw: tuple[int, int], like_hw: tuple[int, int], stride: int
    ) -> Letterbox:
        """Fit an image as large as possible into at most as many input pixels as ``like_hw`` has.

        Args:
            source_hw: height and width of the image, px.
            like_hw: size of an input that costs as much as this one may, px; multiples of
                ``stride``.
            stride: divisor of the input's sides, px.

        Raises:
            ValueError: if a side is not positive.
        """
        area = like_hw[0] * like_hw[1]
        limits = [
            (height, area // height // stride * stride)
            for height in range(stride, area // stride + 1, stride)
        ]
        boxes = [cls.fit(source_hw, limit, stride) for limit in limits]
        return max(boxes, key=lambda box: box.resized_hw)

    @classmethod
    def stretch(cls, source_hw: tuple[int, int], input_hw: tuple[int, int]) -> Letterbox:
        """Fill the input with the image without padding; the aspect ratio may change.

        Raises:
            ValueError: if a side is not positive.
        """
        if min(*source_hw, *input_hw) < 1:
            raise ValueError(f"sides must be at least 1 px, got {source_hw} into {input_hw}")
        (source_height, source_width), (height, width) = source_hw, input_hw
        return cls(width / source_width, height / source_height, 0, 0, input_hw, input_hw)

    def to_input(self, source_xy: FloatArray) -> FloatArray:
        """Map (..., 2) or (..., 4) source coordinates to input pixels."""
        return np.asarray(source_xy * self._scale(source_xy) + self._offset(source_xy), np.float32)

    def to_source(self, input_xy: FloatArray) -> FloatArray:
        """Map (..., 2) or (..., 4) input coordinates to source pixels."""
        return np.asarray((input_xy - self._offset(input_xy)) / self._scale(input_xy), np.float32)

    def _scale(self, like: FloatArray) -> FloatArray:
        pairs = like.shape[-1] // 2
        return np.array([self.scale_x, self.scale_y] * pairs, np.float32)

    def _offset(self, like: FloatArray) -> FloatArray:
        pairs = like.shape[-1] // 2
        return np.array([self.left, self.top] * pairs, np.float32)
