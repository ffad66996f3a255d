"""Heading of a tile: the name of its stream, its recording, its state and its figures."""

from dataclasses import dataclass

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr
from kpviewer.gui.views.video.signs import RecordingState, set_state
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.fitted_label import FittedLabel
from kpviewer.gui.widgets.layouts import row_of
from kpviewer.gui.widgets.plain_text import Label

ONE_LINE_PX = 340
"""Width from which name and figures are in one line."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What the heading of a tile says."""

    name: str = ""
    line: tuple[str, ...] = ()
    """State or figures, the most important first."""
    recording: RecordingState | None = None


class TileHeader(QWidget):
    """Name and figures in one line, or in two where a tile is narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tileHeader")
        self._heading = Heading()
        self.back = ToolButton("grid", tr("All streams"), tooltip(Act.LEAVE, tr("All streams")))
        self.back.setProperty("extent", "small")
        self.back.hide()
        self.name, self.figures = FittedLabel(), FittedLabel()
        self.figures.setProperty("kind", "small")
        self._sign = Label(name=tr("Recording"))
        self._sign.setObjectName("recordSign")
        first = row_of(self.back, self.name, self._sign, gap=6, grows=self.name)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._box.setContentsMargins(6, 2, 6, 2)
        self._box.setSpacing(0)
        self._box.addLayout(first, 1)
        self._box.addWidget(self.figures)

    def show_heading(self, heading: Heading) -> None:
        """Show another heading."""
        if heading == self._heading:
            return
        self._heading = heading
        self.name.set_parts(heading.name)
        self.figures.set_parts(*heading.line)
        recording = heading.recording
        mark = recording.mark if recording is not None else ""
        lost = recording.lost if recording is not None else 0
        self._sign.setText(f"{mark} {tr('{count} lost').format(count=lost)}" if lost else mark)
        self._sign.setVisible(bool(mark))
        set_state(self._sign, recording)

    def text(self) -> str:
        """Return the whole heading."""
        parts = (self.name.whole(), self._sign.text(), self.figures.whole())
        return " ".join(part for part in parts if part)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Use one line or two."""
        super().resizeEvent(event)
        is_wide = self.width() >= ONE_LINE_PX
        directions = QBoxLayout.Direction
        self._box.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)
        self._box.setSpacing(12 if is_wide else 0)
        right, left = Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignLeft
        self.figures.setAlignment(right if is_wide else left)
