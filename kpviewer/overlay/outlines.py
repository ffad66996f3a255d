"""Outlines of boxes, solid and dashed, and their corners: bars on whole pixels of the device.

Qt copies the bars of all boxes in one call, in a third of the time of their strokes.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter, QPixmap

from kpviewer.overlay.marks import HALO_PX, OPAQUE_HALO, Stroke, box_widths, pixel_ratio
from kpviewer.overlay.palette import Rgb, class_color
from kpviewer.overlay.sprites import Reals, copy_parts
from kpviewer.overlay.style import OverlayStyle
from kpviewer.structures import IntArray

_CORNERS = np.array([[0, 1, 2, 1], [0, 3, 2, 3], [0, 1, 0, 3], [2, 1, 2, 3]])
"""First and last corner of the upper, lower, left and right side, as columns of a box."""


class Dashes(NamedTuple):
    """Dashed stroke with a solid one below it; lengths in the painter's pixels."""

    color: Rgb
    width: float
    on: float
    off: float
    halo: Rgb
    halo_px: float


def paint_outlines(
    painter: QPainter, boxes: Reals, class_ids: IntArray, style: OverlayStyle, bounds: QRectF
) -> None:
    """Paint boxes in the colours of their classes, with dark halos; the first one on top.

    Args:
        painter: an active painter.
        boxes: (N, 4) in the painter's pixels; strokes are around their edges.
        class_ids: (N,).
        style: widths, and the selected box.
        bounds: the part of the image in view, in the painter's pixels.
    """
    ratio = pixel_ratio(painter)
    wide = np.maximum(_whole(box_widths(len(boxes), style) * ratio), 1)
    halo = _whole(max(1, round(HALO_PX * style.scale)) * ratio)
    first = _whole(boxes * ratio) - wide[:, None] // 2
    known, color_ids = np.unique(class_ids, return_inverse=True)
    palette = _palette((OPAQUE_HALO, *(class_color(each) for each in known.tolist())))
    # A halo, then its stroke, then those of the next better box.
    firsts = np.stack([first - halo, first], 1)[::-1]  # (N, 2, 4)
    bars = _bars(firsts, np.stack([wide + 2 * halo, wide], 1)[::-1])
    sources = np.ones((len(boxes), 2, 4, 4))
    sources[..., :2] = 0
    sources[:, 1, :, 0] += 1 + color_ids[::-1, None]
    places = _clipped(bars.reshape(-1, 4), bounds, ratio)
    copy_parts(painter, palette, sources.reshape(-1, 4), places)


def paint_corners(
    painter: QPainter, boxes: Reals, arms: Reals, stroke: Stroke, bounds: QRectF
) -> None:
    """Paint the corners of boxes with dark halos; the first box on top.

    Args:
        painter: an active painter.
        boxes: (N, 4) in the painter's pixels; strokes are around their edges.
        arms: (N,) lengths of the strokes from a corner.
        stroke: the strokes.
        bounds: the part of the image in view, in the painter's pixels.
    """
    ratio = pixel_ratio(painter)
    wide, halo = (max(round(each * ratio), 1) for each in (stroke.width, stroke.halo_px))
    first = _whole(boxes * ratio)[::-1] - wide // 2
    long = _whole(arms * ratio)[::-1, None, None]
    is_last = np.array([[False, True]])  # the right ones of each row; transposed, the lower ones
    x, y = np.broadcast_arrays(first[:, None, ::2], first[:, 1::2, None])  # (N, 2, 2)
    flat = np.stack([x - long * is_last, y, x + long * ~is_last, y], -1)
    upright = np.stack([x, y - long * is_last.T, x, y + long * ~is_last.T], -1)
    bars = np.stack([flat, upright], 1).reshape(-1, 8, 4)
    bars[..., 2:] += wide
    around = np.array((-halo, -halo, halo, halo))
    places = _clipped(np.stack([bars + around, bars], 1).reshape(-1, 4), bounds, ratio)
    sources = np.ones((len(boxes), 2, 8, 4))
    sources[..., :2] = 0
    sources[:, 1, :, 0] = 1
    palette = _palette((OPAQUE_HALO, stroke.color))
    copy_parts(painter, palette, sources.reshape(-1, 4), places)


