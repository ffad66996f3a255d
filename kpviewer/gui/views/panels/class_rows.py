"""Parts of the class list: its rows, number fields of single classes, and one class shown alone."""

from PyQt6.QtCore import QEvent, QPoint, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import ENTER, PushButton
from kpviewer.gui.widgets.plain_text import plain_tip
from kpviewer.gui.widgets.rows_tree import RowsTree
from kpviewer.gui.widgets.value_slider import ShareBox


class Solo:
    """Class that is shown alone, and the classes that were shown before."""

    def __init__(self) -> None:
        self.class_id: int | None = None
        """Id of the class that is shown alone; None if there is none."""
        self._before: frozenset[int] | None = None

    def toggle(self, class_id: int, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Return the classes to show: this one alone or, if it is already, those before."""
        if class_id == self.class_id:
            self.class_id = None
            return self._before
        self._before = self.lasting(
            shown
        )  # after one class alone and then another, the former classes return
        self.class_id = class_id
        return frozenset((class_id,))

    def lasting(self, shown: frozenset[int] | None) -> frozenset[int] | None:
        """Return the ids of the classes that are shown if none is alone."""
        return shown if self.class_id is None else self._before

    def forget(self) -> None:
        """Forget the classes that were shown before."""
        self.class_id = None


class OwnScoreBox(ShareBox):
    """Field that shows "default" while the class uses the slider's confidence."""

    edited = pyqtSignal(object)
    """Emitted after edits by the user, with the class's own confidence or None."""

    def __init__(self, class_name: str, score: float | None) -> None:
        super().__init__()
        self.setObjectName("ownScore")
        self.setSpecialValueText(tr("default"))  # shown for the lowest value
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Confidence of {name}").format(name=class_name))
        tip = tr("Confidence of {name}; 0 is the default: the slider's (↑ ↓)")
        self.setToolTip(plain_tip(tip.format(name=class_name)))
        self.set_score(score)
        self.valueChanged.connect(self._on_value_changed)

    def set_score(self, score: float | None) -> None:
        """Show another confidence, without emitting ``edited``."""
        with QSignalBlocker(self):
            self.setValue(score or 0.0)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Keep Enter, which Qt's field passes on: the list would untick the class."""
        super().keyPressEvent(event)
        if event is not None and event.key() in ENTER:
            event.accept()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the list, unless the field is being edited."""
        if event is None:
            return
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _on_value_changed(self, value: float) -> None:
        self.edited.emit(value or None)


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
        if event is None or item is None or event.key() not in ENTER:
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
