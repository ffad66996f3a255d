"""Many copies of small images in one call of Qt: a tenth of the time of as many calls."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage, QPainter, QPixmap

from kpviewer.overlay.kept_values import KeptValues
from kpviewer.overlay.marks import pixel_ratio
from kpviewer.structures import IntArray

Reals: TypeAlias = NDArray[np.floating[Any]]


_WIDTH_PX, _LARGEST_HEIGHT_PX = 1024, 4096
"""Width of a sheet, and the height from which a new one is begun."""
_fragments = KeptValues(QPainter.PixmapFragment)

K = TypeVar("K")


def copy_parts(
    painter: QPainter,
    image: QPixmap,
    sources: Reals,
    places: Reals,
    opacities: Reals | float = 1.0,
) -> None:
    """Copy parts of an image, the last one on top.

    Args:
        painter: an active painter.
        image: the image.
        sources: (N, 4) left, top, width and height of the parts, px of the image.
        places: (N, 4) left, top, right, bottom where they go, in whole pixels of the device. Empty
            places are left out.
        opacities: (N,) in [0, 1], or one for all.
    """
    if not len(places):
        return
    rows = np.empty((len(places), 10))
    ratio = pixel_ratio(painter)
    for axis in (0, 1):  # column by column: numpy is slow with rows of two numbers
        first, last = places[:, axis], places[:, 2 + axis]
        rows[:, axis] = (first + last) / (2 * ratio)  # the centre
        rows[:, 6 + axis] = np.maximum(last - first, 0) / (sources[:, 2 + axis] * ratio)
    rows[:, 2:6] = sources
    rows[:, 8] = 0  # the angle
    rows[:, 9] = opacities
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=False)
    painter.drawPixmapFragments(_fragments.of(rows), image)


class _Sheet(NamedTuple):
    """Images in rows, as they were at one time."""

    pixmap: QPixmap
    sources: dict[Any, tuple[int, int, int, int]]
    """Left, top, width and height of each image."""
    end: tuple[int, int, int]
    """Left and top of the next image, and bottom of its row."""


class SpriteSheet(Generic[K]):
    """Images of several kinds, each painted once. Any thread may use it."""

    def __init__(self, draw: Callable[[K], QImage]) -> None:
        self._draw = draw
        self._sheet: _Sheet | None = None
        """Replaced, never changed: another thread may copy from it."""

    def copy(
        self,
        painter: QPainter,
        kinds: Sequence[K],
        which: IntArray,
        corners: Reals,
        opacities: Reals | float = 1.0,
    ) -> None:
        """Copy images, the last one on top.

        Args:
            painter: an active painter.
            kinds: kinds of images, each once.
            which: (N,) rows of ``kinds``.
            corners: (N, 2) upper left corners, in whole pixels of the device.
            opacities: (N,) in [0, 1], or one for all.
        """
        if not len(which):
            return
        sheet = self._sheet
        if sheet is None or not all(kind in sheet.sources for kind in kinds):
            sheet = self._sheet = self._extended(sheet, kinds)
        sources = np.array([sheet.sources[kind] for kind in kinds], np.float64)[which]
        places = np.concatenate([corners, corners + sources[:, 2:]], 1)
        copy_parts(painter, sheet.pixmap, sources, places, opacities)

    def _extended(self, sheet: _Sheet | None, kinds: Sequence[K]) -> _Sheet:
        """Return a sheet that has these kinds, too; without the others if it would be too high."""
        sources = {} if sheet is None else dict(sheet.sources)
        left, top, bottom = (0, 0, 0) if sheet is None else sheet.end
        images = {kind: self._draw(kind) for kind in kinds if kind not in sources}
        for kind, image in images.items():
            if left + image.width() > _WIDTH_PX:
                left, top = 0, bottom
            sources[kind] = (left, top, image.width(), image.height())
            left, bottom = left + image.width(), max(bottom, top + image.height())
        if sheet is not None and bottom > _LARGEST_HEIGHT_PX:
            return self._extended(None, kinds)
        width = max(_WIDTH_PX, *(image.width() for image in images.values()))
        pixmap = QPixmap(width, bottom)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        if sheet is not None:
            painter.drawPixmap(0, 0, sheet.pixmap)
        for kind, image in images.items():
            left_px, top_px = sources[kind][:2]
            painter.drawImage(left_px, top_px, image)
        painter.end()
        return _Sheet(pixmap, sources, (left, top, bottom))
