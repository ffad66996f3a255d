"""Line at the pointer with the name and the values of one keypoint."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.plain_text import Label

_AWAY_PX, _GAP_PX = 16.0, 4.0


class PointTip(Label):
    """Line beside the pointer; the mouse passes through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__()
        self.setParent(parent)
        self.setObjectName("chip")
        self.setAccessibleName(tr("Landmark"))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_at(self, text: str, pointer: QPointF, card: QRect) -> None:
        """Show a line below and right of the pointer, else above or left.

        Args:
            text: the line; empty hides it.
            pointer: position in the parent.
            card: place of a card to keep free; empty if there is none.
        """
        parent = self.parentWidget()
        self.setVisible(bool(text))
        if not text or parent is None:
            return
        self.setText(text)
        self.adjustSize()
        room = QRectF(parent.rect()).adjusted(4, 4, -4, -4)
        x, y = pointer.x() + _AWAY_PX, pointer.y() + _AWAY_PX
        if y + self.height() > room.bottom():
            y = pointer.y() - _AWAY_PX - self.height()
        place = QRectF(QPointF(min(x, room.right() - self.width()), y), QSizeF(self.size()))
        if place.intersects(QRectF(card)):
            place.moveLeft(card.left() - _GAP_PX - self.width())
        self.move(QPointF(max(place.x(), room.left()), max(place.y(), room.top())).toPoint())
        self.raise_()
