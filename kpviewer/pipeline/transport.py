"""What the user asks of the stream: pause, step, seek, how it is played, another source, stop.

Any thread asks; the capture thread takes the orders between two frames and is woken from its
waits by a new one. This module knows nothing of frames or queues.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from kpviewer.pipeline.clock import Clock

if TYPE_CHECKING:
    from kpviewer.sources.base import FrameSource

_NS = 1_000_000_000


class Span(NamedTuple):
    """Frames that are played again and again, the last one included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PlaybackSettings:
    """How a stream is played; swapped as one."""

    speed: float = 1.0
    """Of files: 2 plays twice as fast; ``inf`` as fast as the model goes."""
    loop: bool = False
    """Start files again at their end."""
    span: Span | None = None
    """Go from its last frame to its first one; who sought past it plays on to the end."""
    lossless: bool | None = None
    """Every frame in order (True) or the newest one (False); None: what the source asks for."""


@dataclass(frozen=True, slots=True)
class PendingCommands:
    """One snapshot of what is asked; ``source``, ``seek`` and ``again`` are handed out once."""

    version: int
    """Changes with every order; see ``Transport.wait_for_orders``."""
    place: int
    """Changes when the stream is sent elsewhere; see ``Transport.frame_went_out``."""
    stop: bool
    source: FrameSource | None
    """Change to this source."""
    seek: int | None
    """Go to this frame."""
    again: bool
    """Go back to the frame that went out last."""
    paused: bool
    """By the user, or at the end."""
    at_end: bool
    may_advance: bool
    """Whether the next frame may go out: running, or a step is asked for."""
    manner: PlaybackSettings


class Transport:
    """Holds the orders until the capture thread takes them. Thread-safe.

    A paused stream still owes one frame after start, seek, step and a change of source.
    """

    def __init__(self, clock: Clock, manner: PlaybackSettings | None = None) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._version = 0
        self._place = 0
        self._stop = False
        self._source: FrameSource | None = None
        self._seek: int | None = None
        self._again = False
        self._paused = False
        self._at_end = False
        self._owed = 1
        self._manner = manner or PlaybackSettings()

    @property
    def paused(self) -> bool:
        """Whether the stream is paused, by the user or at its end."""
        return self._paused

    @property
    def at_end(self) -> bool:
        """Whether the stream waits at its end."""
        return self._at_end

    @property
    def manner(self) -> PlaybackSettings:
        """How the stream is to be played."""
        return self._manner

    def begin(self) -> None:
        """Make ready for a new run; pause, manner and a seek asked for before stay."""
        with self._changed:
            self._stop = False
            self._paused = self._paused and not self._at_end
            self._at_end = False
            self._wake(elsewhere=True)

    def pause(self) -> None:
        """Hold the stream after the frame that is under way."""
        with self._changed:
            self._paused = True
            self._wake()

    def resume(self) -> None:
        """Go on; from the start, of the span if there is one, if the stream waits at its end."""
        with self._changed:
            was_at_end = self._at_end
            if was_at_end:
                self._seek = self._manner.span.first if self._manner.span else 0
            self._at_end = self._paused = False
            self._wake(elsewhere=was_at_end)

    def step(self) -> None:
        """Pause, and let one more frame out; at the end there is none."""
        with self._changed:
            if not self._at_end:
                self._owed = self._owed + 1 if self._paused else 1
            self._paused = True
            self._wake()

    def seek(self, index: int) -> None:
        """Go to frame ``index``; of several seeks that wait, the last one counts."""
        with self._changed:
            self._seek = index
            self._at_end = False
            self._wake(elsewhere=True)

    def repeat_frame(self) -> None:
        """While paused, let the frame that went out last out once more; where one is owed, wait.

        Unlike a seek to the frame on the screen it never takes the place of one that is under way,
        and a stream that waits at its end still does.
        """
        with self._changed:
            is_due = self._owed > 0 or self._seek is not None or self._source is not None
            if self._paused and not is_due:
                self._again = True
                self._wake(elsewhere=True)

    def change(self, **fields: Any) -> None:
        """Change fields of the ``PlaybackSettings``, from the next frame on.

        Raises:
            ValueError: if the speed is not positive, or the span is no row of frames.
        """
        with self._changed:
            manner = replace(self._manner, **fields)
            if not manner.speed > 0:
                raise ValueError(f"speed must be positive, got {manner.speed}")
            if manner.span is not None and not 0 <= manner.span.first <= manner.span.last:
                raise ValueError(f"a span must be 0 <= first <= last, got {manner.span}")
            self._manner = manner
            self._wake()

    def change_source(self, source: FrameSource) -> FrameSource | None:
        """Ask for another source, without a span; gives back one that was never taken."""
        with self._changed:
            displaced, self._source = self._source, source
            self._seek = None
            self._again = False
            self._manner = replace(self._manner, span=None)
            self._paused = self._paused and not self._at_end
            self._at_end = False
            self._wake(elsewhere=True)
            return displaced

    def stop(self) -> None:
        """Ask the capture thread to end."""
        with self._changed:
            self._stop = True
            self._wake()

    def take(self) -> PendingCommands:
        """Take the orders: for the capture thread."""
        with self._changed:
            orders = PendingCommands(
                self._version,
                self._place,
                self._stop,
                self._source,
                self._seek,
                self._again and self._seek is None,
                self._paused,
                self._at_end,
                not self._paused or self._owed > 0,
                self._manner,
            )
            self._source = self._seek = None
            self._again = False
            return orders

    def take_source(self) -> FrameSource | None:
        """Take only the source that waits, if one does."""
        with self._changed:
            source, self._source = self._source, None
            return source

    def frame_went_out(self, place: int) -> None:
        """Note that a frame was handed on; a paused stream owes one less.

        Args:
            place: of the orders that the frame was read under. What is owed at another place,
                because the user went there meanwhile, is still owed.
        """
        with self._changed:
            if place == self._place:
                self._owed = max(0, self._owed - 1)

    def hold_at_end(self) -> None:
        """Pause at the end of the stream, unless the user asked to go elsewhere meanwhile."""
        with self._changed:
            if self._stop or self._source is not None or self._seek is not None:
                return
            self._paused = self._at_end = True
            self._owed = 0

    def wait_for_orders(self, version: int, timeout_s: float | None = None) -> bool:
        """Wait until there are orders newer than ``version``; False when the time is up."""
        with self._changed:
            if timeout_s is None:
                return self._changed.wait_for(lambda: self._version != version)
            return _wait(self._changed, self._clock, lambda: self._version != version, timeout_s)

    def wait_for_leave(self, timeout_s: float) -> bool:
        """Wait until the present source is to be left (stop, other source); False: time is up."""
        with self._changed:
            return _wait(
                self._changed,
                self._clock,
                lambda: self._stop or self._source is not None,
                timeout_s,
            )

    def _wake(self, *, elsewhere: bool = False) -> None:
        """Wake the capture thread; from ``elsewhere`` the stream owes a first frame."""
        self._version += 1
        if elsewhere:
            self._place += 1
            self._owed = 1
        self._changed.notify_all()


def _wait(
    changed: threading.Condition, clock: Clock, is_done: Callable[[], bool], timeout_s: float
) -> bool:
    """Wait on the pipeline's own clock, the lock being held; False when the time is up."""
    deadline_ns = clock.now_ns() + round(timeout_s * _NS)
    while not is_done():
        left_s = (deadline_ns - clock.now_ns()) / _NS
        if left_s <= 0:
            return False
        clock.wait(changed, left_s)
    return True
