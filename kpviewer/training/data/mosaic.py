"""Composition of training images from several: more objects, sizes and positions than any has.

There are three kinds. A *scene* is one image as it is framed. A *grid* tiles 1, 4, 9 or 16 images.
A *paste* puts cut-out faces on a background. Sizes of objects are drawn log-uniformly: a detector
meets small and large ones alike, whereas data sets don't.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kpviewer.errors import DatasetError
from kpviewer.geometry import intersection
from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, ImageArray
from kpviewer.training.data.placement import Placement, place
from kpviewer.training.data.samples import Sample, concatenate, only, shifted
from kpviewer.training.ranges import Degrees, NotNegative, Positive, Share

Draw = Callable[[], Sample]
"""Function that returns a random image of the data set."""


@dataclass(frozen=True, slots=True)
class MosaicOptions:
    """Options of the composition of images."""

    scene_share: Share = 0.2
    paste_share: Share = 0.25
    """Share of pastes; the rest are grids."""
    grid_weights: tuple[NotNegative, ...] = (0.25, 0.4, 0.2, 0.15)
    """Sampling weights of 1x1, 2x2, 3x3 and 4x4 grids; a fifth entry weighs 5x5 grids, etc."""
    level_share: Share = 0.1
    """Share of tiles that show an image as it is framed, rather than one of its objects."""
    half_share: Share = 0.0
    """Share of objects of which half may be outside the image; of the others, at most a seventh."""
    rotation_deg: Degrees = 30.0
    """Largest rotation."""
    turned_share: Share = 0.0
    """Share of objects with a rotation of up to 180 degrees either way."""
    min_object_px: Positive = 9.0
    """Smallest size of an object: the square root of its box's area."""
    max_enlargement: Positive = 4.0
    """Largest scale of objects."""
    max_scene_enlargement: Positive = 2.0
    """Largest scale of scenes."""

    def __post_init__(self) -> None:
        """Check that some grid can be drawn."""
        if not sum(self.grid_weights):
            raise DatasetError(
                f"mosaic.grid_weights must have a sum above 0, got {list(self.grid_weights)}."
            )


