"""A generated strip of glowing steel with two kinds of defect, as a plane of brightness.

The mark ``fi`` is a dark pit with a bright crescent, anywhere on the strip. The mark ``hb`` is a
dark notch with a bright rim in a long edge. Both fill about 24 of the 30 px of their box.
"""

from dataclasses import dataclass

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, IntArray

CLASS_NAMES = ("fi", "hb")
FI, HB = 0, 1
TARGET_PX = 30.0
MARGIN_PX = 8
"""Margin of the world around its largest image, for shifts."""
APART_PX = 112.0
"""Smallest distance between the centres of two marks."""
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
