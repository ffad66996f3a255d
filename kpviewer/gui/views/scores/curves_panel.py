"""Precision against recall and F1 against confidence, over the scored frames."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import ComboBox, PushButton
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label, number_text, one_line
from kpviewer.gui.widgets.theme import DARK, Theme
from kpviewer.metrics.curves import ClassScore, ThresholdCurves, class_score, threshold_curves
from kpviewer.scanning.scores import ScanScores, confidence_steps

if TYPE_CHECKING:
    from kpviewer.gui.widgets.curve_plot import CurvePlot


class CurvesPanel(QWidget):
    """Two plots, their values at the present confidence, and a button for the best one.

    The curves of a second model are dashed. The button is for the first. The plots are made with
    the first scores: most windows never show any, and pyqtgraph takes long to import.
    """

    class_chosen = pyqtSignal()
    """The user changed ``class_id``."""
    best_chosen = pyqtSignal(object, float)
    """Class id or None for all, and the confidence of its best F1."""

    def __init__(self) -> None:
        super().__init__()
        self._scores: tuple[ScanScores | None, ScanScores | None] = (None, None)
        self._second_ids: tuple[int | None, ...] = ()
        self._table: ThresholdCurves | None = None
        self._score = 0.5
        self._theme = DARK
        self.classes = ComboBox()
        self.classes.setAccessibleName(tr("Class of the curves"))
        self.classes.setToolTip(tr("All classes together, or one alone"))
        self.classes.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.classes.setSizeAdjustPolicy(
            ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._now = Label(kind="small", wraps=True, name=tr("At the present confidence"))
        self.use_best = PushButton(tr("Set the best confidence"))
        self.use_best.setAccessibleName(tr("Set the best confidence"))
        self.use_best.setEnabled(False)
        self._column = column_of(self.classes, self._now, self.use_best, gap=4, into=self)
        self.classes.activated.connect(self._on_class_activated)
        self.use_best.clicked.connect(self._on_best_clicked)
        self.set_class_names(())

    @property
    def precision_recall(self) -> CurvePlot:
        """Plot of precision against recall."""
        return self._plots[0]

    @property
    def f1(self) -> CurvePlot:
        """Plot of F1 against confidence."""
        return self._plots[1]

    @cached_property
    def _plots(self) -> tuple[CurvePlot, CurvePlot]:
        from kpviewer.gui.widgets.curve_plot import CurvePlot  # noqa: PLC0415 - as above

        recall = CurvePlot(tr("Precision against recall"), tr("To the right: recall"))
        f1 = CurvePlot(tr("F1 against confidence"), tr("To the right: confidence"))
        recall.hovered.connect(self._on_recall_hovered)
        f1.hovered.connect(self._on_confidence_hovered)
        for row, plot in enumerate((recall, f1), start=1):
            plot.set_theme(self._theme)
            self._column.insertWidget(row, plot)
        return recall, f1

    @property
    def _has_plots(self) -> bool:
        return "_plots" in vars(self)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self._theme = theme
        if self._has_plots:
            self.precision_recall.set_theme(theme)
            self.f1.set_theme(theme)

    def set_class_names(
        self, names: tuple[str, ...], second_ids: tuple[int | None, ...] = ()
    ) -> None:
        """Offer the classes of a model."""
        self._second_ids = second_ids
        every = (tr("All classes together"), *map(one_line, names))
        if every == tuple(self.classes.itemText(row) for row in range(self.classes.count())):
            return
        self.classes.clear()
        self.classes.addItems(every)
        self.classes.setVisible(len(names) > 1)

    @property
    def class_id(self) -> int | None:
        """Class whose curves are shown; None is all together."""
        chosen = self.classes.currentIndex() - 1
        return chosen if chosen >= 0 else None

    def show_scores(self, first: ScanScores | None, second: ScanScores | None) -> None:
        """Draw the curves of one model or two; None if nothing was scored."""
        self._scores = (first, second)
        if first is not None or self._has_plots:
            self._draw()

    def show_score(self, score: float) -> None:
        """Mark a confidence of the shown class on the curves of the first model."""
        self._score = score
        if not self._has_plots:
            return
        first, second = self._scores
        point = self._point(first, self.class_id, score)
        its_id, is_known = self._second_id()
        its_score = second.score_of(its_id) if second is not None and is_known else 0.0
        its = self._point(second if is_known else None, its_id, its_score)
        self.precision_recall.show_points(
            None if point is None else (point.recall, point.precision),
            None if its is None else (its.recall, its.precision),
        )
        self.f1.show_points(
            None if point is None else (score, point.f1),
            None if its is None else (its_score, its.f1),
        )
        if point is None:
            self._now.setText(tr("No object in the ground truth yet"))
        else:
            self._show_values(score, point)

    def text(self) -> str:
        """Return all shown text, for tests and screen readers."""
        return f"{self._now.text()} | {self.use_best.text()}"

    def _draw(self) -> None:
        first, second = self._scores
        class_id = self.class_id
        self._table = _table(first, class_id)
        best = first.best(class_id) if first is not None else None
        its_id, is_known = self._second_id()
        own, its = self._table, _table(second if is_known else None, its_id)
        self.precision_recall.show_curves(
            None if own is None else (own.recall, own.precision),
            None if its is None else (its.recall, its.precision),
        )
        self.f1.show_curves(
            None if own is None else (own.thresholds, own.f1),
            None if its is None else (its.thresholds, its.f1),
            mark=best.score if best is not None else None,
        )
        self.use_best.setEnabled(best is not None)
        self.use_best.setText(tr("Set the best confidence"))
        self.use_best.setToolTip(tr("No true positives yet"))
        if best is not None:
            self.use_best.setText(tr("Set to {score:.3f} (best F1)").format(score=best.score))
            tip = tr("Set confidence {score:.3f}, where F1 is highest: {f1}")
            self.use_best.setToolTip(tip.format(score=best.score, f1=number_text(best.f1)))
        if first is not None:
            self._score = first.score_of(class_id)
        self.show_score(self._score)

    def _second_id(self) -> tuple[int | None, bool]:
        """Return the shown class in the second model, and whether it has the class."""
        class_id = self.class_id
        if class_id is None:
            return None, True
        its = self._second_ids[class_id] if class_id < len(self._second_ids) else None
        return its, its is not None

    @staticmethod
    def _point(scores: ScanScores | None, class_id: int | None, score: float) -> ClassScore | None:
        if scores is None or not scores.curve(class_id).objects:
            return None
        return class_score(scores.curve(class_id), score)

    def _show_values(self, score: float, point: ClassScore) -> None:
        precision, recall, f1 = map(number_text, (point.precision, point.recall, point.f1))
        text = tr("At {score:.3f}:  precision {precision}  recall {recall}  F1 {f1}")
        self._now.setText(text.format(score=score, precision=precision, recall=recall, f1=f1))

    def _on_class_activated(self, _row: int) -> None:
        self.show_scores(*self._scores)
        self.class_chosen.emit()

    def _on_recall_hovered(self, recall: float | None) -> None:
        if self._table is not None and recall is not None:
            row = int(np.nanargmin(np.abs(self._table.recall - recall)))
            self._on_confidence_hovered(float(self._table.thresholds[row]))
        else:
            self._on_confidence_hovered(None)

    def _on_confidence_hovered(self, score: float | None) -> None:
        shown = self._score if score is None else score
        point = self._point(self._scores[0], self.class_id, shown)
        if point is not None:
            self._show_values(shown, point)

    def _on_best_clicked(self) -> None:
        first = self._scores[0]
        best = first.best(self.class_id) if first is not None else None
        if best is not None:
            self.best_chosen.emit(self.class_id, best.score)


def _table(scores: ScanScores | None, class_id: int | None) -> ThresholdCurves | None:
    """Return the values at each step of the slider; None without objects."""
    if scores is None or not scores.curve(class_id).objects:
        return None
    return threshold_curves(scores.curve(class_id), confidence_steps(scores.floor))
