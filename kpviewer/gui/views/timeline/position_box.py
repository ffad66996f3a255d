"""Where the play head is: number of the frame, time and length; a folder has file names instead."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.frame_times import FrameTimes
from kpviewer.gui.views.timeline.position_field import PositionField
from kpviewer.gui.views.timeline.texts import time_text, typed_frame
from kpviewer.gui.widgets.layouts import FILL, row_of
from kpviewer.gui.widgets.plain_text import Label, plain_tip
from kpviewer.structures import StreamInfo

ENDLESS = 1_000_000
"""Number of frames that a source of unknown length has room for."""
NAME_PX = 130
"""Greatest width of a file's name."""


class PositionBox(QWidget):
    """Row of the frame's number, which can be edited, and of its time or its file."""

    sought = pyqtSignal(int)
    """Emitted with the frame that the user typed."""

    def __init__(self) -> None:
        super().__init__()
        self.times = FrameTimes(None)
        """Times of the frames of the source."""
        self._files: Sequence[str] = ()
        self.field = PositionField()
        self.field.typed.connect(self._on_typed)
        self._time, self._total = Label(name=tr("Time")), Label(kind="secondary", name=tr("Length"))
        row_of(self.field, self._time, self._total, FILL, gap=4, into=self)

    def set_info(self, info: StreamInfo | None) -> None:
        """Adapt to a source; None is no source."""
        self.times, self._files = FrameTimes(info), ()
        self._time.setToolTip("")
        is_live = info is not None and info.is_live
        count = self.times.count if info is not None and info.frame_count else ENDLESS
        self.field.set_source(count, is_folder=False)
        self._total.setText(f"/ {tr('live') if is_live else time_text(self.times.length_s)}")
        self.show_position(0, 0.0)

    def set_files(self, files: Sequence[str]) -> None:
        """Show the names of a folder's images, which have no times."""
        self._files = files
        self.field.set_source(self.times.count, is_folder=True)
        self._total.setText("")

    def set_texts(self, *, with_time: bool, with_length: bool) -> None:
        """Set which texts have room beside the number."""
        self._time.setVisible(with_time)
        self._total.setVisible(with_length)
        self.field.set_short(is_short=not with_length)

    def show_position(self, index: int, position_s: float | None) -> None:
        """Show the position of the current frame."""
        self.times.note(index, position_s)
        self.field.show_index(index)
        if not self._files:
            at_s = self.times.time_of(index) if position_s is None else position_s
            self._time.setText(time_text(at_s))
            return
        name = self._files[index] if index < len(self._files) else ""
        middle = Qt.TextElideMode.ElideMiddle
        self._time.setText(self.fontMetrics().elidedText(name, middle, NAME_PX))
        self._time.setToolTip(plain_tip(name))

    def texts_of(self, index: int) -> list[str]:
        """Return number and time of a frame, or its number and its file."""
        number = self.field.text_of(index)
        if self._files:
            return [number, *self._files[index : index + 1]]
        return [f"{number} · {time_text(self.times.time_of(index))}"]

    def _on_typed(self, text: str) -> None:
        index = typed_frame(text, self.times, self.field.first_number)
        if index is None:
            self.field.refuse(
                tr("{text} is not a frame number, time or percentage").format(text=text)
            )
            return
        self.field.stop_editing()
        self.sought.emit(index)
