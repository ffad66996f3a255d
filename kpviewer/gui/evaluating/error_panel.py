"""Error of the model against the ground truth: this frame, mean and worst so far."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.scanning.frame_errors import ErrorSummary
from kpviewer.structures import FrameError

NO_GROUND_TRUTH = tr_noop("Open annotations of this source (Ctrl+T), or the demo.")
NO_MODEL = tr_noop("Shown once a model is loaded.")
_NORMALISERS = {
    "inter-ocular": tr_noop("inter-ocular"),
    "box diagonal": tr_noop("box diagonal"),
}
"""Names for people, by ``FrameError.nme_normaliser``."""


class ErrorPanel(QWidget):
    """Numbers of the error; that of the frame is large."""

    demo_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._now = _label("number", tr("Error of this frame"))
        self._mean = _label("plain", tr("Mean error so far"))
        self._worst = _label("plain", tr("Worst error so far"))
        self._nme = _label("plain", tr("Mean normalised error"))
        self._counts = _label("small", tr("Matched and missed objects, false alarms"))
        self._counts.setWordWrap(True)
        self._none = _label("secondary", tr("No ground truth"))
        self._none.setText(tr(NO_GROUND_TRUTH))
        self._none.setWordWrap(True)
        self._demo = PushButton(tr("Play the demo"))
        self._demo.setToolTip(tr("A video with ground truth for every frame"))
        self._demo.clicked.connect(self.demo_asked)
        self._rows = QWidget()
        grid = QGridLayout(self._rows)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        rows = ((tr("Now"), self._now), (tr("Mean"), self._mean), (tr("Worst"), self._worst))
        for row, (name, label) in enumerate((*rows, ("NME", self._nme), ("", self._counts))):
            if name:
                caption = _label("secondary", name)
                caption.setText(name)
                grid.addWidget(caption, row, 0)
                grid.addWidget(label, row, 1, Qt.AlignmentFlag.AlignRight)
            else:
                grid.addWidget(label, row, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._rows)
        column.addWidget(self._none)
        column.addWidget(self._demo)
        self.show_error(None, ErrorSummary())

    def show_error(
        self, error: FrameError | None, summary: ErrorSummary, *, has_ground_truth: bool = False
    ) -> None:
        """Show a frame's error beside the summary; None without ground truth or model."""
        self._none.setText(tr(NO_MODEL if has_ground_truth else NO_GROUND_TRUTH))
        self._rows.setVisible(error is not None)
        self._none.setVisible(error is None)
        self._demo.setVisible(error is None and not has_ground_truth)
        if error is None:
            return
        self._now.setText(_px(error.mean_px))
        self._mean.setText(_px(summary.mean_px))
        self._worst.setText(_px(summary.worst_px))
        nme = "–" if summary.mean_nme is None else f"{summary.mean_nme:.3f}"
        of = tr(_NORMALISERS.get(error.nme_normaliser, error.nme_normaliser))
        self._nme.setText(tr("{nme} of {length}").format(nme=nme, length=of))
        text = tr("✓ {matched} matched  ○ {missed} missed  × {false} false alarms")
        counts = text.format(
            matched=error.matched, missed=error.false_negatives, false=error.false_positives
        )
        not_predicted = error.keypoints_not_predicted
        if not_predicted:
            text = tr("{n} keypoints not predicted")
            counts = f"{counts}\n{text.format(n=not_predicted)}"
        self._counts.setText(counts)

    def text(self) -> str:
        """Return all shown text, for tests and screen readers."""
        labels = (self._now, self._mean, self._worst, self._nme, self._counts)
        return " | ".join(label.text() for label in labels)


def _px(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} px"


def _label(kind: str, name: str) -> Label:
    label = Label()
    label.setProperty("kind", kind)
    label.setAccessibleName(name)
    return label