class Mosaic:
    """Composes images; its options are its only state."""

    def __init__(self, options: MosaicOptions, swap: tuple[int, ...]) -> None:
        self._options = options
        self._swap = swap

    def compose(
        self, draw: Draw, background: Draw, hw: tuple[int, int], rng: np.random.Generator
    ) -> Sample:
        """Compose one image."""
        kind = rng.random()
        if kind < self._options.scene_share:
            sample = draw()
            if _cover(sample, hw) <= self._options.max_scene_enlargement:
                return self._scene(sample, hw, rng)
            return self._tile(sample, background, hw, rng)
        if kind < self._options.scene_share + self._options.paste_share:
            return self._pasted(draw, background, hw, rng)
        return self._grid(draw, background, hw, rng)

    def _angle(self, rng: np.random.Generator) -> float:
        """Draw an angle: 0 for half of the images; small angles are more frequent."""
        turned = self._options.turned_share
        if turned and rng.random() < turned:
            return float(rng.uniform(-math.pi, math.pi))
        if rng.random() < 0.5:
            return 0.0
        limit = math.radians(self._options.rotation_deg)
        return float(np.clip(rng.normal(0, limit / 2), -limit, limit))

    def _scene(self, sample: Sample, hw: tuple[int, int], rng: np.random.Generator) -> Sample:
        """Crop an image at a scale at which it covers the output."""
        scale = _cover(sample, hw) * math.exp(rng.uniform(0, math.log(1.8)))
        room = [size * scale - out for size, out in zip(sample.hw, hw, strict=True)]
        corner = [rng.uniform(0, max(0.0, space)) / scale for space in room]
        anchor = (corner[1] + hw[1] / 2 / scale, corner[0] + hw[0] / 2 / scale)
        mirror = bool(rng.random() < 0.5)  # about the centre of the crop, which keeps it inside
        placement = Placement(anchor, (hw[1] / 2, hw[0] / 2), scale, 0.0, mirror, hw)
        return place(sample, placement, self._swap, cv2.BORDER_REFLECT_101)

    def _grid(
        self, draw: Draw, background: Draw, hw: tuple[int, int], rng: np.random.Generator
    ) -> Sample:
        weights = np.array(self._options.grid_weights)
        cells = int(rng.choice(len(weights), p=weights / weights.sum())) + 1
        rows, columns = (np.round(np.linspace(0, side, cells + 1)).astype(int) for side in hw)
        if cells == 2:  # uneven quarters: more sizes, and borders that aren't always central
            share = rng.uniform(0.3, 0.7)
            rows[1], columns[1] = (int(side * share) for side in hw)
        canvas = np.empty((*hw, 3), np.uint8)
        parts = []
        for top, bottom in pairwise(rows):
            for left, right in pairwise(columns):
                tile_hw = (int(bottom - top), int(right - left))
                tile = self._tile(draw(), background, tile_hw, rng)
                canvas[top:bottom, left:right] = tile.rgb
                parts.append(shifted(tile, float(left), float(top)))
        return concatenate(canvas, parts)

    def _tile(
        self, sample: Sample, background: Draw, hw: tuple[int, int], rng: np.random.Generator
    ) -> Sample:
        """Show one object of an image in a tile, at a random size and position."""
        faces = np.flatnonzero(~sample.ignore)
        if len(faces) == 0 or rng.random() < self._options.level_share:
            return self._scene(sample, hw, rng)
        # objects fill much of a tile; smaller ones come from grids with more cells
        low = max(self._options.min_object_px, 0.15 * min(hw))
        placement = self._object_placement(sample, int(rng.choice(faces)), hw, low, rng)
        tile = place(sample, placement, self._swap, cv2.BORDER_CONSTANT)
        cover = _coverage(sample, placement)
        if cover.all():
            return tile
        rgb = tile.rgb
        if rng.random() < 0.6:
            behind = self._scene(background(), hw, rng).rgb
        else:
            behind = np.full_like(rgb, rng.integers(0, 256, 3 if rng.random() < 0.5 else 1))
        return concatenate(np.where(cover[..., None], rgb, behind), [tile])

    def _object_placement(
        self, sample: Sample, index: int, hw: tuple[int, int], low: float, rng: np.random.Generator
    ) -> Placement:
        """Draw a placement of an object: a size of at least ``low`` px, a position in ``hw``."""
        box = sample.xyxy[index]
        size = float(np.sqrt((box[2:] - box[:2]).prod()))
        high = max(low * 1.2, min(0.95 * min(hw), size * self._options.max_enlargement))
        target = math.exp(rng.uniform(math.log(low), math.log(high)))
        centre = (box[:2] + box[2:]) / 2
        # faces cut by the border occur in use too
        inside = 0.0 if rng.random() < self._options.half_share else 0.7
        reach = [(side - target * inside) / 2 for side in hw]
        at = [
            side / 2 + rng.uniform(-1, 1) * max(0.0, r) for side, r in zip(hw, reach, strict=True)
        ]
        return Placement(
            (float(centre[0]), float(centre[1])),
            (at[1], at[0]),
            target / size,
            self._angle(rng),
            bool(rng.random() < 0.5),
            hw,
        )

    def _pasted(
        self, draw: Draw, background: Draw, hw: tuple[int, int], rng: np.random.Generator
    ) -> Sample:
        """Paste one to twelve cut-out faces, hair and chin included, on a background."""
        canvas = self._scene(background(), hw, rng)
        rgb, parts = canvas.rgb, [canvas]
        for _ in range(int(rng.integers(1, 13))):
            sample = draw()
            faces = np.flatnonzero(~sample.ignore)
            if len(faces) == 0:
                continue
            index = int(rng.choice(faces))
            low = self._options.min_object_px
            placement = self._object_placement(sample, index, hw, low, rng)
            one = only(sample, index)
            moved = place(one, placement, self._swap, cv2.BORDER_REPLICATE)
            if len(moved.xyxy) == 0 or _touches(moved.xyxy, parts):
                continue
            rgb = _blend(rgb, moved, _coverage(sample, placement), rng)
            parts.append(moved)
        return concatenate(rgb, parts)


def _cover(sample: Sample, hw: tuple[int, int]) -> float:
    """Return the scale at which an image just covers (h, w)."""
    return max(out / size for out, size in zip(hw, sample.hw, strict=True))


def _touches(xyxy: FloatArray, parts: list[Sample]) -> bool:
    """Return whether a box, with the hair around it, would overlap an earlier one."""
    grown = xyxy + (xyxy[:, 2:] - xyxy[:, :2]).repeat(2, 0).reshape(-1, 4) * [-0.3, -0.3, 0.3, 0.3]
    earlier = np.concatenate([part.xyxy for part in parts])
    return bool((intersection(grown.astype(np.float32), earlier) > 0).any())


def _blend(
    rgb: ImageArray, face: Sample, cover: FloatArray, rng: np.random.Generator
) -> ImageArray:
    """Blend an ellipse around the face into the image; it ends where the source image ended."""
    box = face.xyxy[0]
    centre, side = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    axes = side * np.array([rng.uniform(0.6, 0.9), rng.uniform(0.62, 0.95)])
    mask = np.zeros(rgb.shape[:2], np.uint8)
    cv2.ellipse(
        mask, (tuple(map(float, centre)), tuple(map(float, axes * 2)), 0.0), 255, -1, cv2.LINE_AA
    )
    width = max(1, int(side.min() * rng.uniform(0.03, 0.12))) * 2 + 1
    alpha = cv2.blur(mask, (width, width))[..., None] / 255.0 * cover[..., None]
    return np.asarray(rgb * (1 - alpha) + face.rgb * alpha, np.uint8)


def _coverage(sample: Sample, placement: Placement) -> FloatArray:
    """Return where the output shows the source rather than its border: (H, W) bool."""
    height, width = sample.hw
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = placement.matrix()
    outline = corners @ matrix[:, :2].T + matrix[:, 2] - 0.5
    mask = np.zeros(placement.output_hw, np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    return mask.astype(np.bool_)
