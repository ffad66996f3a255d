"""Small card with the numbers of one detection, beside its box."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.fitting import fit_to_contents
from kpviewer.gui.widgets.plain_text import Label

_GAP_PX = 10.0


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
        self.zoom = PushButton(tr("Zoom to it"))
        self.zoom.setToolTip(tr("Zoom until it fills half of the view (double-click)"))
        self.close_button = PushButton(tr("Close"))
        self.close_button.setToolTip(tr("Deselect (click beside it)"))
        self.zoom.clicked.connect(self.zoom_pressed)
        self.close_button.clicked.connect(self.close_pressed)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.zoom, self.close_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(4)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addLayout(row)
        self.hide()

    def text(self) -> str:
        """Return the text that is shown; empty while hidden."""
        return "" if self.isHidden() else f"{self._title.text()}\n{self._text.text()}"

    def show_numbers(self, title: str, text: str, box: QRectF | None, *, pinned: bool) -> None:
        """Show numbers beside a box, in the parent's pixels.

        Args:
            title: name of the detection.
            text: lines below the title.
            box: box of the detection; None if it is gone: the card stays where it was.
            pinned: whether it has buttons; without them, the mouse passes through the card.
        """
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not pinned)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        for button in (self.zoom, self.close_button):
            button.setVisible(pinned)
        self.zoom.setEnabled(box is not None)
        fit_to_contents(self)
        if box is not None:
            self._place(box)
        self.show()

    def _place(self, box: QRectF) -> None:
        """Move right of the box, else left of it, else inside; always within the parent."""
        parent = self.parentWidget()
        if parent is None:
            return
        room = QRectF(parent.rect()).adjusted(4, 4, -4, -4)
        left = box.right() + _GAP_PX
        if left + self.width() > room.right():
            left = box.left() - _GAP_PX - self.width()
        if left < room.left():
            left = min(box.right(), room.right()) - self.width() - _GAP_PX
        left = max(room.left(), min(left, room.right() - self.width()))
        top = max(room.top(), min(box.top(), room.bottom() - self.height()))
        self.move(QPointF(left, top).toPoint())
