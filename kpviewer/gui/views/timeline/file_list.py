"""List of a folder's files: search by name or number, a click goes there."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QPainter, QPalette
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.texts import count_text
from kpviewer.gui.widgets.layouts import column_of

SIZE_PX = QSize(360, 420)
ROW_PX = 24
FIGURE_SPACE = "\u2007"
"""Space as wide as a digit."""
_EDGE_PX = 8
_COUNT = Qt.ItemDataRole.UserRole


class FileList(QFrame):
    """Popup over the timeline."""

    chosen = pyqtSignal(int)
    """Emitted with the number of the image that the user goes to, from 0."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("card")
        self.model = FileModel(self)  # it must not go before the list
        self.search, self.view = QLineEdit(), QListView()
        self.search.setPlaceholderText(tr("Name or number"))
        self.search.setAccessibleName(tr("Search files"))
        self.search.textChanged.connect(self._on_text_changed)
        self.search.returnPressed.connect(self._on_return_pressed)
        self.view.setAccessibleName(tr("Files"))
        self.view.setObjectName("files")
        self.view.setModel(self.model)
        self.view.setItemDelegate(_Delegate(self.view))
        self.view.setUniformItemSizes(True)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.clicked.connect(self._choose)
        column_of(self.search, self.view, gap=4, margins=_EDGE_PX, into=self)

    def show_over(self, widget: QWidget, index: int) -> None:
        """Show the list above a widget, at the present image."""
        self.search.clear()
        at = widget.mapToGlobal(QPoint(0, 0))
        screen = widget.screen()
        height = SIZE_PX.height()
        if screen is not None:
            height = min(height, max(at.y() - screen.availableGeometry().top() - 8, 160))
        self.resize(SIZE_PX.width(), height)
        self.move(at.x(), at.y() - height - 4)
        self.show()
        self.search.setFocus()
        self._select(self.model.index(index))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move the selection with the arrows, while the search keeps the focus; Esc closes."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.hide()
            return
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        step = steps.get(Qt.Key(event.key())) if event is not None else None
        if step is None:
            super().keyPressEvent(event)
            return
        row = self.view.currentIndex().row() + step
        if 0 <= row < self.model.rowCount():
            self._select(self.model.index(row))

    def _select(self, index: QModelIndex) -> None:
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _on_text_changed(self, text: str) -> None:
        self.model.filter(text)
        if self.model.rowCount():
            self._select(self.model.index(0))

    def _on_return_pressed(self) -> None:
        self._choose(self.view.currentIndex())

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid():
            self.hide()
            self.chosen.emit(self.model.image_of(index.row()))


class FileModel(QAbstractListModel):
    """Names that contain the search text, with their images' numbers."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._names: Sequence[str] = ()
        self._lower: list[str] = []
        self._images: Sequence[int] = ()
        self._found: NDArray[np.int32] = np.zeros(0, np.int32)
        self._text, self._digits = "", 1

    def set_names(self, names: Sequence[str]) -> None:
        """Replace the names."""
        if names != self._names:
            self._names = names
            self._digits = len(count_text(len(names)))
            self._lower = [name.casefold() for name in names]
            self.filter(self._text)

    def set_counts(self, found: NDArray[np.int32]) -> None:
        """Replace the counts; below 0 is unknown."""
        self._found = found
        if self._images:
            self.dataChanged.emit(self.index(0), self.index(len(self._images) - 1), [_COUNT])

    def filter(self, text: str) -> None:
        """List the image of a number first, then names that contain the text."""
        self.beginResetModel()
        self._text = text
        needle = text.strip().casefold()
        if not needle:
            self._images = range(len(self._names))
        else:
            self._images = [i for i, name in enumerate(self._lower) if needle in name]
            if needle.isascii() and needle.isdecimal() and 0 < int(needle) <= len(self._names):
                image = int(needle) - 1
                self._images = [image, *(each for each in self._images if each != image)]
        self.endResetModel()

    def image_of(self, row: int) -> int:
        """Return the number of a row's image, from 0."""
        return self._images[row]

    def rowCount(self, _parent: QModelIndex | None = None) -> int:
        """Return the number of rows."""
        return len(self._images)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return number and name, or the number of objects found."""
        if not 0 <= index.row() < len(self._images):
            return None
        image = self._images[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            number = count_text(image + 1).rjust(self._digits, FIGURE_SPACE)
            return f"{number}  {self._names[image]}"
        if role == _COUNT and image < len(self._found) and self._found[image] >= 0:
            return count_text(int(self._found[image]))
        return None


class _Delegate(QStyledItemDelegate):
    """Row with the number of objects at its right end."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex) -> QSize:
        """Return the height of all rows."""
        return QSize(0, ROW_PX)

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:
        """Leave room for the count."""
        super().initStyleOption(option, index)
        count = index.data(_COUNT)
        if option is not None and count is not None:
            metrics, middle = option.fontMetrics, Qt.TextElideMode.ElideMiddle
            room = option.rect.width() - metrics.horizontalAdvance(count) - 4 * _EDGE_PX
            option.text = metrics.elidedText(option.text, middle, room)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw the name, and the count in grey."""
        super().paint(painter, option, index)
        count = index.data(_COUNT)
        if painter is not None and count is not None:
            painter.save()
            painter.setPen(option.palette.color(QPalette.ColorRole.PlaceholderText))
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(option.rect.adjusted(0, 0, -_EDGE_PX, 0), right, count)
            painter.restore()
