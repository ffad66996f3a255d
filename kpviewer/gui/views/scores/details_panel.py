"""Details of the scores, each under a heading that folds: classes, confusion, errors."""

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDialog, QScrollArea, QTreeWidgetItem, QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.views.scores.charts import BarPlot, HeatTable
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import boxed, column_of
from kpviewer.gui.widgets.plain_text import Label, number_text, plain_tip
from kpviewer.gui.widgets.rows_tree import RowsTree
from kpviewer.gui.widgets.section import Heading
from kpviewer.scanning.scores import ClassRow, ScanScores
from kpviewer.structures import IntArray

FEW_CLASSES = 8
"""Number of classes up to which the confusion table fits into the panel."""
MOST_CONFUSED = 4
"""Number of confused pairs of classes that are named."""
VISIBLE_ROWS, ROW_PX, CELL_PX = 8, 28, 40
_INDENT = 6
_COLUMNS = (
    (tr_noop("Class"), tr_noop("Class"), 0),
    ("AP", tr_noop("Average precision at IoU 0.5"), 40),
    ("n", tr_noop("Objects in the ground truth"), 36),
    ("○", tr_noop("Missed: objects that were not detected"), 32),
    ("×", tr_noop("False alarm: detections without an object"), 32),
)


class Fold(QWidget):
    """Widget under a heading that shows and hides it."""

    def __init__(self, title: str, tip: str, body: QWidget) -> None:
        super().__init__()
        self.heading = Heading(title, tip)
        self.body = body
        indented = column_of(self.heading, margins=(-_INDENT, 0, 0, 0))  # in line with the text
        column_of(indented, body, gap=4, into=self)
        self.heading.toggled.connect(body.setVisible)
        body.setVisible(False)


class DetailsPanel(QWidget):
    """What is behind the numbers of the first model."""

    def __init__(self) -> None:
        super().__init__()
        self._scores: ScanScores | None = None
        self._names: tuple[str, ...] = ()
        columns = [(tr(text), tr(tip), width) for text, tip, width in _COLUMNS]
        self.table = RowsTree(tr("Scores by class"), columns)
        self.table.sortByColumn(1, Qt.SortOrder.AscendingOrder)
        self.confusion = HeatTable()
        self._confused = Label(kind="small", wraps=True)
        self.enlarge = PushButton(tr("Open large…"))
        self.enlarge.clicked.connect(self._on_enlarge_clicked)
        self.errors = BarPlot(tr("Histogram of errors"))
        self._unit = Label(kind="small", wraps=True)
        self.folds = (
            Fold(
                tr("By class"), tr("Objects, mistakes and average precision by class"), self.table
            ),
            Fold(
                tr("Confusion"),
                tr("What objects of each class are detected as"),
                boxed(column_of(self.confusion, self._confused, self.enlarge, gap=4)),
            ),
            Fold(
                tr("Errors"),
                tr("Number of objects by error"),
                boxed(column_of(self.errors, self._unit, gap=4)),
            ),
        )
        column_of(*self.folds, gap=0, into=self)
        for fold in self.folds:
            fold.heading.toggled.connect(self._show)

    def set_class_names(self, names: tuple[str, ...]) -> None:
        """Use the classes of a model."""
        self._names = names

    def show_scores(self, scores: ScanScores | None) -> None:
        """Show the details of these scores; None if nothing was scored."""
        self._scores = scores
        self._show()

    def rows(self) -> list[list[str]]:
        """Return the texts of the table of classes."""
        items = self.table.rows()
        return [[each.text(column) for column in range(len(_COLUMNS))] for each in items]

    def _show(self) -> None:
        """Show what isn't folded."""
        scores = self._scores
        classes, confusion, errors = self.folds
        has_table = scores is not None and scores.confusion is not None
        confusion.setVisible(has_table and len(self._names) > 1)
        classes.setVisible(scores is not None and len(self._names) > 1)
        errors.setVisible(scores is not None and len(scores.object_errors) > 0)
        if scores is None:
            return
        if classes.heading.isChecked():
            self._show_classes(scores.rows)
        if confusion.heading.isChecked() and scores.confusion is not None:
            is_small = len(self._names) <= FEW_CLASSES
            self.confusion.setVisible(is_small)
            self._confused.setVisible(not is_small)
            if is_small:
                self.confusion.show_counts(scores.confusion, self._names)
            else:
                self._confused.setText(_confused_text(scores.confusion, self._names))
        if errors.heading.isChecked() and len(scores.object_errors):
            self.errors.show_values(scores.object_errors)
            self._unit.setText(_unit_text(scores))

    def _show_classes(self, rows: tuple[ClassRow, ...]) -> None:
        self.table.setSortingEnabled(False)
        items = self.table.set_count(len(rows), _NumberItem)
        for item, row in zip(items, rows, strict=True):
            name = self._names[row.class_id] if row.class_id < len(self._names) else "?"
            counts = (row.objects, row.false_negatives, row.false_positives)
            for column, text in enumerate((name, number_text(row.ap50), *map(str, counts))):
                item.setText(column, text)
                item.setToolTip(column, plain_tip(_class_tip(row, name)))
        self.table.setSortingEnabled(True)
        self.table.setFixedHeight((min(len(rows), VISIBLE_ROWS) + 1) * ROW_PX + 2)

    def _on_enlarge_clicked(self) -> None:
        if self._scores is not None and self._scores.confusion is not None:
            dialog = confusion_dialog(self, self._scores, self._names)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()


