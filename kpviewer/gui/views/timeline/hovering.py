"""What the pointer on the timeline shows: a card with frame, time, lanes and thumbnail."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, QPoint
from PyQt6.QtGui import QImage

from kpviewer.gui.views.timeline.bar import TimelineBar
from kpviewer.gui.views.timeline.thumbnails import Thumbnails
from kpviewer.gui.views.timeline.tip import HoverTip


class Hovering(QObject):
    """Link between the strip, its card and the thumbnails; ``close`` ends their thread."""

    def __init__(self, bar: TimelineBar, may_show: Callable[[], bool]) -> None:
        super().__init__(bar)
        self._bar, self._may_show = bar, may_show
        self.thumbnails = Thumbnails()
        self.thumbnails.arrived.connect(self._on_arrived)
        self.tip: HoverTip | None = None
        """The card, once it was shown."""
        self._index: int | None = None
        bar.hovered.connect(self._on_hovered)

    def close(self) -> None:
        """Hide the card and let go of the thread."""
        self.hide()
        self.thumbnails.close()

    def hide(self) -> None:
        """Hide the card."""
        self._on_hovered(None)

    def refresh(self) -> None:
        """Show what is known by now of the frame under the pointer."""
        if self._index is not None:
            self._show(self._index, self._image_of(self._index))

    def _on_hovered(self, index: int | None) -> None:
        self._index = index
        if index is None:
            self.thumbnails.drop()
            if self.tip is not None:
                self.tip.hide()
            return
        image = self._image_of(index)
        self._show(index, image)
        if image is None and self._may_show():
            self.thumbnails.ask(index)

    def _on_arrived(self, index: int) -> None:
        if index == self._index:
            self.refresh()

    def _image_of(self, index: int) -> QImage | None:
        return self.thumbnails.get(index) if self._may_show() else None

    def _show(self, index: int, image: QImage | None) -> None:
        window, strip = self._bar.window(), self._bar.strip
        if window is None:
            return
        if self.tip is None:
            self.tip = HoverTip(window)
        at = strip.mapTo(window, QPoint(round(strip.axis.x_of(index)), 0))
        self.tip.show_frame(self._bar.texts_of(index), image, at)
