"""Precision against recall and F1 against confidence, over the frames seen so far."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.curve_plot import CurvePlot
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.theme import Theme
from kpviewer.metrics.curves import (
    ClassScore,
    PrecisionRecall,
    ThresholdCurves,
    class_score,
    threshold_curves,
)
from kpviewer.metrics.multilabel import best_threshold
from kpviewer.structures import FloatArray

STEPS = 1000
"""Steps of the confidence slider: the best confidence is one of them."""
SHOWN_FROM = 60
"""Number of frames still to be evaluated from which the progress is shown."""


class CurvesPanel(QWidget):
    """Two plots, their values at the present confidence, and a button for the best one."""

    class_chosen = pyqtSignal()
    """The user changed ``class_id``."""
    best_chosen = pyqtSignal(object, float)
    """Class id or None for all, and the confidence of its best F1."""

    def __init__(self) -> None:
        super().__init__()
        self._curve: PrecisionRecall | None = None
        self._table: ThresholdCurves | None = None
        self._score = 0.5
        self._best: float | None = None
        self.classes = QComboBox()
        self.classes.setAccessibleName(tr("Class of the curves"))
        self.classes.setToolTip(tr("All classes together, or one alone"))
        self.classes.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.classes.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.precision_recall = CurvePlot(
            tr("Precision against recall"), tr("To the right: recall")
        )
        self.f1 = CurvePlot(tr("F1 against confidence"), tr("To the right: confidence"))
        self._now = _label(tr("At the present confidence"))
        self._frames = _label(tr("Evaluated frames"))
        for label in (self._now, self._frames):
            label.setWordWrap(True)
        self.use_best = PushButton(tr("Set the best confidence"))
        self.use_best.setAccessibleName(tr("Set the best confidence"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (
            self.classes,
            self.precision_recall,
            self.f1,
            self._now,
            self.use_best,
            self._frames,
        ):
            column.addWidget(widget)
        self.classes.activated.connect(self._on_class_activated)
        self.use_best.clicked.connect(self._on_best_clicked)
        self.precision_recall.hovered.connect(self._on_recall_hovered)
        self.f1.hovered.connect(self._on_confidence_hovered)
        self.set_class_names(())
        self.show_curve(None, floor=0.0)

    def set_theme(self, theme: Theme) -> None:
        """Use the colours of a theme."""
        self.precision_recall.set_theme(theme)
        self.f1.set_theme(theme)

    def set_class_names(self, names: tuple[str, ...]) -> None:
        """Offer the classes of a model."""
        self.classes.clear()
        self.classes.addItems((tr("All classes together"), *names))
        self.classes.setVisible(len(names) > 1)

    @property
    def class_id(self) -> int | None:
        """Class whose curves are shown; None is all together."""
        chosen = self.classes.currentIndex() - 1
        return chosen if chosen >= 0 else None

    def show_curve(self, curve: PrecisionRecall | None, *, floor: float) -> None:
        """Draw other curves, from the confidence ``floor`` on; None if no frame was evaluated."""
        has_ground_truth = curve is not None and curve.objects > 0
        self._curve = curve if has_ground_truth else None
        self._table, self._best = None, None
        if self._curve is None:
            empty = np.zeros(0, np.float32)
            self.precision_recall.show_curve(empty, empty)
            self.f1.show_curve(empty, empty)
        else:
            table = self._table = threshold_curves(self._curve, _steps(floor))
            self._best = best_threshold(table.thresholds, table.f1) if table.f1.any() else None
            self.precision_recall.show_curve(table.recall, table.precision)
            self.f1.show_curve(table.thresholds, table.f1, mark=self._best)
        self.use_best.setEnabled(self._best is not None)
        self.use_best.setText(tr("Set the best confidence"))
        self.use_best.setToolTip(tr("No true positives yet"))
        if self._best is not None:
            f1 = class_score(self._curve, self._best).f1 if self._curve is not None else None
            self.use_best.setText(tr("Set to {score:.3f} (best F1)").format(score=self._best))
            tip = tr("Set the confidence where F1 is highest, {f1}")
            self.use_best.setToolTip(tip.format(f1=_number(f1)))
        self.show_score(self._score)

    def show_score(self, score: float) -> None:
        """Mark the present confidence on the curves."""
        self._score = score
        if self._curve is None:
            self.precision_recall.show_point(None, None)
            self.f1.show_point(None, None)
            self._now.setText(tr("No object in the ground truth yet"))
            return
        point = class_score(self._curve, score)
        self.precision_recall.show_point(point.recall, point.precision)
        self.f1.show_point(score, point.f1)
        self._show_values(score, point)

    def show_frames(self, evaluated: int, pending: int, note: str = "") -> None:
        """Show the number of frames that the curves cover."""
        if pending >= SHOWN_FROM:
            text = tr("Evaluating again: {done:,} of {n:,} frames")
            self._frames.setText(text.format(done=evaluated, n=evaluated + pending))
        else:
            frames = evaluated + pending
            text = (
                tr("{n:,} labelled frame scored")
                if frames == 1
                else tr("{n:,} labelled frames scored")
            )
            self._frames.setText(text.format(n=frames) + note)

    def text(self) -> str:
        """Return all shown text, for tests and screen readers."""
        return f"{self._now.text()} | {self.use_best.text()} | {self._frames.text()}"

    def _show_values(self, score: float, point: ClassScore) -> None:
        precision, recall, f1 = map(_number, (point.precision, point.recall, point.f1))
        text = tr("At {score:.3f}:  precision {precision}  recall {recall}  F1 {f1}")
        self._now.setText(text.format(score=score, precision=precision, recall=recall, f1=f1))

    def _on_class_activated(self, _row: int) -> None:
        self.class_chosen.emit()

    def _on_recall_hovered(self, recall: float | None) -> None:
        if self._table is not None and recall is not None:
            row = int(np.nanargmin(np.abs(self._table.recall - recall)))
            self._on_confidence_hovered(float(self._table.thresholds[row]))
        else:
            self._on_confidence_hovered(None)

    def _on_confidence_hovered(self, score: float | None) -> None:
        if self._curve is not None:
            shown = self._score if score is None else score
            self._show_values(shown, class_score(self._curve, shown))

    def _on_best_clicked(self) -> None:
        if self._best is not None:
            self.best_chosen.emit(self.class_id, self._best)


def _steps(floor: float) -> FloatArray:
    """Return every step of the confidence slider, from ``floor`` on."""
    return (np.arange(round(floor * STEPS), STEPS + 1) / STEPS).astype(np.float32)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _label(name: str) -> Label:
    label = Label()
    label.setProperty("kind", "small")
    label.setAccessibleName(name)
    return label
