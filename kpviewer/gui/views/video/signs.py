"""Signs of a running recording, on buttons and over a full-screen image, and of the zoom."""

import math
from dataclasses import dataclass

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.texts import time_text
from kpviewer.gui.views.video.view_transform import ViewTransform
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.card_layout import OverlayCard
from kpviewer.gui.widgets.fitting import set_property
from kpviewer.gui.widgets.layouts import column_of, row_of
from kpviewer.gui.widgets.plain_text import Label

_GROWING, _STILL = "●", "❚❚"


@dataclass(frozen=True, slots=True)
class RecordingState:
    """State of a running recording."""

    seconds: float
    """Length so far, in seconds."""
    is_paused: bool = False
    """Whether the user paused the recording."""
    is_waiting: bool = False
    """Whether no frames come."""
    silence: str = ""
    """Why none come, in a word or two; empty if the video is paused or has ended."""
    lost: int = 0
    """Number of lost frames."""

    @property
    def is_growing(self) -> bool:
        """Whether frames are being added."""
        return not (self.is_paused or self.is_waiting)

    @property
    def mark(self) -> str:
        """Symbol of the state: a dot while it grows, else bars."""
        return _GROWING if self.is_growing else _STILL

    def text(self) -> str:
        """Return time and state, such as "00:12" or "00:06 paused"."""
        parts = [time_text(self.seconds)[:-2]]
        if self.is_paused:
            parts.append(tr("paused"))
        elif self.is_waiting:
            parts.append(self.silence or tr("video paused"))
        if self.lost:
            parts.append(tr("{count} lost").format(count=self.lost))
        return " · ".join(parts)


class RecordingSign(OverlayCard):
    """Sign of a recording, and a message below it, shown in full screen."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._sign, self._message = Label(), Label()
        column = column_of(gap=8, into=self)
        for label, name in ((self._sign, "recordingSign"), (self._message, "chip")):
            label.setObjectName(name)
            label.setTextFormat(Qt.TextFormat.PlainText)
            column.addWidget(label, 0, Qt.AlignmentFlag.AlignRight)
        self._sign.setAccessibleName(tr("Recording"))
        self._message.setAccessibleName(tr("Message"))
        self.hide()

    def text(self) -> str:
        """Return the shown text; empty while hidden."""
        shown = (self._sign.text(), self._message.text())
        return "" if self.isHidden() else " ".join(each for each in shown if each)

    def show_state(self, state: RecordingState | None, message: str) -> None:
        """Show a recording and a message; neither hides the sign."""
        sign = f"{state.mark} {state.text()}" if state is not None else ""
        if (sign, message) == (self._sign.text(), self._message.text()):
            return
        self._sign.setText(sign)
        self._sign.setVisible(bool(sign))
        self._message.setText(message)
        self._message.setVisible(bool(message))
        set_state(self._sign, state)
        self.setVisible(bool(sign or message))
        self.changed.emit()

    def fit(self, room: QSize, *, is_small: bool) -> None:
        """Take the size of the text, which is wrapped if necessary."""
        self._message.setMinimumWidth(0)  # the hint is never below it
        self._message.setWordWrap(False)  # the hint is then of one line
        wanted = self._message.sizeHint().width()
        self._message.setWordWrap(wanted > room.width())
        self._message.setFixedWidth(min(wanted, room.width()))
        super().fit(room, is_small=is_small)


def set_state(widget: QWidget, state: RecordingState | None) -> None:
    """Set the colours of a widget for a recording that grows, or one that doesn't."""
    name = "" if state is None else "growing" if state.is_growing else "still"
    set_property(widget, "recording", name)


_ROUND_PX = 30
"""Least height: lower ones lose the round corners of the style sheet."""


class ZoomSign(OverlayCard):
    """Chip with the zoom; hidden while the whole image fits the view."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self._percent = Label()
        self._percent.setToolTip(tr("Pixels of the screen per pixel of the image"))
        self.fit_button = PushButton(tr("Fit"))
        self.fit_button.setProperty("kind", "link")
        self.fit_button.setToolTip(tooltip(Act.FIT))
        row_of(self._percent, self.fit_button, gap=4, margins=(12, 3, 6, 3), into=self)
        self.setMinimumHeight(_ROUND_PX)
        self.hide()

    def text(self) -> str:
        """Return the per cent that are shown; empty while hidden."""
        return "" if self.isHidden() else self._percent.text()

    def show_zoom(self, transform: ViewTransform) -> None:
        """Show the zoom of an image, in pixels of the screen."""
        is_fitted = math.isclose(transform.zoom, 1.0, rel_tol=1e-3)
        text = f"{100 * transform.scale * self.devicePixelRatioF():.0f} %"
        if is_fitted != self.isHidden() or text != self._percent.text():
            self.setVisible(not is_fitted)
            self._percent.setText(text)
            self.changed.emit()
