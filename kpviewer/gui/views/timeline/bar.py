"""Timeline bar: play, step and position on the left, lanes, speed, loop and scan on the right."""

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.views.timeline.buttons import (
    POLICIES,
    ScanButton,
    policy_button,
    speed_button,
    speed_tip,
)
from kpviewer.gui.views.timeline.lane_strip import LaneStrip
from kpviewer.gui.views.timeline.lane_values import SLOTS, LiveMinute, ScannedLanes
from kpviewer.gui.views.timeline.position import PositionBox
from kpviewer.gui.views.timeline.texts import frames_of, real_text, speed_text
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.layouts import FILL, boxed, grid_of, row_of
from kpviewer.scanning.lanes import Lanes
from kpviewer.structures import Frame, FrameResult, StreamInfo

WIDE_PX, NARROW_PX, TINY_PX = 1000, 640, 480
"""Width from which all texts have room, below which the lanes move above the buttons, and below
which the buttons need two rows."""
NO_SEEK = tr_noop("This source can't go back")
NO_LENGTH = tr_noop("The length of this video is unknown")
LIVE_SPEED = tr_noop("A live source has its own speed")
NOTHING_OPEN = tr_noop("Nothing is open")


_SEEKING = (Act.START, Act.BACK, Act.FORWARD, Act.STEP_BACK, Act.LOOP, Act.REPEAT)
_GOING = (Act.GO_TO, Act.NEXT_MARK, Act.PREVIOUS_MARK)
_SPEEDS = (Act.SLOWER, Act.FASTER)
_ON_IMAGE = (Act.PLAY, Act.STEP_FORWARD, Act.MARK, Act.SNAPSHOT, Act.COPY_IMAGE)
_ZOOMING = (Act.FIT, Act.ZOOM_IN, Act.ZOOM_OUT, Act.ACTUAL_SIZE, Act.ZOOM_OBJECT)


def lack_of(act: Act, info: StreamInfo | None) -> str | None:
    """Return why an act has no effect on a source, in English; None if it has one."""
    if info is None:
        needs = (*_SEEKING, *_GOING, *_SPEEDS, *_ON_IMAGE, *_ZOOMING)
        return NOTHING_OPEN if act in needs else None
    if act in _SPEEDS:
        return LIVE_SPEED if info.is_live else None
    return NO_SEEK if act in (*_SEEKING, *_GOING) and not info.is_seekable else None


class _Room(Enum):
    """Arrangements of the bar."""

    WIDE = "all texts"
    MEDIUM = "short texts"
    NARROW = "lanes above the buttons"
    TINY = "lanes above two rows of buttons"


