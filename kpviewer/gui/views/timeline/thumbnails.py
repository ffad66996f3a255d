"""Small images of frames, read in the background by a source of their own."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import numpy as np
from PyQt6.QtCore import QObject, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QImage

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.overlay import qimage_of
from kpviewer.runtime.process.loading import Outcome
from kpviewer.sources.base import FrameSource, new_image

SIZE_PX = QSize(160, 120)
"""Size that thumbnails fit into."""
KEPT = 100
"""Number of thumbnails that are kept, 8 MB at most."""

_log = logging.getLogger(__name__)


class Thumbnails(QObject):
    """Thumbnails of one source at a time; only the newest request counts. See ``close``."""

    arrived = pyqtSignal(int)
    """Emitted with the frame whose thumbnail can be had now."""

    def __init__(self) -> None:
        super().__init__()
        self._loader = BackgroundLoader()
        self._reader: _Reader | None = None
        self._kept: OrderedDict[int, QImage] = OrderedDict()

    def set_source(self, make: Callable[[], FrameSource | None] | None) -> None:
        """Read another source.

        Args:
            make: makes a source that nothing else uses, on a thread; it may return None. None:
                there are no thumbnails.
        """
        self._loader.cancel()
        if self._reader is not None:
            self._reader.close()
        self._kept.clear()
        self._reader = _Reader(make) if make is not None else None

    @property
    def is_busy(self) -> bool:
        """Whether a thumbnail is awaited."""
        return self._loader.busy_with is not None

    def get(self, index: int) -> QImage | None:
        """Return a thumbnail that is there."""
        image = self._kept.get(index)
        if image is not None:
            self._kept.move_to_end(index)
        return image

    def ask(self, index: int) -> None:
        """Read the thumbnail of a frame, in place of any that was asked for before."""
        reader = self._reader
        if reader is None or reader.has_failed or index in self._kept:
            return
        self._loader.submit(
            f"thumbnail {index}", partial(reader.read, index), partial(self._on_read, reader, index)
        )

    def drop(self) -> None:
        """Drop the last request."""
        self._loader.cancel()

    def close(self) -> None:
        """Let go of a thumbnail that is being read; doesn't wait for it."""
        self.set_source(None)
        self._loader.close()

    def _on_read(self, reader: _Reader, index: int, outcome: Outcome[QImage | None]) -> None:
        if reader is not self._reader:
            return
        if outcome.value is None:
            reader.has_failed = reader.has_failed or outcome.failure is not None
            _log.debug("No thumbnail of frame %s: %s", index, outcome.reason)
            return
        self._kept[index] = outcome.value
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        self.arrived.emit(index)


class _Reader:
    """Reader of thumbnails on the loader's threads, one after the other.

    Each read takes the open source, and puts it back. One that hangs is let go with its source,
    and the next read opens another.
    """

    def __init__(self, make: Callable[[], FrameSource | None]) -> None:
        self._make = make
        self._open: list[FrameSource] = []
        self._is_closed = False
        self.has_failed = False
        """Whether the source can't be read a second time."""

    def read(self, index: int) -> QImage | None:
        """Read a frame, and scale it."""
        source = self._open.pop() if self._open else self._opened()
        if source is None:
            return None
        image = None
        try:
            source.seek(index)
            captured = source.read(new_image)
            if captured is not None:
                image = _scaled(captured.bgr)
        except BaseException:
            source.close()
            raise
        self._open.append(source)
        if self._is_closed:
            self._drain()
        return image

    def close(self) -> None:
        """Close the source, now or after the read that runs."""
        self._is_closed = True
        self._drain()

    def _opened(self) -> FrameSource | None:
        source = self._make()
        if source is None:
            self.has_failed = True
            return None
        info = source.open()
        if info.is_live or not info.is_seekable:
            source.close()
            self.has_failed = True
            return None
        return source

    def _drain(self) -> None:
        while self._open:
            self._open.pop().close()


def _scaled(bgr: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> QImage:
    """Return a small copy of an image."""
    image = qimage_of(bgr)
    while image.width() > 4 * SIZE_PX.width() and image.height() > 4 * SIZE_PX.height():
        image = image.scaled(image.size() / 2)  # every second pixel: a fourth of the work
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return image.scaled(SIZE_PX, ratio, smooth).copy()