def paint_dashed(painter: QPainter, boxes: Reals, dashes: Dashes, bounds: QRectF) -> None:
    """Paint dashed boxes.

    Args:
        painter: an active painter.
        boxes: (N, 4) in the painter's pixels; strokes are around their edges.
        dashes: their stroke, which begins with a dash at each corner.
        bounds: the part of the image in view, in the painter's pixels.
    """
    ratio = pixel_ratio(painter)
    wide = np.maximum(_whole(dashes.width * ratio), 1)
    halo = max(math.ceil(dashes.halo_px * ratio - 0.5), 1)
    first = _whole(boxes * ratio - wide / 2)
    below = _clipped(_bars(first - halo, wide + 2 * halo).reshape(-1, 4), bounds, ratio)
    copy_parts(painter, _palette((dashes.halo,)), np.array([[0.0, 0.0, 1.0, 1.0]]), below)
    bars = _bars(first, wide)
    period = (dashes.on + dashes.off) * ratio
    for axis in (0, 1):
        whole = bars[:, 2 * axis : 2 * axis + 2].reshape(-1, 4)
        places = _clipped(whole, bounds, ratio)
        lengths = np.maximum(places[:, 2 + axis] - places[:, axis], 0)
        longest = int(lengths.max(initial=0) + period)
        image = _dash_image(dashes.color, dashes.on * ratio, period, longest.bit_length(), axis)
        sources = np.zeros((len(places), 4))
        sources[:, axis] = (places[:, axis] - whole[:, axis]) % period // 1
        sources[:, 2 + axis], sources[:, 3 - axis] = lengths, 1
        seen = lengths > 0
        copy_parts(painter, image, sources[seen], places[seen])


def _whole(lengths: Reals | float) -> Reals:
    """Return lengths rounded to whole pixels."""
    return np.asarray(np.floor(lengths + 0.5))


def _bars(first: Reals, wide: Reals) -> Reals:
    """Return the bars of boxes by the first pixels of their sides: (..., 4, 4) of (..., 4).

    Each is left, top, right, bottom; the upper and lower bars come first.
    """
    columns = np.moveaxis(first, -1, 0).copy()  # numpy is slow with rows of four numbers
    bars = np.empty((4, *first.shape))
    for side, corners in enumerate(_CORNERS):
        bars[..., side] = columns[corners]
    bars[2:] += np.asarray(wide)[..., None]
    return np.moveaxis(bars, 0, -1)


def _clipped(places: Reals, bounds: QRectF, ratio: float) -> Reals:
    """Return the parts of (N, 4) places that are in view: far ones take long to paint."""
    left, top, right, bottom = (ratio * each for each in bounds.getCoords())
    least = math.floor(left), math.floor(top)
    most = math.ceil(right), math.ceil(bottom)
    return np.minimum(np.maximum(places, least * 2), most * 2)


@lru_cache(maxsize=256)
def _palette(colors: tuple[Rgb, ...]) -> QPixmap:
    """Return an image of a pixel for each colour."""
    image = QImage(len(colors), 1, QImage.Format.Format_RGB32)
    for column, color in enumerate(colors):
        image.setPixelColor(column, 0, QColor(*color))
    return QPixmap.fromImage(image)


@lru_cache(maxsize=64)
def _dash_image(color: Rgb, on: float, period: float, bits: int, axis: int) -> QPixmap:
    """Return a line of dashes, a pixel wide and ``2 ** bits`` long, along x (0) or y."""
    length = 1 << bits
    is_on = (np.arange(length) + 0.5) % period < on
    red, green, blue = color
    argb = np.where(is_on, np.uint32(0xFF000000 | red << 16 | green << 8 | blue), np.uint32(0))
    size_wh = (1, length) if axis else (length, 1)
    bytes_a_row = 4 * size_wh[0]
    data = argb.tobytes()
    image = QImage(data, *size_wh, bytes_a_row, QImage.Format.Format_ARGB32_Premultiplied)
    return QPixmap.fromImage(image.copy())  # pixels of its own
