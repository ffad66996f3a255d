"""Transport bar: play, step, seek, speed, loop, and which frames of a live source are shown."""

from __future__ import annotations

import math

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QAction, QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QMenu, QVBoxLayout

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.seek_bar import SeekBar
from kpviewer.structures import StreamInfo

SPEEDS = (0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 4.0, 8.0, math.inf)
"""Speeds of playback; the last one is as fast as the model runs."""
NARROW_PX = 560
"""Width below which the seek bar moves above the buttons."""
NO_SEEK = tr_noop("A live source can't go back")
LIVE_SPEED = tr_noop("A live source has its own speed")
NOTHING_OPEN = tr_noop("Nothing is open")
POLICIES = {
    False: (tr_noop("Newest frame"), tr_noop("Always show the newest frame; skip the rest")),
    True: (
        tr_noop("Every frame"),
        tr_noop("Show every frame; with a slow model the image falls behind"),
    ),
}
"""Policies for live sources, by whether every frame is shown: label and explanation."""


class TransportBar(QFrame):
    """Bar of buttons that send requests; the pipeline decides, and the bar shows its state."""

    asked = pyqtSignal(object)
    """Emitted with the Act of a button."""
    speed_chosen = pyqtSignal(float)
    sought = pyqtSignal(int)
    policy_chosen = pyqtSignal(bool)
    """Emitted with whether a live source should deliver every frame, or the newest."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transport")
        self._fps = 30.0
        self.start = self._button("start", Act.START)
        self.step_back = self._button("step-back", Act.STEP_BACK)
        self.play = self._button("play", Act.PLAY)
        self.step_forward = self._button("step-forward", Act.STEP_FORWARD)
        self.loop = self._button("loop", Act.LOOP, checkable=True)
        self.repeat = self._button("loop", Act.REPEAT, checkable=True)
        self.repeat.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.repeat.setText("A-B")
        self.bar = SeekBar()
        self.bar.sought.connect(self.sought)
        self._time, self._total = Label("00:00.0"), Label("00:00.0")
        self._total.setProperty("kind", "secondary")
        for label, name in ((self._time, tr("Time")), (self._total, tr("Length"))):
            label.setAccessibleName(name)
        self.speed = self._speed_button()
        self.policy = self._policy_button()
        self._place = QHBoxLayout()  # of the seek bar, if the row has room for it
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(8, 4, 8, 4)
        self._rows.setSpacing(0)
        self._rows.addLayout(self._row())
        self._place.addWidget(self.bar)
        self.set_info(None)

    def _row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for button in (self.start, self.step_back, self.play, self.step_forward):
            row.addWidget(button)
        row.addSpacing(4)
        row.addWidget(self._time)
        row.addSpacing(4)
        row.addLayout(self._place, 1)
        row.addSpacing(4)
        row.addWidget(self._total)
        for button in (self.speed, self.policy, self.repeat, self.loop):
            row.addWidget(button)
        return row

    def set_info(self, info: StreamInfo | None) -> None:
        """Adapt the bar to a source; None is no source."""
        seekable = info is not None and info.is_seekable and bool(info.frame_count)
        count = (info.frame_count or 1) if info is not None else 1
        self._fps = (info.nominal_fps or 30.0) if info is not None else 30.0
        self.bar.setRange(0, max(count - 1, 0))
        self.bar.setEnabled(seekable)
        is_live = info is not None and info.is_live
        no_seek = tr(NOTHING_OPEN if info is None else NO_SEEK)
        self.bar.setToolTip(f"{tr('Go to a time') if seekable else no_seek} (← →)")
        for button, act in (
            (self.start, Act.START),
            (self.step_back, Act.STEP_BACK),
            (self.repeat, Act.REPEAT),
            (self.loop, Act.LOOP),
        ):
            _allow(button, act, None if seekable else no_seek)
        for button, act in ((self.play, Act.PLAY), (self.step_forward, Act.STEP_FORWARD)):
            _allow(button, act, None if info is not None else tr(NOTHING_OPEN))
        no_speed = tr(NOTHING_OPEN if info is None else LIVE_SPEED)
        has_speed = info is not None and not is_live
        self.speed.setEnabled(has_speed)
        self.speed.setToolTip(f"{tr('Speed') if has_speed else no_speed} ([ ])")
        self.speed.setVisible(not is_live)
        self.policy.setVisible(is_live)
        self._total.setText(tr("live") if is_live else time_text(_length_s(info, self._fps)))
        if info is None:
            self._time.setText(time_text(0))
            self.bar.setValue(0)

    def show_position(self, index: int, position_s: float | None) -> None:
        """Show the position of the current frame."""
        self._time.setText(time_text(index / self._fps if position_s is None else position_s))
        if not self.bar.isSliderDown():
            self.bar.setValue(index)

    def show_state(
        self, *, playing: bool, loop: bool, speed: float, marks: tuple[int, ...], lossless: bool
    ) -> None:
        """Show the state of the pipeline.

        Args:
            playing: whether frames are coming.
            loop: whether the file restarts at its end.
            speed: factor of the file's own speed.
            marks: frames A and B of the A-B loop.
            lossless: whether a live source delivers every frame.
        """
        self.play.set_icon_name("pause" if playing else "play")
        self.play.setAccessibleName(tr("Pause") if playing else tr("Play"))
        self.loop.setChecked(loop)
        self.speed.setText(speed_text(speed))
        self.bar.set_marks(marks)
        self.repeat.setText("AB"[: len(marks)] if marks else "A-B")
        self.repeat.setChecked(bool(marks))
        if self.repeat.isEnabled():
            self.repeat.setToolTip(tooltip(Act.REPEAT, tr(_NEXT_MARK[len(marks)])))
        self.policy.setText(tr(POLICIES[lossless][0]))
        self.policy.setToolTip(tr(POLICIES[lossless][1]))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Move the seek bar above the buttons if they leave it no room."""
        super().resizeEvent(event)
        is_above = self._rows.indexOf(self.bar) >= 0
        if is_above is not (self.width() < NARROW_PX):
            if is_above:
                self._place.addWidget(self.bar)
            else:
                self._rows.insertWidget(0, self.bar)

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw the icons in the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            for button in self.findChildren(ToolButton):
                button.refresh_icon()

    def _button(self, icon: str, act: Act, *, checkable: bool = False) -> ToolButton:
        button = ToolButton(icon, tr(act.value.text), tooltip(act), checkable=checkable)
        button.clicked.connect(lambda: self.asked.emit(act))
        return button

    def _speed_button(self) -> ToolButton:
        button, menu = _menu_button(tr("Speed"), f"{tr('Speed')} ([ ])", 48)
        button.setText(speed_text(1.0))
        for speed in SPEEDS:
            text = tr("As fast as possible") if math.isinf(speed) else speed_text(speed)
            action = QAction(text, menu)
            action.triggered.connect(lambda _on, speed=speed: self.speed_chosen.emit(speed))
            menu.addAction(action)
        return button

    def _policy_button(self) -> ToolButton:
        name, tip = POLICIES[False]
        button, menu = _menu_button(tr("Frames"), tr(tip), 96)
        button.setText(tr(name))
        menu.setToolTipsVisible(True)
        for every, (name, tip) in POLICIES.items():
            action = QAction(tr(name), menu)
            action.setToolTip(tr(tip))
            action.triggered.connect(lambda _on, every=every: self.policy_chosen.emit(every))
            menu.addAction(action)
        return button


