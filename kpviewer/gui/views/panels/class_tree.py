"""Rows of the class list: ticks, and a button to show only the class under the pointer."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.plain_text import plain_tip
from kpviewer.gui.widgets.rows_tree import RowsTree

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SOLO = Qt.KeyboardModifier.ControlModifier
"""Modifier key for showing one class alone: Linux window managers use Alt+drag themselves."""


BOX_PX = 20
"""Width of the box for the tick, at the left end of a row."""


class ClassTree(RowsTree):
    """Tree whose rows are ticked by click or Enter, and shown alone by double click or Ctrl."""

    solo_asked = pyqtSignal(int)
    """Emitted with a row: show only its class, or undo that."""

    def __init__(self) -> None:
        super().__init__(tr("Classes"), [("", "", 0)] * 3)
        self.setHeaderHidden(True)
        self.setToolTip(
            tr("Untick a class to hide its boxes. Double click or Ctrl+Enter: only this class")
        )
        self.setMouseTracking(True)
        self._alone: int | None = None
        self._row = -1
        self.solo = PushButton("")
        """Button on the row under the pointer."""
        self.solo.setParent(self.viewport())
        self.solo.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keyboard has Ctrl+Enter
        self.solo.clicked.connect(lambda: self.solo_asked.emit(self._row))
        self.solo.hide()
        bar = self.verticalScrollBar()
        if bar is not None:
            bar.valueChanged.connect(lambda _value: self._show_button(-1))

    def set_alone(self, row: int | None) -> None:
        """Set which class is shown alone: its button undoes that."""
        self._alone = row
        self._show_button(self._row)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """With Ctrl, ask to show only this class; else tick."""
        if event is None or not event.modifiers() & _SOLO:
            super().mousePressEvent(event)
        elif (row := self._row_at(event.position().toPoint())) >= 0:
            self.solo_asked.emit(row)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Tick, unless Ctrl is held."""
        if event is None or not event.modifiers() & _SOLO:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Ask to show only this class; on the box, tick again as a second click does."""
        row = -1 if event is None else self._row_at(event.position().toPoint())
        if event is None or row < 0 or self._is_on_box(event.position().toPoint()):
            super().mouseDoubleClickEvent(event)
        elif self.topLevelItemCount() > 1:
            self.solo_asked.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Show the button on the row under the pointer."""
        super().mouseMoveEvent(event)
        if event is not None:
            self._show_button(self._row_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent | None) -> None:
        """Hide the button."""
        super().leaveEvent(event)
        self._show_button(-1)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Toggle the tick of the current row by Enter; show only its class by Ctrl+Enter."""
        item = self.currentItem()
        if event is None or item is None or event.key() not in _ENTER:
            super().keyPressEvent(event)
        elif event.modifiers() & _SOLO:
            self.solo_asked.emit(self.indexOfTopLevelItem(item))
        else:
            is_on = item.checkState(0) is Qt.CheckState.Checked
            item.setCheckState(0, Qt.CheckState.Unchecked if is_on else Qt.CheckState.Checked)

    def _row_at(self, point: QPoint) -> int:
        item = self.itemAt(point)
        return -1 if item is None else self.indexOfTopLevelItem(item)

    def _is_on_box(self, point: QPoint) -> bool:
        return point.x() < self.visualRect(self.indexAt(point)).left() + BOX_PX

    def _show_button(self, row: int) -> None:
        """Show the button at the right end of a name; a model of one class has none."""
        item = self.topLevelItem(row) if row >= 0 and self.topLevelItemCount() > 1 else None
        self._row = row if item is not None else -1
        self.solo.setVisible(item is not None)
        if item is None:
            return
        is_alone = row == self._alone
        self.solo.setText(tr("All") if is_alone else tr("Only"))
        name = item.text(0)
        self.solo.setToolTip(
            tr("Return to the classes shown before (double click)")
            if is_alone
            else plain_tip(tr("Show only {name} (double click)").format(name=name))
        )
        self.solo.adjustSize()
        place = self.visualRect(self.indexFromItem(item, 0))
        top = place.center().y() - self.solo.height() // 2 + 1
        self.solo.move(place.right() - self.solo.width() - 4, top)
