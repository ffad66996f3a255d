"""Scores of one model, or of two in columns, as a table of numbers."""

from collections.abc import Callable
from typing import NamedTuple

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.fitting import set_property
from kpviewer.gui.widgets.layouts import grid_of
from kpviewer.gui.widgets.plain_text import Label, number_text
from kpviewer.gui.widgets.theme import Theme
from kpviewer.scanning.scores import ScanScores

NORMALISERS = {
    "inter-ocular": tr_noop("distance of the first two of five landmarks, the eyes of a face"),
    "box diagonal": tr_noop("diagonal of the box"),
}
"""Names for people, by ``FrameErrors.nme_normaliser``."""
LARGE, PLAIN = "number", "plain"


class _Row(NamedTuple):
    name: str
    tip: str
    value: Callable[[ScanScores], float | int | None]
    digits: int
    """Decimal places; 0 for counts."""
    better: int
    """1 if higher is better, -1 if lower is."""
    kind: str = PLAIN


_ROWS = (
    _Row(
        "AP",
        tr_noop("Average precision at IoU 0.5, as kpviewer eval computes it"),
        lambda scores: scores.precision.ap50,
        3,
        1,
        LARGE,
    ),
    _Row(
        "AP .5:.95",
        tr_noop("Mean of the average precision at IoU 0.50, 0.55, … 0.95 (COCO's mAP)"),
        lambda scores: scores.precision.ap,
        3,
        1,
    ),
    _Row(
        "F1",
        tr_noop("Harmonic mean of precision and recall at the present confidence"),
        lambda scores: scores.f1(),
        3,
        1,
    ),
    _Row(
        tr_noop("✓ Matched"),
        tr_noop("Detections of an object in the ground truth"),
        lambda scores: scores.summary.matched,
        0,
        1,
    ),
    _Row(
        tr_noop("○ Missed"),
        tr_noop("Objects that were not detected"),
        lambda scores: scores.summary.false_negatives,
        0,
        -1,
    ),
    _Row(
        tr_noop("× False alarms"),
        tr_noop("Detections without an object"),
        lambda scores: scores.summary.false_positives,
        0,
        -1,
    ),
    _Row(
        tr_noop("Distance"),
        tr_noop("Mean distance of the matched landmarks, else of the box centres, px"),
        lambda scores: scores.summary.mean_px,
        1,
        -1,
    ),
    _Row(
        "NME",
        tr_noop(
            "Distance divided by that of the first two of five landmarks, the eyes "
            "of a face, or by the diagonal of the box"
        ),
        lambda scores: scores.summary.mean_nme,
        3,
        -1,
    ),
)


class ScoreTable(QWidget):
    """Grid with a row per score, and a column per model; the better of two is bold.

    Scores of different frames can't be compared, so none of them is bold.
    """

    def __init__(self) -> None:
        super().__init__()
        grid = grid_of(8, 2, into=self)
        grid.setColumnStretch(0, 1)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        self._heads = (Label("A", "secondary"), Label("B", "secondary"))
        for column, head in enumerate(self._heads, 1):
            grid.addWidget(head, 0, column, right)
        self._cells: list[tuple[Label, Label]] = []
        self._names: list[Label] = []
        for at, row in enumerate(_ROWS, 1):
            text = tr(row.name)
            name = Label(text, "secondary")
            name.setToolTip(tr(row.tip))
            cells = (Label(kind=row.kind, name=text), Label(kind=row.kind, name=f"B: {text}"))
            grid.addWidget(name, at, 0)
            for column, cell in enumerate(cells, 1):
                cell.setToolTip(tr(row.tip))
                grid.addWidget(cell, at, column, right)
            self._cells.append(cells)
            self._names.append(name)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme: those of the curves for the heads of the columns."""
        for head, color in zip(self._heads, theme.models, strict=True):
            head.setStyleSheet(f"color: {color}; font-weight: 600;")

    def set_names(self, first: str, second: str) -> None:
        """Show the names of the models at the columns."""
        for head, name in zip(self._heads, (first, second), strict=True):
            head.setToolTip(name)

    def show_scores(self, first: ScanScores, second: ScanScores | None) -> None:
        """Show the scores of a model, beside those of a second one if there is one."""
        for head in self._heads:
            head.setVisible(second is not None)
        is_fair = second is not None and first.scored == second.scored
        has_points = any(
            each is not None and each.summary.mean_nme is not None for each in (first, second)
        )
        for row, cells, name in zip(_ROWS, self._cells, self._names, strict=True):
            values = [None if each is None else row.value(each) for each in (first, second)]
            best = _better(row, values) if is_fair else None
            is_shown = has_points or row.name != "NME"
            name.setVisible(is_shown)
            for column, (cell, value) in enumerate(zip(cells, values, strict=True)):
                cell.setVisible(is_shown and (not column or second is not None))
                cell.setText(number_text(value, row.digits))
                is_large = row.kind == LARGE and second is None  # two have no room for it
                set_property(cell, "kind", LARGE if is_large else PLAIN)
                _embolden(cell, is_bold=best == column or is_large)
        self._show_worst(first, second)

    def text(self) -> str:
        """Return all shown numbers, for tests and screen readers."""
        shown = [cell.text() for cells in self._cells for cell in cells if not cell.isHidden()]
        return " | ".join(shown)

    def _show_worst(self, first: ScanScores, second: ScanScores | None) -> None:
        """Add the worst frame to the mean distance, and name the length of the NME."""
        distance = next(at for at, each in enumerate(_ROWS) if each.digits == 1)
        worst, cell = first.summary.worst_px, self._cells[distance][0]
        tip = tr(_ROWS[distance].tip)
        if worst is not None:
            text = tr("{mean} px") if second is None else "{mean}"
            cell.setText(text.format(mean=cell.text()))
            tip = f"{tip}\n{tr('worst frame {worst:.1f} px').format(worst=worst)}"
        cell.setToolTip(tip)
        length = first.errors.nme_normaliser
        tip = tr("NME: distance divided by the {length}")
        self._names[-1].setToolTip(tip.format(length=tr(NORMALISERS.get(length, length))))


def _better(row: _Row, values: list[float | int | None]) -> int | None:
    """Return the column of the better value as shown; None if they are equal or not both known."""
    first, second = values
    if first is None or second is None:
        return None
    gap = (round(first, row.digits) - round(second, row.digits)) * row.better
    return None if gap == 0 else int(gap < 0)


def _embolden(label: Label, *, is_bold: bool) -> None:
    font = label.font()
    if font.bold() != is_bold:
        font.setBold(is_bold)
        label.setFont(font)
