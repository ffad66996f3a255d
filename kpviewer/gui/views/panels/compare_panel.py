"""Difference of two models: in this frame, mean so far, and their times."""

from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton, SegmentedControl
from kpviewer.gui.widgets.layouts import column_of, row_of
from kpviewer.gui.widgets.plain_text import Label, number_text
from kpviewer.structures import FrameError

OVERLAY, SIDE_BY_SIDE = range(2)


class CompareMeans:
    """Running means of the differences of frames."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all frames."""
        self._px: list[float] = [0.0, 0.0]
        self._gap: list[float] = [0.0, 0.0]

    def add(self, difference: FrameError) -> None:
        """Add the difference of a frame."""
        gap = None if difference.mean_iou is None else 1 - difference.mean_iou
        for total, value in ((self._px, difference.mean_px), (self._gap, gap)):
            if value is not None:
                total[0] += value
                total[1] += 1

    @property
    def mean_px(self) -> float | None:
        """Mean distance, px; None if nothing matched."""
        return self._px[0] / self._px[1] if self._px[1] else None

    @property
    def mean_gap(self) -> float | None:
        """Mean 1 - IoU; None if nothing matched."""
        return self._gap[0] / self._gap[1] if self._gap[1] else None


class ComparePanel(QWidget):
    """Numbers of the comparison, choice of its display, and a button that stops it."""

    def __init__(self) -> None:
        super().__init__()
        self.modes = SegmentedControl(
            tr("Second model"),
            (
                (tr("Overlay"), tr("Both in one image: B by corners and diamonds")),
                (tr("Side by side"), tr("One image per model, of the same frame")),
            ),
        )
        self.stop_button = PushButton(tr("Stop"), tr("Stop comparing"))
        self._distance, self._gap, self._counts = (Label(wraps=True) for _ in range(3))
        self._times = Label(kind="secondary", wraps=True)
        self._labels = (self._distance, self._gap, self._counts, self._times)
        self._distance.setToolTip(
            tr("Distance of the landmarks that both models found, else of box centres")
        )
        self._gap.setToolTip(tr("1 − IoU of the boxes that both models found"))
        self._note = Label(kind="secondary", wraps=True)
        head = row_of(self.modes, self.stop_button, gap=4, grows=self.modes)
        column_of(head, column_of(*self._labels, gap=4), self._note, gap=8, into=self)
        self.show_difference(None, CompareMeans(), None)

    @property
    def mode(self) -> int:
        """Display of the second model: OVERLAY or SIDE_BY_SIDE."""
        return self.modes.index()

    def show_note(self, text: str) -> None:
        """Show a message, such as what is loading or what failed."""
        self._note.setText(text)
        self._note.setVisible(bool(text))

    def show_difference(
        self,
        difference: FrameError | None,
        means: CompareMeans,
        times_ms: tuple[float, float] | None,
    ) -> None:
        """Show a frame's difference beside the mean so far."""
        for label in self._labels:
            label.setVisible(difference is not None)
        if difference is None:
            return
        gap = None if difference.mean_iou is None else 1 - difference.mean_iou
        self._distance.setText(
            tr("Distance {now}, mean {mean} px").format(
                now=number_text(difference.mean_px, 2), mean=number_text(means.mean_px, 2)
            )
        )
        self._gap.setText(
            tr("1 − IoU {now}, mean {mean}").format(
                now=number_text(gap, 3), mean=number_text(means.mean_gap, 3)
            )
        )
        self._counts.setText(
            tr("Both {both} · only A {first} · only B {second}").format(
                both=difference.matched,
                first=difference.false_negatives,
                second=difference.false_positives,
            )
        )
        if times_ms is not None:
            text = tr("A {first:.1f} ms, B {second:.1f} ms")
            self._times.setText(text.format(first=times_ms[0], second=times_ms[1]))

    def text(self) -> str:
        """Return all shown text, for tests and screen readers."""
        shown = [label.text() for label in (*self._labels, self._note) if not label.isHidden()]
        return " | ".join(shown)
