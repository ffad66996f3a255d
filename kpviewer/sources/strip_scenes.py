"""Images of a glowing steel strip with two kinds of defect, and exactly where they are.

A seeded world, ``StripWorld``, is a strip with clamps, dust and marks; ``expose`` takes an image
of it from a given place, with the lamps, the focus and the noise of that moment. Everything is
brightness in one plane until a colour table, that of glowing steel, makes an image of it.

Of the marks: ``fi`` is a dark pit with a bright crescent, anywhere on the strip; ``hb`` a dark
notch with a bright rim in one of its two long edges. Both fill about 24 of the 30 px of their box.
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
"""Of the world around the largest image of it, for shifts."""
APART_PX = 112.0
"""Least distance of two marks' centres."""
_TEST_KEY = 0x74657374
_COARSE = 16
"""Columns between those that the smooth light is computed for."""
_PATCH = 22
"""Half side of the square that a mark is painted in, px: nothing of it reaches further."""


@dataclass(frozen=True, slots=True, eq=False)
class StripWorld:
    """A strip that lies from left to right, with what is on it."""

    light: FloatArray
    """(H + 2 * MARGIN_PX, W + 2 * MARGIN_PX) brightness in [0, 255]."""
    centres_xy: FloatArray
    """(N, 2) of the marks, px of ``light``."""
    class_ids: IntArray
    """(N,)."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How an image of a world is taken."""

    shift_xy: tuple[float, float] = (0.0, 0.0)
    """Place of the image's corner in the world, px from the margin; fractions count."""
    gain: float = 1.0
    tilt: float = 0.0
    """Brightness gained from the left edge to the right one, as a share."""
    warmth: float = 0.0
    """In [-1, 1]: from a bluish to a reddish lamp."""
    blur_px: float = 0.0
    """Standard deviation."""
    noise: float = 2.0
    """Standard deviation, levels of 255."""
    noise_seed: int = 0


def random_scene(
    rng: np.random.Generator, size_hw: tuple[int, int] = SIZE_HW
) -> tuple[ImageArray, GroundTruth]:
    """Paint a scene.

    Args:
        rng: decides everything: the same state gives the same scene.
        size_hw: of the image, px, each side at least 96. The strip lies along the longer side;
            in a square image, along either.

    Returns:
        (H, W, 3) uint8 BGR, and its marks: at most two of a class, often one or none, with their
        30 px boxes and their centres as the only keypoint.
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
    """Paint a scene of the set that detectors are scored on; training never draws these seeds.

    Args:
        index: of the scene, from 0.
        size_hw: of the image, px.
    """
    return random_scene(np.random.default_rng([_TEST_KEY, index]), size_hw)


def random_exposure(rng: np.random.Generator) -> Exposure:
    """Draw how a still image is taken."""
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
    """Take an image of a world.

    Args:
        world: what is looked at.
        exposure: from where, and in what light.
        size_hw: of the image, px; with its shift, inside the world.

    Returns:
        (H, W, 3) uint8 BGR, and the (N, 2) centres of the marks in it, some perhaps outside.
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
    return np.asarray(bgr, np.uint8), (world.centres_xy - corner).astype(np.float32)


def ground_truth_of(
    centres_xy: FloatArray, class_ids: IntArray, size_hw: tuple[int, int]
) -> GroundTruth:
    """Tell what is seen: marks with the centre in the image; difficult if the box is cut."""
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
    """Draw a strip with its clamps, dust and marks.

    Args:
        rng: decides everything.
        size_hw: of the largest image to be taken of it, px.
        marks_per_px: of its length, of each class; None for the none, one or two of a scene.
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
    places: list[tuple[float, float, int]] = []
    for class_id, count in enumerate(counts):
        for _ in range(count):
            place = _place(rng, class_id, edges, clamps, places)
            if place is not None:
                places.append((*place, class_id))
    for x, y, class_id in places:
        _paint_mark(rng, light, (x, y), class_id, edges)
    table = np.array(places, np.float64).reshape(-1, 3)
    return StripWorld(light, table[:, :2].astype(np.float32), table[:, 2].astype(np.int64))


def _edges(rng: np.random.Generator, height: int, width: int) -> FloatArray:
    """Heights of the strip's upper and lower edge in each column: (2, W), px."""
    top = height * rng.uniform(0.12, 0.24)
    bottom = height * rng.uniform(0.76, 0.88)
    along = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    wave = _waves(rng, width, 3) * 2.0 + along * rng.uniform(-8, 8)
    return np.stack([top + wave, bottom + wave]).astype(np.float32)


def _waves(rng: np.random.Generator, length: int, knots: int) -> FloatArray:
    """(length,) smooth random curve through ``knots`` values, about in [-1, 1]."""
    values = rng.uniform(-1, 1, (1, knots)).astype(np.float32)
    return np.asarray(cv2.resize(values, (length, 1), interpolation=cv2.INTER_CUBIC)[0], np.float32)