def confusion_dialog(parent: QWidget, scores: ScanScores, names: tuple[str, ...]) -> QDialog:
    """Return a dialog with the confusion table of the classes that occur in it."""
    counts = scores.confusion
    assert counts is not None
    used = np.flatnonzero((counts.sum(axis=0) + counts.sum(axis=1))[:-1])
    kept = np.append(used, len(counts) - 1)
    dialog = QDialog(parent)
    dialog.setWindowTitle(tr("Confusion at confidence {score:g} and IoU 0.5").format(
        score=scores.thresholds.score
    ))  # fmt: skip
    table = HeatTable(CELL_PX)
    table.show_counts(counts[np.ix_(kept, kept)], tuple(names[row] for row in used.tolist()))
    area = QScrollArea()
    area.setWidget(table)
    text = tr("Rows: classes of the ground truth. Columns: classes that were detected.")
    column_of(area, Label(text, "secondary"), margins=-1, grows=area, into=dialog)
    size = table.size()
    dialog.resize(min(size.width() + 48, 900), min(size.height() + 96, 700))
    return dialog


def _confused_text(counts: IntArray, names: tuple[str, ...]) -> str:
    """Return the pairs of classes that are most often confused, a line each."""
    others = counts[:-1, :-1] * ~np.eye(len(names), dtype=np.bool_)
    most = np.argsort(-others, axis=None, kind="stable")[:MOST_CONFUSED]
    rows, columns = np.unravel_index(most, others.shape)
    lines = [
        tr("{count} × {true} detected as {found}").format(
            count=others[row, column], true=names[row], found=names[column]
        )
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if others[row, column]
    ]
    return "\n".join(lines) or tr("No class is confused with another.")


def _class_tip(row: ClassRow, name: str) -> str:
    text = tr("{name}: {matched} of {n} matched, {false} false alarms").format(
        name=name, matched=row.matched, n=row.objects, false=row.false_positives
    )
    if row.best is None:
        return text
    best = tr("best confidence {score:.3f} (F1 {f1:.2f})")
    return f"{text}\n{best.format(score=row.best.score, f1=row.best.f1)}"


def _unit_text(scores: ScanScores) -> str:
    median = float(np.median(scores.object_errors))
    if scores.error_unit == "px":
        text = tr("Distance of {n:,} matched objects, px: median {median:.3g}")
    else:
        text = tr("NME of {n:,} matched objects: median {median:.3g}")
    return text.format(n=len(scores.object_errors), median=median)


class _NumberItem(QTreeWidgetItem):
    """Row that is sorted by its numbers."""

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        tree = self.treeWidget()
        column = tree.sortColumn() if tree is not None else 0
        mine, its = self.text(column), other.text(column)
        if column == 0:
            return mine.casefold() < its.casefold()
        return _value(mine) < _value(its)


def _value(text: str) -> float:
    return -1.0 if text == "–" else float(text)
