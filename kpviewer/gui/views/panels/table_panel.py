"""Panel with the table of the detections in the image."""

from PyQt6.QtCore import QItemSelectionModel, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PyQt6.QtWidgets import QAbstractItemView, QFrame, QHBoxLayout, QTableView

from kpviewer.gui.language import tr
from kpviewer.gui.views.panels.table_model import CLASS, INDEX, POINT, SCORE, DetectionsModel
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import column_of, row_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.rows_tree import OneLineDelegate
from kpviewer.structures import Detections

SIZE = QSize(344, 240)
ROW_PX = 28
_WIDTHS = {INDEX: 40, CLASS: 84, SCORE: 52, POINT: 104}
_USUAL_WIDTH = 56
_FLAGS = QItemSelectionModel.SelectionFlag


class TablePanel(QFrame):
    """Table of detections, with buttons to copy and to export them."""

    chosen = pyqtSignal(int)
    """Index of the detection that the user chose."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tablePanel")
        self._model = DetectionsModel(self)  # it must not go before the table
        self._is_updating = False
        self.table = QTableView()
        self.table.setAccessibleName(tr("Detections"))
        self.table.setModel(self._model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setSortingEnabled(True)
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setItemDelegateForColumn(CLASS, OneLineDelegate(self.table))
        self.table.setIconSize(QSize(10, 10))
        rows, header = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and header is not None:
            rows.hide()
            rows.setDefaultSectionSize(ROW_PX)
            header.setHighlightSections(False)
        self._count = Label(kind="heading")
        column_of(
            self._head(), self.table, gap=8, margins=(12, 8, 8, 8), grows=self.table, into=self
        )
        self._model.modelReset.connect(self._set_widths)
        chosen = self.table.selectionModel()
        if chosen is not None:
            chosen.selectionChanged.connect(self._on_selection_changed)
        self._set_widths()
        self.show_detections(Detections.empty(), None, (), ())

    @property
    def detections(self) -> Detections:
        """Detections that the table shows."""
        return self._model.detections

    def sizeHint(self) -> QSize:
        """Return room for class, confidence and box."""
        return SIZE

    def show_detections(
        self,
        found: Detections,
        chosen: int | None,
        class_names: tuple[str, ...],
        point_names: tuple[str, ...],
        *,
        has_point_scores: bool = False,
    ) -> None:
        """Show detections, one of them chosen, without emitting ``chosen``."""
        self._is_updating = True
        self._model.show(found, class_names, point_names, has_point_scores=has_point_scores)
        self._choose(chosen)
        self._is_updating = False
        self._count.setText(tr("Detections: {count}").format(count=len(found)))

    def copy(self) -> None:
        """Put the chosen row, or all of them, on the clipboard."""
        chosen, clipboard = self._chosen_row(), QGuiApplication.clipboard()
        rows = range(self._model.rowCount()) if chosen is None else [chosen]
        if clipboard is not None:
            clipboard.setText(self._model.tsv(rows))

    def _choose(self, index: int | None) -> None:
        model, row = self.table.selectionModel(), self._chosen_row()
        new_row = None if index is None else self._model.row_of(index)
        if model is None or row == new_row:
            return
        if new_row is None:
            model.clear()
        else:
            cell = self._model.index(new_row, 0)
            model.setCurrentIndex(cell, _FLAGS.ClearAndSelect | _FLAGS.Rows)
            self.table.scrollTo(cell)

    def _chosen_row(self) -> int | None:
        model = self.table.selectionModel()
        rows = model.selectedRows() if model is not None else []
        return rows[0].row() if rows else None

    def _on_selection_changed(self) -> None:
        row = self._chosen_row()
        if row is not None and not self._is_updating:
            self.chosen.emit(self._model.detection_of(row))

    def _head(self) -> QHBoxLayout:
        tip = tr(
            "Copy the chosen row, or all, for a spreadsheet (Ctrl+C while the table has focus)"
        )
        copy = PushButton(tr("Copy"), tip)
        export = PushButton(tr("Export"), tr("Save this frame's detections as CSV"))
        copy.clicked.connect(self.copy)
        shortcut = QShortcut(QKeySequence.StandardKey.Copy, self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.copy)
        self.copy_button, self.export_button = copy, export
        return row_of(self._count, copy, export, gap=4, grows=self._count)

    def _set_widths(self) -> None:
        for section, column in enumerate(self._model.columns()):
            self.table.setColumnWidth(section, _WIDTHS.get(column.kind, _USUAL_WIDTH))
