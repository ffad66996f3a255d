"""Generated images of a glowing steel strip with two kinds of defect, and exact ground truth.

A ``StripWorld`` is a random strip with clamps, dust and marks. ``expose`` renders an image of it
from a position, with given light, focus and noise. Until then the strip is a single plane of
brightness; a colour table of glowing steel makes the image.

The mark ``fi`` is a dark pit with a bright crescent, anywhere on the strip. The mark ``hb`` is a
dark notch with a bright rim in a long edge. Both fill about 24 of the 30 px of their box.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, GroundTruth, ImageArray, IntArray

CLASS_NAMES = ("fi", "hb")
KEYPOINT_NAMES = ("centre",)
FI, HB = 0, 1
TARGET_PX = 30.0
SIZE_HW = (320, 1920)
MARGIN_PX = 8
"""Margin of the world around its largest image, for shifts."""
APART_PX = 112.0
"""Smallest distance between the centres of two marks."""
_TEST_KEY = 0x74657374
_COARSE = 16
"""Step in columns at which the smooth light is computed."""
_PATCH = 22
"""Half side of the square that contains a mark, px."""


@dataclass(frozen=True, slots=True, eq=False)
class StripWorld:
    """Horizontal strip with clamps, dust and marks."""

    light: FloatArray
    """(H + 2 * MARGIN_PX, W + 2 * MARGIN_PX) brightness in [0, 255]."""
    centres_xy: FloatArray
    """(N, 2) centres of the marks, px of ``light``."""
    class_ids: IntArray
    """(N,) classes of the marks."""

    def seen_from(self, shift_xy: tuple[float, float]) -> FloatArray:
        """Return the (N, 2) centres in an image whose corner is at ``shift_xy``, px."""
        corner = np.array(shift_xy) + MARGIN_PX
        return np.asarray(self.centres_xy - corner, np.float32)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Camera position, light and noise of an image."""

    shift_xy: tuple[float, float] = (0.0, 0.0)
    """Position of the image's corner in the world, px from the margin; may be fractional."""
    gain: float = 1.0
    tilt: float = 0.0
    """Relative increase of brightness from the left edge to the right one."""
    warmth: float = 0.0
    """Colour of the lamp in [-1, 1], from bluish to reddish."""
    blur_px: float = 0.0
    """Standard deviation of the blur."""
    noise: float = 2.0
    """Standard deviation of the noise, levels of 255."""
    noise_seed: int = 0


def random_scene(
    rng: np.random.Generator, size_hw: tuple[int, int] = SIZE_HW
) -> tuple[ImageArray, GroundTruth]:
    """Return a random scene.

    Args:
        rng: random generator; the same state gives the same scene.
        size_hw: size of the image, px, each side at least 96. The strip runs along the longer side;
            in a square image, along either.

    Returns:
        (H, W, 3) uint8 BGR, and its marks: none to two per class, with boxes of 30 px and the
        centre as the only keypoint.
    """
    height, width = size_hw
    is_upright = height > width or (height == width and bool(rng.random() < 0.5))
    lying_hw = (width, height) if is_upright else (height, width)
    world = random_world(rng, lying_hw)
    bgr, centres_xy = expose(world, random_exposure(rng), lying_hw)
    if is_upright:
        bgr, centres_xy = np.ascontiguousarray(bgr.transpose(1, 0, 2)), centres_xy[:, ::-1]
    return bgr, ground_truth_of(centres_xy, world.class_ids, size_hw)


def scene_for_test(
    index: int, size_hw: tuple[int, int] = SIZE_HW
) -> tuple[ImageArray, GroundTruth]:
    """Return a scene of the test set, whose seeds training never uses.

    Args:
        index: number of the scene, from 0.
        size_hw: size of the image, px.
    """
    return random_scene(np.random.default_rng([_TEST_KEY, index]), size_hw)


def random_exposure(rng: np.random.Generator) -> Exposure:
    """Return a random exposure of a still image."""
    shift = rng.uniform(-MARGIN_PX + 2, MARGIN_PX - 2, 2)
    is_blurred = rng.random() < 0.5
    return Exposure(
        (float(shift[0]), float(shift[1])),
        gain=float(rng.uniform(0.6, 1.15)),
        tilt=float(rng.uniform(-0.35, 0.35)),
        warmth=float(rng.uniform(-1, 1)),
        blur_px=float(rng.uniform(0.5, 1.8)) if is_blurred else 0.0,
        noise=float(rng.uniform(1, 6)),
        noise_seed=int(rng.integers(1 << 30)),
    )


