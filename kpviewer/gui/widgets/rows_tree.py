"""Flat list of rows with columns, each of one line."""

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QLocale, Qt
from PyQt6.QtWidgets import QHeaderView, QStyledItemDelegate, QTreeWidget, QTreeWidgetItem

from kpviewer.gui.widgets.plain_text import one_line

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_Mode = QHeaderView.ResizeMode


class OneLineDelegate(QStyledItemDelegate):
    """Delegate for cells that have room for one line, whatever line breaks a name has."""

    def displayText(self, value: object, locale: QLocale) -> str:
        """Return the text of a cell, with spaces for line breaks."""
        return one_line(super().displayText(value, locale))


class RowsTree(QTreeWidget):
    """List whose first column takes the room that is left; the others are right-aligned.

    ``columns`` are titles, tooltips and widths in px.
    """

    def __init__(self, name: str, columns: Sequence[tuple[str, str, int]]) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setItemDelegateForColumn(0, OneLineDelegate(self))  # the others hold numbers
        self.setColumnCount(len(columns))
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        item, header = self.headerItem(), self.header()
        if item is None or header is None:
            return
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(24)
        for column, (title, tip, width) in enumerate(columns):
            item.setText(column, title)
            item.setToolTip(column, tip)
            header.setSectionResizeMode(column, _Mode.Fixed if column else _Mode.Stretch)
            if column:
                item.setTextAlignment(column, _RIGHT)
                header.resizeSection(column, width)

    def rows(self) -> list[QTreeWidgetItem]:
        """Return the rows, from the top."""
        rows = (self.topLevelItem(row) for row in range(self.topLevelItemCount()))
        return [item for item in rows if item is not None]

    def set_count(
        self, count: int, make: Callable[[], QTreeWidgetItem] = QTreeWidgetItem
    ) -> list[QTreeWidgetItem]:
        """Add or remove rows at the end, which keeps the scroll position; return all."""
        while self.topLevelItemCount() > count:
            self.takeTopLevelItem(self.topLevelItemCount() - 1)
        while self.topLevelItemCount() < count:
            item = make()
            for column in range(1, self.columnCount()):
                item.setTextAlignment(column, _RIGHT)
            self.addTopLevelItem(item)
        return self.rows()
