"""Small card with the numbers of one detection, beside its box."""

from __future__ import annotations

from typing import NamedTuple

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr
from kpviewer.gui.views.video.point_table import PointRow, PointTable
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.fitting import fit_to_contents
from kpviewer.gui.widgets.plain_text import Label

_GAP_PX, _SIDE_PX, _MARGIN_PX, _SPACING_PX = 10.0, 12, 8, 4
_EDGE_PX = 4
"""Distance from the edges of the view."""


class CardText(NamedTuple):
    """Contents of a card."""

    title: str
    text: str = ""
    """Lines below the title."""
    points: tuple[PointRow, ...] = ()


class HoverCard(QFrame):
    """Card of the detection under the pointer; a pinned card stays and has buttons."""

    zoom_pressed = pyqtSignal()
    close_pressed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(tr("Detection"))
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self._title, self._text = Label(), Label()
        self._text.setProperty("kind", "secondary")
        self.points = PointTable()
        """Keypoints of the detection."""
        self.zoom = PushButton(tr("Zoom to it"))
        tip = tooltip(Act.ZOOM_OBJECT, tr("Zoom until it fills half of the view"))
        self.zoom.setToolTip(tip)
        self.close_button = PushButton(tr("Close"))
        self.close_button.setToolTip(tr("Deselect (click beside it)"))
        self.zoom.clicked.connect(self.zoom_pressed)
        self.close_button.clicked.connect(self.close_pressed)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.zoom, self.close_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_SIDE_PX, _MARGIN_PX, _SIDE_PX, _MARGIN_PX)
        column.setSpacing(_SPACING_PX)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self.points)
        column.addLayout(row)
        self.hide()

    def text(self) -> str:
        """Return the text that is shown; empty while hidden."""
        return "" if self.isHidden() else f"{self._title.text()}\n{self._text.text()}"

    def show_numbers(self, numbers: CardText, box: QRectF | None, *, pinned: bool) -> None:
        """Show numbers beside a box, in the parent's pixels.

        Args:
            numbers: what to show.
            box: box of the detection; None if it is gone: the card stays where it was.
            pinned: whether it has buttons; without them, the mouse passes through the card.
        """
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not pinned)
        self._title.setText(numbers.title)
        self._text.setText(numbers.text)
        self._text.setVisible(bool(numbers.text))
        for button in (self.zoom, self.close_button):
            button.setVisible(pinned)
        self.zoom.setEnabled(box is not None)
        self.points.show_rows(numbers.points, self._room_for_points())
        fit_to_contents(self)
        if box is not None:
            self._place(box)
        self.show()

    def _room_for_points(self) -> QSizeF:
        """Return the size that the rest of the card leaves of the parent's, px."""
        parent = self.parentWidget()
        if parent is None:
            return QSizeF()
        others = [each for each in (self._title, self._text, self.zoom) if not each.isHidden()]
        used = sum(each.sizeHint().height() + _SPACING_PX for each in others)
        frame = 2 * (_EDGE_PX + 1)
        width = parent.width() - 2 * _SIDE_PX - frame
        return QSizeF(width, parent.height() - used - 2 * _MARGIN_PX - frame)

    def _place(self, box: QRectF) -> None:
        """Move right of the box, else left of it, else inside; always within the parent."""
        parent = self.parentWidget()
        if parent is None:
            return
        room = QRectF(parent.rect()).adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)
        left = box.right() + _GAP_PX
        if left + self.width() > room.right():
            left = box.left() - _GAP_PX - self.width()
        if left < room.left():
            left = min(box.right(), room.right()) - self.width() - _GAP_PX
        left = max(room.left(), min(left, room.right() - self.width()))
        top = max(room.top(), min(box.top(), room.bottom() - self.height()))
        self.move(QPointF(left, top).toPoint())
