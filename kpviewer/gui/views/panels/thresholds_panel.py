"""Settings that turn candidates into detections: confidence, IoU or σ, and kind of NMS."""

from dataclasses import replace
from functools import partial
from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import ChoiceBox
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.value_slider import ValueSlider
from kpviewer.structures import NmsKind, Thresholds

_KINDS = (NmsKind.HARD, NmsKind.SOFT_LINEAR, NmsKind.SOFT_GAUSSIAN, NmsKind.NONE)


class ThresholdsPanel(QWidget):
    """Panel that edits Thresholds; its classes are those of the class list."""

    changed = pyqtSignal()
    """Emitted after edits by the user; ``thresholds`` has the new value."""

    def __init__(self) -> None:
        super().__init__()
        self.thresholds = Thresholds()
        """Thresholds that are set."""
        self.confidence = ValueSlider(
            tr("Confidence"), tr("How sure the model must be to show an object.")
        )
        self.keypoint = ValueSlider(
            tr("Keypoint confidence"),
            tr("How sure the model must be of a keypoint. Less sure ones fade, then vanish."),
        )
        self.iou = ValueSlider(
            tr("IoU (NMS)"), tr("How much two boxes may overlap before the weaker one is removed.")
        )
        self.sigma = ValueSlider(
            tr("Width σ (NMS)"),
            tr("How strongly overlap lowers confidence: a larger σ lowers it less."),
            0.01,
        )
        self.nms = ChoiceBox(
            tr("Overlapping boxes (NMS)"),
            (
                (tr("Hard"), tr("Remove boxes that overlap a better one")),
                (tr("Soft linear"), tr("Lower their confidence by their overlap")),
                (tr("Soft Gaussian"), tr("Lower their confidence smoothly by their overlap")),
                (tr("None"), tr("Keep every box: for models that predict each object once")),
            ),
        )
        self._sliders = {
            "score": self.confidence,
            "keypoint": self.keypoint,
            "iou": self.iou,
            "sigma": self.sigma,
        }
        """Sliders by the fields of Thresholds that they edit."""
        kinds = Label(self.nms.accessibleName())
        column_of(*self._sliders.values(), 4, kinds, self.nms, gap=4, into=self)
        self.keypoint.hide()
        for field, slider in self._sliders.items():
            slider.changed.connect(partial(self._on_edited, field))
        self.nms.chosen.connect(lambda index: self._on_edited("nms", _KINDS[index]))
        self.set_thresholds(self.thresholds)

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Show other thresholds, without emitting ``changed``."""
        self.thresholds = thresholds
        for field, slider in self._sliders.items():
            slider.set_value(getattr(thresholds, field))
        self.nms.set_index(_KINDS.index(thresholds.nms))
        self._show_slider_in_use()

    def choose_confidence(self, score: float) -> None:
        """Set the confidence as the slider does; emits ``changed``."""
        self.confidence.set_value(score)
        self._on_edited("score", self.confidence.value())

    def set_defaults(self, thresholds: Thresholds, *, has_keypoint_scores: bool = False) -> None:
        """Set the model's own thresholds, which a double click restores."""
        for field, slider in self._sliders.items():
            slider.set_default(getattr(thresholds, field))
        self.keypoint.setVisible(has_keypoint_scores)

    def _show_slider_in_use(self) -> None:
        """Show the slider that the kind of NMS uses: the Gaussian one ignores the IoU."""
        is_gaussian = self.thresholds.nms is NmsKind.SOFT_GAUSSIAN
        self.iou.setEnabled(self.thresholds.nms is not NmsKind.NONE)
        self.iou.setVisible(not is_gaussian)
        self.sigma.setVisible(is_gaussian)

    def _on_edited(self, field: str, value: Any) -> None:
        self.thresholds = replace(self.thresholds, **{field: value})
        self._show_slider_in_use()
        self.changed.emit()
