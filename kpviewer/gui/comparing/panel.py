"""How far two models are from each other: this frame, the mean so far, and what each takes."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton, SegmentedControl
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.structures import FrameError

OVERLAY, SIDE_BY_SIDE = range(2)


class CompareMeans:
    """Running means of the differences that were added."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all frames."""
        self._px: list[float] = [0.0, 0.0]
        self._gap: list[float] = [0.0, 0.0]

    def add(self, difference: FrameError) -> None:
        """Take a frame."""
        gap = None if difference.mean_iou is None else 1 - difference.mean_iou
        for total, value in ((self._px, difference.mean_px), (self._gap, gap)):
            if value is not None:
                total[0] += value
                total[1] += 1

    @property
    def mean_px(self) -> float | None:
        """Mean distance, px; None where nothing matched."""
        return self._px[0] / self._px[1] if self._px[1] else None

    @property
    def mean_gap(self) -> float | None:
        """Mean 1 - IoU; None where nothing matched."""
        return self._gap[0] / self._gap[1] if self._gap[1] else None


class ComparePanel(QWidget):
    """The numbers, how the second model is shown, and the way out."""

    mode_chosen = pyqtSignal()
    """By the user; ``mode`` has the new value."""
    stop_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.modes = SegmentedControl(
            tr("Second model"),
            (tr("Overlay"), tr("Side by side")),
            (
                tr("Both in one image: B by corners and diamonds"),
                tr("An image for each model, of the same frame"),
            ),
        )
        self.modes.chosen.connect(self.mode_chosen)
        self.stop_button = PushButton(tr("Stop"))
        self.stop_button.setToolTip(tr("Compare no longer"))
        self.stop_button.clicked.connect(self.stop_asked)
        self._labels = [Label() for _ in range(4)]
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        for row, label in enumerate(self._labels):
            grid.addWidget(label, row, 0)
        self._distance, self._gap, self._counts, self._times = self._labels
        self._distance.setToolTip(tr("Of the landmarks of what both found, else of box middles"))
        self._gap.setToolTip(tr("How little the boxes of what both found overlap"))
        self._times.setProperty("kind", "secondary")
        for label in self._labels:
            label.setWordWrap(True)
        self._note = Label()
        self._note.setProperty("kind", "secondary")
        self._note.setWordWrap(True)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.modes, 1)
        head.addWidget(self.stop_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(grid)
        column.addWidget(self._note)
        self.show_difference(None, CompareMeans(), None)

    @property
    def mode(self) -> int:
        """OVERLAY or SIDE_BY_SIDE."""
        return self.modes.index()

    def show_note(self, text: str) -> None:
        """Say what is waited for, or what failed."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def show_difference(
        self,
        difference: FrameError | None,
        means: CompareMeans,
        times_ms: tuple[float, float] | None,
    ) -> None:
        """Show a frame's difference beside the mean so far; None where there is none yet.

        Args:
            difference: of the frame on the screen.
            means: of the frames so far.
            times_ms: that the first and the second model took.
        """
        for label in self._labels:
            label.setVisible(difference is not None)
        if difference is None:
            return
        gap = None if difference.mean_iou is None else 1 - difference.mean_iou
        self._distance.setText(
            tr("Distance {now} px, mean {mean} px").format(
                now=_number(difference.mean_px, 2), mean=_number(means.mean_px, 2)
            )
        )
        self._gap.setText(
            tr("1 − IoU {now}, mean {mean}").format(
                now=_number(gap, 3), mean=_number(means.mean_gap, 3)
            )
        )
        self._counts.setText(
            tr("{both} both, {first} only A, {second} only B").format(
                both=difference.matched,
                first=difference.false_negatives,
                second=difference.false_positives,
            )
        )
        if times_ms is not None:
            text = tr("A {first:.1f} ms, B {second:.1f} ms")
            self._times.setText(text.format(first=times_ms[0], second=times_ms[1]))

    def text(self) -> str:
        """All that is shown, for tests and screen readers."""
        shown = [label.text() for label in (*self._labels, self._note) if not label.isHidden()]
        return " | ".join(shown)


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