class TimelineBar(QFrame):
    """Bar of buttons that send requests; the pipeline decides, and the bar shows its state."""

    asked = pyqtSignal(object)
    """Emitted with the Act of a button."""
    sought = pyqtSignal(int)
    """Emitted with the frame that the user goes to."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("transport")
        self.start = self._button("start", Act.START)
        self.step_back = self._button("step-back", Act.STEP_BACK)
        self.play = self._button("play", Act.PLAY)
        self.step_forward = self._button("step-forward", Act.STEP_FORWARD)
        self.loop = self._button("loop", Act.LOOP, checkable=True)
        self.repeat = self._button("loop", Act.REPEAT, checkable=True)
        self.repeat.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.repeat.setText("A-B")
        self.strip = LaneStrip()
        self.strip.sought.connect(self.sought)
        self._place = PositionBox()
        self._place.sought.connect(self.sought)
        self.position = self._place.field
        self.position.clicked.connect(lambda: self.asked.emit(Act.GO_TO))
        self._live: LiveMinute | None = None
        self.speed, self.policy = speed_button(), policy_button()
        self.scan = ScanButton()
        self._room: _Room | None = None
        self._real: float | None = None
        self._boxes = self._make_boxes()
        self._grid = grid_of(8, 0, into=self)
        self._grid.setContentsMargins(8, 1, 8, 1)
        self._arrange(_Room.WIDE)
        self.set_info(None)

    def _make_boxes(self) -> tuple[QWidget, QWidget, QWidget, QWidget]:
        """Return the rows left and right of the lanes: two each."""
        buttons = (self.start, self.step_back, self.play, self.step_forward)
        choices = (self.speed, self.policy, self.repeat, self.loop)
        return (
            boxed(row_of(*buttons, FILL, gap=4)),
            self._place,
            boxed(row_of(*choices, FILL, gap=4)),
            boxed(row_of(self.scan, FILL)),
        )

    def set_info(self, info: StreamInfo | None, times_s: NDArray[np.float64] | None = None) -> None:
        """Adapt the bar to a source, and to the times of its frames; None is no source."""
        self._place.set_info(info)
        if times_s is not None:
            self._place.times.note_all(0, times_s)
        seekable = info is not None and info.is_seekable
        is_live = info is not None and info.is_live
        has_length = seekable and bool(frames_of(info))
        self.strip.setEnabled(has_length)
        self.strip.set_count(SLOTS if is_live else self._place.times.count)
        self._live = (self._live or LiveMinute()) if is_live else None  # kept if it reconnects
        no_length = lack_of(Act.START, info) or NO_LENGTH
        self.strip.setToolTip("" if has_length else tr(no_length))
        for button, act in (
            (self.start, Act.START),
            (self.step_back, Act.STEP_BACK),
            (self.repeat, Act.REPEAT),
            (self.loop, Act.LOOP),
            (self.play, Act.PLAY),
            (self.step_forward, Act.STEP_FORWARD),
        ):
            _allow(button, act, lack_of(act, info))
        no_speed = lack_of(Act.SLOWER, info)
        self.speed.setEnabled(no_speed is None)
        self.speed.setToolTip(speed_tip(tr("Speed") if no_speed is None else tr(no_speed)))
        self.speed.setVisible(not is_live)
        self.policy.setVisible(is_live)
        self.scan.show_state(None)

    def show_frame(self, frame: Frame) -> None:
        """Show the position of a frame; for a camera, the time since its first frame."""
        position_s = frame.position_s
        if position_s is None and self._live is not None:
            position_s = self._live.seconds_at(frame.captured_ns)
        self.show_position(frame.index, position_s)

    def show_position(self, index: int, position_s: float | None) -> None:
        """Show the position of the current frame."""
        self._place.show_position(index, position_s)
        self.strip.show_index(index)

    def show_state(
        self, *, playing: bool, loop: bool, speed: float, ab: tuple[int, ...], lossless: bool
    ) -> None:
        """Show the state of the pipeline."""
        self.play.set_icon_name("pause" if playing else "play")
        self.play.setAccessibleName(tr("Pause") if playing else tr("Play"))
        self.loop.setChecked(loop)
        if self._live is not None:
            self.strip.show_values(self._live.values())
        self.speed.setText(speed_text(speed) if self._real is None else real_text(self._real))
        self.speed.choice, self.policy.choice = speed, lossless
        self.strip.set_ab(ab)
        self.repeat.setText("AB"[: len(ab)] if ab else "A-B")
        self.repeat.setChecked(bool(ab))
        if self.repeat.isEnabled():
            self.repeat.setToolTip(tooltip(Act.REPEAT, tr(_NEXT_OF_AB[len(ab)])))
        self.policy.setText(tr(POLICIES[lossless][0]))
        self.policy.setToolTip(tr(POLICIES[lossless][1]))

    def show_real_speed(self, real: float | None, chosen: float) -> None:
        """Show the real speed of a file that is slower than ``chosen``; None: it isn't."""
        if real != self._real:
            self._real = real
            slow = tr("{speed}: this computer is slower than {chosen}; no frame is skipped")
            if chosen == 1:
                slow = tr("{speed}: this computer is slower than the video; no frame is skipped")
            slow = slow.format(speed=real_text(real or 0), chosen=speed_text(chosen))
            tip = tr("Speed") if real is None else slow
            self.speed.setToolTip(speed_tip(tip))

    def show_lanes(self, lanes: Lanes | None, threshold: float = 0.0, lack: str = "") -> None:
        """Show what was found in every frame, and why there are no errors (``lack``)."""
        if self._live is not None:
            return
        if lanes is not None:
            self._place.times.note_all(lanes.first, lanes.position_s)
        self.strip.show_values(None if lanes is None else ScannedLanes(lanes, threshold, lack))

    def add_live(self, result: FrameResult) -> None:
        """Add a frame to the last minute, if the source is a live one."""
        if self._live is not None:
            self._live.add(result)

    def forget_live(self) -> None:
        """Forget what a former model found in the last minute."""
        if self._live is not None:
            self._live.forget()

    def set_files(self, files: Sequence[str]) -> None:
        """Show a folder: its images have names, and no times."""
        self._place.set_files(files)
        self.show_position(self.strip.index, None)

    def texts_of(self, index: int) -> list[str]:
        """Return number and time of a frame, or its file, and then what was found in it."""
        return [*self._place.texts_of(index), *self.strip.texts_of(index)]

    def frame_beside(self, index: int, seconds: float) -> int:
        """Return the frame that is so many seconds after a frame, or before it."""
        return self._place.times.frame_beside(index, seconds)

    def edit_position(self) -> None:
        """Let the user type a frame, a time or a percentage."""
        if self.strip.isEnabled():
            self.position.edit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Arrange the parts for the width."""
        super().resizeEvent(event)
        self._arrange(_room_of(self.width()))

    def _arrange(self, room: _Room) -> None:
        if room is self._room:
            return
        self._room = room
        buttons, position, choices, scan = self._boxes
        is_narrow = room in (_Room.NARROW, _Room.TINY)
        self._place.set_texts(with_time=not is_narrow, with_length=room is _Room.WIDE)
        self.scan.set_short(is_short=is_narrow)
        grid = self._grid
        for widget in (self.strip, *self._boxes):
            grid.removeWidget(widget)
        for column in range(5):
            grid.setColumnStretch(column, 0)
        if is_narrow:
            grid.addWidget(self.strip, 0, 0, 1, 5)
            is_tiny = room is _Room.TINY
            grid.addWidget(buttons, 1, 0)
            grid.addWidget(position, 1, 1, 1, 4 if is_tiny else 1)
            grid.addWidget(choices, *((2, 0, 1, 4) if is_tiny else (1, 3)))
            grid.addWidget(scan, 2 if is_tiny else 1, 4)
            grid.setColumnStretch(2, 1)
            return
        grid.addWidget(buttons, 0, 0)
        grid.addWidget(position, 1, 0)
        grid.addWidget(self.strip, 0, 1, 2, 1)
        grid.addWidget(choices, 0, 2)
        grid.addWidget(scan, 1, 2)
        grid.setColumnStretch(1, 1)

    def _button(self, icon: str, act: Act, *, checkable: bool = False) -> ToolButton:
        button = ToolButton(icon, tr(act.value.text), tooltip(act), checkable=checkable)
        button.clicked.connect(lambda: self.asked.emit(act))
        return button


def _room_of(width_px: int) -> _Room:
    if width_px >= NARROW_PX:
        return _Room.WIDE if width_px >= WIDE_PX else _Room.MEDIUM
    return _Room.NARROW if width_px >= TINY_PX else _Room.TINY


_NEXT_OF_AB = (
    tr_noop("Repeat from this frame"),
    tr_noop("Repeat up to this frame"),
    tr_noop("Stop repeating"),
)
"""Tooltip of the next step of the A-B loop, by the number of frames that are set."""


def _allow(button: ToolButton, act: Act, reason: str | None) -> None:
    """Enable a button, or disable it with the reason in its tooltip."""
    button.setEnabled(reason is None)
    button.setToolTip(tooltip(act, tr(reason) if reason is not None else None))