def _strip(rng: np.random.Generator, edges: FloatArray, height: int) -> FloatArray:
    """Brightness of a strip that glows in its middle, in front of a dark hall: (H, W)."""
    width = edges.shape[1]
    few = edges[:, ::_COARSE]  # all but the edges themselves changes slowly along the strip
    rows = np.arange(height, dtype=np.float32)[:, None] + 0.5
    inside = np.minimum(rows - few[0], few[1] - rows)  # px from the nearer edge, (H, w)
    depth = np.clip(inside / (float((few[1] - few[0]).mean()) / 2), 0, 1)
    glow = rng.uniform(150, 205) * (1 - rng.uniform(0.15, 0.45) * (1 - depth) ** 2)
    glow *= 1 + 0.12 * _waves(rng, few.shape[1], max(3, width // 240))  # hotter, cooler lengths
    glow += rng.uniform(2, 6) * rng.standard_normal(glow.shape, np.float32)  # rolled along it
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
    """Paint dark jaws across the strip, and give the columns that they cover."""
    height, width = light.shape
    spans: list[tuple[int, int]] = []
    for _ in range(max(1, round(width / 700 * rng.uniform(0.5, 1.5)))):
        wide = int(rng.uniform(40, 110))
        left = int(rng.uniform(-wide / 2, width - wide / 2))
        low, high = max(0, left), min(width, left + wide)
        reach = rng.uniform(0.25, 1.0)  # how far it grips over the strip, from one edge
        length = int(edges[0].mean() + reach * float((edges[1] - edges[0]).mean()) + 6)
        whole = light if rng.random() < 0.5 else light[::-1]
        jaw = whole[: min(length, height), low:high]
        jaw[:] = rng.uniform(14, 34) + 0.06 * jaw
        jaw[-3:] += 30  # its lip is lit by the strip
        jaw[:, :2] += 22
        jaw[:, -2:] += 22
        spans.append((low, high))
    return spans


def _dust(rng: np.random.Generator, light: FloatArray) -> None:
    """Paint specks, dark and bright, and a few scratches: all thinner than any mark."""
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


def _place(
    rng: np.random.Generator,
    class_id: int,
    edges: FloatArray,
    clamps: list[tuple[int, int]],
    taken: list[tuple[float, float, int]],
) -> tuple[float, float] | None:
    """Find a place for a mark, clear of clamps and other marks; None if forty tries found none."""
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
    """A dark ellipse and, on its lower half, a bright crescent: two covers in [0, 1]."""
    a, b = 12 * rng.uniform(0.85, 1.05, 2)
    radius = np.hypot(dx / a, dy / b)
    dark = _cover((1 - radius) * 12)
    ring = _cover((0.25 - np.abs(radius - 0.75)) * 12)
    return dark, ring * np.clip(dy / b, 0, 1)


def _notch(
    rng: np.random.Generator, dx: FloatArray, dy: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """A dark triangle that points into the strip (down), and its bright slopes."""
    half = 12 * rng.uniform(0.85, 1.05)
    slope = half * (12 - dy) / 24  # half width: the whole of it at dy = -12, none at dy = 12
    inside = np.minimum((slope - np.abs(dx)) * 0.9, dy + 12).astype(np.float32)
    rim = np.minimum(_cover(inside + 3.5), 1 - _cover(inside)) * _cover(dy + 12)
    return _cover(inside), rim


def _cover(depth_px: FloatArray) -> FloatArray:
    """Share of a pixel that is inside an edge ``depth_px`` away."""
    return np.asarray(np.clip(depth_px + 0.5, 0, 1), np.float32)


@lru_cache(maxsize=2)
def _noise_bank(shape_hw: tuple[int, int]) -> FloatArray:
    """(H, W) standard normal noise, drawn once: images take windows of it."""
    return np.random.default_rng(7).standard_normal(shape_hw, np.float32)


def _noise(size_hw: tuple[int, int], exposure: Exposure) -> FloatArray:
    """Noise of an image: a window of the bank at a random place, so that no two are alike."""
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
"""Brightness and its blue, green, red: grey where cold, then dark red, orange, yellow, white."""


def _colours(warmth: float) -> ImageArray:
    """Colour table of a lamp: (256, 1, 3) uint8 BGR."""
    levels = np.arange(256)
    bgr = np.stack([np.interp(levels, _GLOW[:, 0], _GLOW[:, i]) for i in (1, 2, 3)], -1)
    bgr *= np.array([1 - 0.12 * warmth, 1.0, 1 + 0.06 * warmth])
    return np.asarray(np.clip(bgr, 0, 255).astype(np.uint8)[:, None], np.uint8)