def expose(
    world: StripWorld, exposure: Exposure, size_hw: tuple[int, int]
) -> tuple[ImageArray, FloatArray]:
    """Render an image of a world.

    Args:
        world: strip to render.
        exposure: camera position, light and noise.
        size_hw: size of the image, px; with its shift, it must be inside the world.

    Returns:
        (H, W, 3) uint8 BGR, and the (N, 2) centres of all marks, of which some may be outside.
    """
    height, width = size_hw
    corner = np.array(exposure.shift_xy) + MARGIN_PX
    whole = np.floor(corner).astype(int)
    part = world.light[whole[1] : whole[1] + height + 1, whole[0] : whole[0] + width + 1]
    fraction = corner - whole
    step = np.array([[1, 0, fraction[0]], [0, 1, fraction[1]]], np.float64)
    light = np.asarray(
        cv2.warpAffine(
            part,
            step,
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )
    lamp = exposure.gain * (1 + exposure.tilt * np.linspace(-0.5, 0.5, width, dtype=np.float32))
    light *= lamp
    if exposure.blur_px > 0:
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), exposure.blur_px), np.float32)
    light += _noise(size_hw, exposure)
    levels = cv2.convertScaleAbs(np.maximum(light, 0, out=light))
    bgr = cv2.applyColorMap(levels, _colours(exposure.warmth))
    return np.asarray(bgr, np.uint8), world.seen_from(exposure.shift_xy)


def ground_truth_of(
    centres_xy: FloatArray, class_ids: IntArray, size_hw: tuple[int, int]
) -> GroundTruth:
    """Return the marks whose centre is in the image; those with a cut box are difficult."""
    limit = np.array(size_hw[::-1], np.float32)
    seen = ((centres_xy >= 0) & (centres_xy < limit)).all(1)
    centres_xy = np.ascontiguousarray(centres_xy[seen], np.float32)
    xyxy = np.concatenate([centres_xy - TARGET_PX / 2, centres_xy + TARGET_PX / 2], 1)
    cut = np.asarray(((xyxy[:, :2] < 0) | (xyxy[:, 2:] > limit)).any(1), np.bool_)
    xyxy = np.clip(xyxy, 0, np.concatenate([limit, limit])).astype(np.float32)
    visible = np.ones((len(xyxy), 1), np.bool_)
    return GroundTruth(xyxy, class_ids[seen], centres_xy[:, None], visible, cut)


def random_world(
    rng: np.random.Generator, size_hw: tuple[int, int], *, marks_per_px: float | None = None
) -> StripWorld:
    """Return a random strip with clamps, dust and marks.

    Args:
        rng: random generator.
        size_hw: size of the largest image of the strip, px.
        marks_per_px: density of marks along the strip per class; None gives none to two per class.
    """
    height, width = (side + 2 * MARGIN_PX for side in size_hw)
    edges = _edges(rng, height, width)
    light = _strip(rng, edges, height)
    clamps = _clamps(rng, light, edges)
    _dust(rng, light)
    if marks_per_px is None:
        counts = [int(rng.choice(3, p=(0.2, 0.6, 0.2))) for _ in CLASS_NAMES]
    else:
        counts = [round(marks_per_px * size_hw[1])] * len(CLASS_NAMES)
    marks: list[tuple[float, float, int]] = []
    for class_id, count in enumerate(counts):
        for _ in range(count):
            position = _free_position(rng, class_id, edges, clamps, marks)
            if position is not None:
                marks.append((*position, class_id))
    for x, y, class_id in marks:
        _paint_mark(rng, light, (x, y), class_id, edges)
    table = np.array(marks, np.float64).reshape(-1, 3)
    return StripWorld(light, table[:, :2].astype(np.float32), table[:, 2].astype(np.int64))


def _edges(rng: np.random.Generator, height: int, width: int) -> FloatArray:
    """Return the heights of the strip's upper and lower edge in each column: (2, W), px."""
    top = height * rng.uniform(0.12, 0.24)
    bottom = height * rng.uniform(0.76, 0.88)
    along = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    wave = _waves(rng, width, 3) * 2.0 + along * rng.uniform(-8, 8)
    return np.stack([top + wave, bottom + wave]).astype(np.float32)


