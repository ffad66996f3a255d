"""What the pointer on the timeline shows: a card with frame, time, lanes and thumbnail."""

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QObject, QPoint, Qt
from PyQt6.QtGui import QFontMetrics, QImage, QPixmap
from PyQt6.QtWidgets import QFrame, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.bar import TimelineBar
from kpviewer.gui.views.timeline.thumbnails import Thumbnails
from kpviewer.gui.widgets.fitting import fit_to_contents
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label

GAP_PX, EDGE_PX, TEXT_PX = 6, 4, 240
"""Distances from the timeline and from the window's edge; greatest width of a line of text."""


class HoverTip(QFrame):
    """Card that the mouse passes through, in the window of the timeline."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(tr("Frame at the pointer"))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        labels = (Label(), Label(), Label(kind="secondary"))
        for label in labels:
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._image, self._title, self._text = labels
        column_of(*labels, gap=4, margins=(8, 6, 8, 6), into=self)
        self.hide()

    def text(self) -> str:
        """Return what is shown; empty while hidden."""
        texts = [label.text() for label in (self._title, self._text) if label.text()]
        return "" if self.isHidden() else "\n".join(texts)

    def image(self) -> QPixmap:
        """Return the thumbnail; null if there is none."""
        return self._image.pixmap()

    def show_frame(self, lines: Sequence[str], image: QImage | None, at: QPoint) -> None:
        """Show a frame."""
        metrics = QFontMetrics(self.font())
        elided = [metrics.elidedText(line, Qt.TextElideMode.ElideMiddle, TEXT_PX) for line in lines]
        self._title.setText(elided[0])
        self._text.setText("\n".join(elided[1:]))
        self._text.setVisible(len(elided) > 1)
        self._image.setPixmap(QPixmap() if image is None else QPixmap.fromImage(image))
        self._image.setVisible(image is not None)
        fit_to_contents(self)
        parent = self.parentWidget()
        if parent is not None:
            right = max(parent.width() - self.width() - EDGE_PX, EDGE_PX)
            left = min(max(at.x() - self.width() // 2, EDGE_PX), right)
            self.move(left, max(at.y() - self.height() - GAP_PX, EDGE_PX))
        self.show()
        self.raise_()


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
        bar.strip.hovered.connect(self._on_hovered)

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
