"""Play, step, seek, speed and loop."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu

from kpviewer.gui.buttons import ToolButton
from kpviewer.gui.click_slider import ClickSlider
from kpviewer.gui.keys import Act, tooltip
from kpviewer.structures import StreamInfo

SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0)
NO_SEEK = "A live source can't go back"
LIVE_SPEED = "A live source has its own speed"
NOTHING_OPEN = "Nothing is open"


class SeekBar(ClickSlider):
    """A slider over frame indices."""

    sought = pyqtSignal(int)
    """By the user: frame index."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Position")
        self.setToolTip("Go to a moment (← →)")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def go_to(self, share: float, modifiers: Qt.KeyboardModifier) -> None:
        """Ask for the frame at a place; not again for the same one."""
        before = self.value()
        self.setValue(round(share * self.maximum()))
        if self.value() != before:
            self.sought.emit(self.value())


class TransportBar(QFrame):
    """Buttons that ask; the pipeline decides and the bar is told what is."""

    asked = pyqtSignal(object)
    """An Act."""
    speed_chosen = pyqtSignal(float)
    sought = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transport")
        self._fps = 30.0
        self.start = self._button("start", Act.START)
        self.step_back = self._button("step-back", Act.STEP_BACK)
        self.play = self._button("play", Act.PLAY)
        self.step_forward = self._button("step-forward", Act.STEP_FORWARD)
        self.loop = self._button("loop", Act.LOOP, checkable=True)
        self.bar = SeekBar()
        self.bar.sought.connect(self.sought)
        self._time, self._total = QLabel("00:00.0"), QLabel("00:00.0")
        self._total.setProperty("kind", "secondary")
        for label, name in ((self._time, "Time"), (self._total, "Length")):
            label.setAccessibleName(name)
        self.speed = self._speed_button()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(4)
        for button in (self.start, self.step_back, self.play, self.step_forward):
            row.addWidget(button)
        row.addSpacing(4)
        row.addWidget(self._time)
        row.addSpacing(4)
        row.addWidget(self.bar, 1)
        row.addSpacing(4)
        row.addWidget(self._total)
        row.addWidget(self.speed)
        row.addWidget(self.loop)
        self.set_info(None)

    def set_info(self, info: StreamInfo | None) -> None:
        """Fit the bar to a source; None is no source."""
        seekable = info is not None and info.is_seekable and bool(info.frame_count)
        count = (info.frame_count or 1) if info is not None else 1
        self._fps = (info.nominal_fps or 30.0) if info is not None else 30.0
        self.bar.setRange(0, max(count - 1, 0))
        self.bar.setEnabled(seekable)
        is_live = info is not None and info.is_live
        no_seek = NOTHING_OPEN if info is None else NO_SEEK
        self.bar.setToolTip("Go to a moment (← →)" if seekable else f"{no_seek} (← →)")
        for button, act in (
            (self.start, Act.START),
            (self.step_back, Act.STEP_BACK),
            (self.loop, Act.LOOP),
        ):
            _allow(button, act, None if seekable else no_seek)
        for button, act in ((self.play, Act.PLAY), (self.step_forward, Act.STEP_FORWARD)):
            _allow(button, act, None if info is not None else NOTHING_OPEN)
        no_speed = NOTHING_OPEN if info is None else LIVE_SPEED if is_live else None
        self.speed.setEnabled(no_speed is None)
        self.speed.setToolTip(f"{no_speed or 'Speed'} ([ ])")
        self._total.setText("live" if is_live else time_text(count / self._fps if seekable else 0))
        if info is None:
            self._time.setText(time_text(0))
            self.bar.setValue(0)

    def show_position(self, index: int, position_s: float | None) -> None:
        """Show where the picture is."""
        self._time.setText(time_text(index / self._fps if position_s is None else position_s))
        if not self.bar.isSliderDown():
            self.bar.setValue(index)

    def show_state(self, *, playing: bool, loop: bool, speed: float) -> None:
        """Show what the pipeline does."""
        self.play.set_icon_name("pause" if playing else "play")
        self.play.setAccessibleName("Pause" if playing else "Play")
        self.loop.setChecked(loop)
        self.speed.setText(f"{speed:g}×")

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw the icons in the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            for button in self.findChildren(ToolButton):
                button.refresh_icon()

    def _button(self, icon: str, act: Act, *, checkable: bool = False) -> ToolButton:
        button = ToolButton(icon, act.value.text, tooltip(act), checkable=checkable)
        button.clicked.connect(lambda: self.asked.emit(act))
        return button

    def _speed_button(self) -> ToolButton:
        button = ToolButton("play", "Speed", "Speed ([ ])")
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        button.setText("1×")
        button.setMinimumWidth(48)
        button.setPopupMode(ToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        for speed in SPEEDS:
            action = QAction(f"{speed:g}×", menu)
            action.triggered.connect(lambda _on, speed=speed: self.speed_chosen.emit(speed))
            menu.addAction(action)
        button.setMenu(menu)
        return button


def _allow(button: ToolButton, act: Act, reason: str | None) -> None:
    """Enable a button, or disable it for a reason that its tooltip gives."""
    button.setEnabled(reason is None)
    button.setToolTip(tooltip(act, reason))


def time_text(seconds: float) -> str:
    """Write a time as mm:ss.t, with hours where it has some."""
    tenths = max(round(seconds * 10), 0)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{text}" if hours else text


def next_speed(speed: float, direction: int) -> float:
    """Give the next speed of the list, up (1) or down (-1)."""
    if direction > 0:
        return next((each for each in SPEEDS if each > speed + 1e-6), SPEEDS[-1])
    return next((each for each in reversed(SPEEDS) if each < speed - 1e-6), SPEEDS[0])