_NEXT_MARK = (
    tr_noop("Repeat from this frame"),
    tr_noop("Repeat up to this frame"),
    tr_noop("Stop repeating"),
)
"""Tooltip of the next step of the A-B loop, by the number of marks."""


def _length_s(info: StreamInfo | None, fps: float) -> float:
    """Return the duration of a source; 0 if it is unknown."""
    if info is None:
        return 0.0
    return info.duration_s or (info.frame_count or 0) / fps


def _menu_button(name: str, tip: str, width_px: int) -> tuple[ToolButton, QMenu]:
    """Make a button that shows a choice, and its menu."""
    button = ToolButton("play", name, tip)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    button.setMinimumWidth(width_px)
    button.setPopupMode(ToolButton.ToolButtonPopupMode.InstantPopup)
    menu = QMenu(button)
    button.setMenu(menu)
    return button, menu


def _allow(button: ToolButton, act: Act, reason: str | None) -> None:
    """Enable a button, or disable it with the reason in its tooltip."""
    button.setEnabled(reason is None)
    button.setToolTip(tooltip(act, reason))


def time_text(seconds: float) -> str:
    """Return a time as mm:ss.t, with hours if it has any."""
    tenths = max(round(seconds * 10), 0)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{text}" if hours else text


def speed_text(speed: float) -> str:
    """Return the text of a speed."""
    return tr("max") if math.isinf(speed) else f"{speed:g}×"


def next_speed(speed: float, direction: int) -> float:
    """Return the next speed of the list, up (1) or down (-1)."""
    if direction > 0:
        return next((each for each in SPEEDS if each > speed + 1e-6), SPEEDS[-1])
    return next((each for each in reversed(SPEEDS) if each < speed - 1e-6), SPEEDS[0])
