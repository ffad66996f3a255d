"""The classes of the model: which are shown, and how many are in the picture now."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtWidgets import (
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from kpviewer.palette import class_color
from kpviewer.structures import Detections

ROW_PX = 28
VISIBLE_ROWS = 8
FILTERED_FROM = 12
"""Classes from which on a filter field helps."""


class ClassList(QWidget):
    """A row a class: colour, name, whether it is shown, number in the picture."""

    changed = pyqtSignal()
    """By the user; ``shown`` has the new value."""

    def __init__(self) -> None:
        super().__init__()
        self._filter = QLineEdit()
        self._filter.setPlaceholderText("Filter classes")
        self._filter.setAccessibleName("Filter classes")
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._on_filter_changed)
        self._tree = QTreeWidget()
        self._tree.setAccessibleName("Classes")
        self._tree.setToolTip("Untick a class to hide its boxes (Enter)")
        self._tree.setColumnCount(2)
        self._tree.setHeaderHidden(True)
        self._tree.setRootIsDecorated(False)
        self._tree.setUniformRowHeights(True)
        self._tree.setIconSize(QSize(12, 12))
        self._tree.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        header = self._tree.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self._tree.itemChanged.connect(self._on_item_changed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._filter)
        column.addWidget(self._tree)
        self.set_classes((), None)

    def set_classes(self, names: tuple[str, ...], shown: frozenset[int] | None) -> None:
        """List other classes.

        Args:
            names: of the model.
            shown: the ids that are ticked; None is all.
        """
        blocked = self._tree.blockSignals(True)
        self._tree.clear()
        for class_id, name in enumerate(names):
            item = QTreeWidgetItem([name, "0"])
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
            ticked = shown is None or class_id in shown
            item.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            item.setIcon(0, _swatch(class_color(class_id)))
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._tree.addTopLevelItem(item)
        self._tree.blockSignals(blocked)
        self._filter.setVisible(len(names) >= FILTERED_FROM)
        rows = min(max(len(names), 1), VISIBLE_ROWS)
        self._tree.setFixedHeight(rows * ROW_PX + 4)
        self.setVisible(bool(names))

    def shown(self) -> frozenset[int] | None:
        """Ids of the ticked classes; None where all are."""
        ticked = [
            class_id
            for class_id, item in enumerate(self._items())
            if item.checkState(0) is Qt.CheckState.Checked
        ]
        return None if len(ticked) == self._tree.topLevelItemCount() else frozenset(ticked)

    def set_ticked(self, class_id: int, ticked: bool) -> None:
        """Tick or untick a class, as a click on its box does."""
        state = Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        self._items()[class_id].setCheckState(0, state)

    def counts(self) -> list[int]:
        """The numbers that are shown, by class id."""
        return [int(item.text(1)) for item in self._items()]

    def show_counts(self, detections: Detections) -> None:
        """Count what is in the picture."""
        items = self._items()
        counts = np.bincount(detections.class_ids, minlength=len(items))
        blocked = self._tree.blockSignals(True)
        for item, count in zip(items, counts, strict=False):
            if item.text(1) != str(count):
                item.setText(1, str(count))
        self._tree.blockSignals(blocked)

    def _items(self) -> list[QTreeWidgetItem]:
        rows = (self._tree.topLevelItem(row) for row in range(self._tree.topLevelItemCount()))
        return [item for item in rows if item is not None]

    def _on_item_changed(self, _item: QTreeWidgetItem, column: int) -> None:
        if column == 0:
            self.changed.emit()

    def _on_filter_changed(self, text: str) -> None:
        for item in self._items():
            item.setHidden(text.casefold() not in item.text(0).casefold())


def _swatch(rgb: tuple[int, int, int]) -> QIcon:
    """A dot of the class's colour."""
    pixmap = QPixmap(24, 24)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*rgb))
    painter.drawEllipse(2, 2, 20, 20)
    painter.end()
    return QIcon(pixmap)