def _waves(rng: np.random.Generator, length: int, knots: int) -> FloatArray:
    """Return a smooth random curve through ``knots`` values, (length,), about in [-1, 1]."""
    values = rng.uniform(-1, 1, (1, knots)).astype(np.float32)
    return np.asarray(cv2.resize(values, (length, 1), interpolation=cv2.INTER_CUBIC)[0], np.float32)


def _strip(rng: np.random.Generator, edges: FloatArray, height: int) -> FloatArray:
    """Return the brightness of a strip that glows at its centre, in a dark hall: (H, W)."""
    width = edges.shape[1]
    few = edges[:, ::_COARSE]  # everything except the edges changes slowly along the strip
    rows = np.arange(height, dtype=np.float32)[:, None] + 0.5
    inside = np.minimum(rows - few[0], few[1] - rows)  # px from the nearer edge, (H, w)
    depth = np.clip(inside / (float((few[1] - few[0]).mean()) / 2), 0, 1)
    glow = rng.uniform(150, 205) * (1 - rng.uniform(0.15, 0.45) * (1 - depth) ** 2)
    glow *= 1 + 0.12 * _waves(rng, few.shape[1], max(3, width // 240))  # hotter and cooler sections
    glow += rng.uniform(2, 6) * rng.standard_normal(
        glow.shape, np.float32
    )  # rolling grain along the strip
    hall = rng.uniform(8, 30) + 14 * np.exp(np.clip(inside, -99, 0) / 12)  # lit by the strip
    light = cv2.resize(hall.astype(np.float32), (width, height))
    more = cv2.resize((glow - hall).astype(np.float32), (width, height))
    cover = np.minimum(rows - edges[0], edges[1] - rows)
    cover += 0.5
    more *= np.clip(cover, 0, 1, out=cover)
    light += more
    return np.asarray(light, np.float32)


def _clamps(
    rng: np.random.Generator, light: FloatArray, edges: FloatArray
) -> list[tuple[int, int]]:
    """Paint dark jaws across the strip, and return the columns that they cover."""
    height, width = light.shape
    spans: list[tuple[int, int]] = []
    for _ in range(max(1, round(width / 700 * rng.uniform(0.5, 1.5)))):
        wide = int(rng.uniform(40, 110))
        left = int(rng.uniform(-wide / 2, width - wide / 2))
        low, high = max(0, left), min(width, left + wide)
        reach = rng.uniform(0.25, 1.0)  # share of the strip's width that the jaw covers
        length = int(edges[0].mean() + reach * float((edges[1] - edges[0]).mean()) + 6)
        whole = light if rng.random() < 0.5 else light[::-1]
        jaw = whole[: min(length, height), low:high]
        jaw[:] = rng.uniform(14, 34) + 0.06 * jaw
        jaw[-3:] += 30  # the strip lights its lip
        jaw[:, :2] += 22
        jaw[:, -2:] += 22
        spans.append((low, high))
    return spans


def _dust(rng: np.random.Generator, light: FloatArray) -> None:
    """Paint dark and bright specks and a few scratches, all thinner than the marks."""
    height, width = light.shape
    for _ in range(int(rng.integers(0, 1 + width // 32))):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        level = float(light[y, x] * rng.uniform(0.65, 1.2))
        axes = (int(rng.integers(1, 5)), int(rng.integers(1, 4)))
        cv2.ellipse(light, (x, y), axes, float(rng.uniform(0, 180)), 0, 360, level, -1, cv2.LINE_AA)
    for _ in range(int(rng.integers(0, 4))):
        start = rng.uniform(0, (width, height))
        end = start + rng.uniform(-1, 1, 2) * (160, 12)
        level = float(light[int(start[1]), int(start[0])] * rng.uniform(0.75, 1.2))
        ends = [tuple(int(value) for value in point) for point in (start, end)]
        cv2.line(light, ends[0], ends[1], level, 1, cv2.LINE_AA)


def _free_position(
    rng: np.random.Generator,
    class_id: int,
    edges: FloatArray,
    clamps: list[tuple[int, int]],
    taken: list[tuple[float, float, int]],
) -> tuple[float, float] | None:
    """Return a position clear of clamps and other marks; None if 40 attempts fail."""
    room = MARGIN_PX + TARGET_PX / 2 + MARGIN_PX
    for _ in range(40):
        x = float(rng.uniform(room, edges.shape[1] - room))
        top, bottom = (float(edge[int(x)]) for edge in edges)
        if class_id == FI:
            y = float(rng.uniform(top + 26, bottom - 26))
        else:
            y = (top + 9) if rng.random() < 0.5 else (bottom - 9)
            y += float(rng.uniform(-3, 3))
        hidden = any(low - _PATCH < x < high + _PATCH for low, high in clamps)
        if not hidden and all(np.hypot(x - a, y - b) >= APART_PX for a, b, _ in taken):
            return x, y
    return None


def _paint_mark(
    rng: np.random.Generator,
    light: FloatArray,
    centre_xy: tuple[float, float],
    class_id: int,
    edges: FloatArray,
) -> None:
    """Paint one mark, its centre at a fraction of a pixel."""
    x, y = centre_xy
    left, top = int(x) - _PATCH, int(y) - _PATCH
    patch = light[max(0, top) : top + 2 * _PATCH, left : left + 2 * _PATCH]
    rows, columns = np.mgrid[max(0, top) : top + 2 * _PATCH, left : left + 2 * _PATCH]
    rows, columns = rows[: len(patch), : patch.shape[1]], columns[: len(patch), : patch.shape[1]]
    dx, dy = columns + 0.5 - x, rows + 0.5 - y
    contrast = rng.uniform(0.55, 0.9)
    if class_id == FI:
        dark, bright = _pit(rng, dx, dy)
    else:
        is_upper = y < float(edges.mean(0)[int(x)])
        dark, bright = _notch(rng, dx, dy if is_upper else -dy)
    patch *= 1 - contrast * dark
    patch += rng.uniform(0.5, 0.8) * (150 - 0.3 * patch) * bright


def _pit(rng: np.random.Generator, dx: FloatArray, dy: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return coverages in [0, 1] of a dark ellipse and of a bright crescent in its lower half."""
    a, b = 12 * rng.uniform(0.85, 1.05, 2)
    radius = np.hypot(dx / a, dy / b)
    dark = _cover((1 - radius) * 12)
    ring = _cover((0.25 - np.abs(radius - 0.75)) * 12)
    return dark, ring * np.clip(dy / b, 0, 1)


def _notch(
    rng: np.random.Generator, dx: FloatArray, dy: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return coverages in [0, 1] of a dark triangle that points down, and of its bright slopes."""
    half = 12 * rng.uniform(0.85, 1.05)
    slope = half * (12 - dy) / 24  # half width: the whole of it at dy = -12, none at dy = 12
    inside = np.minimum((slope - np.abs(dx)) * 0.9, dy + 12).astype(np.float32)
    rim = np.minimum(_cover(inside + 3.5), 1 - _cover(inside)) * _cover(dy + 12)
    return _cover(inside), rim


def _cover(depth_px: FloatArray) -> FloatArray:
    """Return the share of a pixel inside an edge at a distance of ``depth_px``."""
    return np.asarray(np.clip(depth_px + 0.5, 0, 1), np.float32)


@lru_cache(maxsize=2)
def _noise_bank(shape_hw: tuple[int, int]) -> FloatArray:
    """Return (H, W) standard normal noise, generated once; images use windows of it."""
    return np.random.default_rng(7).standard_normal(shape_hw, np.float32)


def _noise(size_hw: tuple[int, int], exposure: Exposure) -> FloatArray:
    """Return the noise of an image: a random window of the bank."""
    spare = 128
    bank = _noise_bank((size_hw[0] + spare, size_hw[1] + spare))
    row, column = np.random.default_rng(exposure.noise_seed).integers(0, spare, 2)
    window = bank[row : row + size_hw[0], column : column + size_hw[1]]
    return np.asarray(window * np.float32(exposure.noise), np.float32)


_GLOW = np.array(
    [
        [0, 14, 10, 8],
        [40, 44, 38, 36],
        [80, 52, 48, 86],
        [120, 40, 62, 190],
        [160, 46, 118, 240],
        [200, 92, 186, 255],
        [235, 168, 228, 255],
        [255, 226, 246, 255],
    ],
    np.float32,
)
"""Brightness and its blue, green, red: grey for cold, then dark red, orange, yellow, white."""


def _colours(warmth: float) -> ImageArray:
    """Return the colour table of a lamp: (256, 1, 3) uint8 BGR."""
    levels = np.arange(256)
    bgr = np.stack([np.interp(levels, _GLOW[:, 0], _GLOW[:, i]) for i in (1, 2, 3)], -1)
    bgr *= np.array([1 - 0.12 * warmth, 1.0, 1 + 0.06 * warmth])
    return np.asarray(np.clip(bgr, 0, 255).astype(np.uint8)[:, None], np.uint8)
