"""Real speed of a file that plays: below the chosen one if it plays slower."""

import math
import time
from collections import deque
from collections.abc import Callable

from PyQt6.QtCore import QObject, QTimer

from kpviewer.gui.controllers.playback import Playback
from kpviewer.gui.language import tr
from kpviewer.gui.session import Session
from kpviewer.gui.views.panes import Panes
from kpviewer.gui.views.timeline.texts import real_text, speed_text

SPAN_S = 3.0
"""Time over which the speed is measured, in seconds."""
LEAST_S = 1.5
"""Least time that is measured."""
JUMP_S = 5.0
"""Step of media time that is a seek, in seconds."""
SLOW_SHARE = 0.8
"""Share of the chosen speed below which the real one is shown."""
TICK_MS = 500
_PROGRAM = " · kpviewer"


class SpeedMeter:
    """Measures media time against the clock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, float]] = deque()

    def reset(self) -> None:
        """Begin anew, after a pause."""
        self._points.clear()

    def add(self, position_s: float) -> None:
        """Note that a frame is shown; a step back or a long one begins anew."""
        now_s, points = self._clock(), self._points
        if points and not 0 < position_s - points[-1][1] < JUMP_S:
            points.clear()
        points.append((now_s, position_s))
        while len(points) > 2 and now_s - points[0][0] > SPAN_S:
            points.popleft()

    def speed(self) -> float | None:
        """Return the factor of the file's own speed; None while it is unknown."""
        if len(self._points) < 2:
            return None
        (from_s, first), (to_s, last) = self._points[0], self._points[-1]
        return (last - first) / (to_s - from_s) if to_s - from_s >= LEAST_S else None


class RealSpeed(QObject):
    """Shows the real speed on the button of the speed, and in the title."""

    def __init__(self, panes: Panes, session: Session, playback: Playback) -> None:
        super().__init__(panes.transport)
        self._panes, self._session, self._playback = panes, session, playback
        self.meter = SpeedMeter()
        self._chosen = session.speed
        session.source_changed.connect(self.meter.reset)
        panes.view.painted.connect(self._on_view_painted)
        timer = QTimer(self)
        timer.timeout.connect(self._show)
        timer.start(TICK_MS)

    def titled(self, title: str) -> str:
        """Return the title of the window, with the real speed if it is lower."""
        real = self._slower()
        if real is None:
            return title
        note = tr("{speed} (slower than {chosen})")
        note = tr("{speed} (slower than the video)") if self._chosen == 1 else note
        note = note.format(speed=real_text(real), chosen=speed_text(self._chosen))
        return f"{title.removesuffix(_PROGRAM)} · {note}{_PROGRAM}"

    def _on_view_painted(self) -> None:
        result, info = self._panes.view.result(), self._session.info
        position_s = result.frame.position_s if result is not None else None
        if info is None or info.is_live or position_s is None:
            self.meter.reset()
        else:
            self.meter.add(position_s)

    def _show(self) -> None:
        if not self._playback.is_playing:
            self.meter.reset()
        self._panes.transport.show_real_speed(self._slower(), self._chosen)

    def _slower(self) -> float | None:
        """Return the real speed if it is below the chosen one, which it is measured anew for."""
        if self._session.speed != self._chosen:
            self._chosen = self._session.speed
            self.meter.reset()
            self._panes.transport.show_real_speed(None, self._chosen)
        return slower(self.meter.speed(), self._chosen)


def slower(real: float | None, chosen: float) -> float | None:
    """Return a real speed if it is clearly below the chosen one; else None."""
    is_slow = real is not None and not math.isinf(chosen) and real < SLOW_SHARE * chosen
    return real if is_slow else None
