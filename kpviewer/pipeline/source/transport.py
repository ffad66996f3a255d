"""The user's commands to a stream: pause, step, seek, playback, another source, stop.

Any thread may give a command. The capture thread takes the pending ones between two frames, and a
new command wakes it from its waits. This module knows nothing of frames or queues.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypedDict, Unpack

from kpviewer.pipeline.clock import Clock
from kpviewer.sources.base import FrameSource

_NS = 1_000_000_000


class Span(NamedTuple):
    """Frames that are played in a loop, ``last`` included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class PlaybackSettings:
    """Settings of how a stream is played; swapped as one."""

    speed: float = 1.0
    """Speed of files: 2 plays twice as fast; ``inf`` as fast as the model runs."""
    loop: bool = False
    """Whether files start again at their end."""
    span: Span | None = None
    """Frames to loop over. Seeking past the last one continues to the end of the file."""
    lossless: bool | None = None
    """Every frame in order (True) or the newest one (False); None: the source's default."""


class PlaybackChanges(TypedDict, total=False):
    """Fields of ``PlaybackSettings`` to change."""

    speed: float
    loop: bool
    span: Span | None
    lossless: bool | None


@dataclass(frozen=True, slots=True)
class PendingCommands:
    """Snapshot of the commands; ``source``, ``seek`` and ``repeat`` are handed out once."""

    number: int
    """Number of the latest command; see ``Transport.wait_for_commands``."""
    jump_number: int
    """Number of the latest jump to another frame or source; see ``Transport.frame_delivered``."""
    stop: bool
    source: FrameSource | None
    """Source to change to."""
    seek: int | None
    """Index of the frame to go to."""
    repeat: bool
    """Whether to go back to the frame that was delivered last."""
    paused: bool
    """Whether the stream is paused, by the user or at its end."""
    at_end: bool
    may_advance: bool
    """Whether the next frame may be delivered: the stream runs, or owes a frame."""
    playback: PlaybackSettings


class Transport:
    """Holds the commands until the capture thread takes them. Thread-safe.

    A paused stream still owes one frame after start, seek, step and a change of source.
    """

    def __init__(self, clock: Clock, playback: PlaybackSettings | None = None) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._command_number = 0
        self._jump_number = 0
        self._stop = False
        self._source: FrameSource | None = None
        self._seek: int | None = None
        self._repeat = False
        self._paused = False
        self._at_end = False
        self._frames_owed = 1
        """Frames that are still to be delivered while the stream is paused."""
        self.playback = playback or PlaybackSettings()
        """Settings of playback; ``change`` replaces them."""

    @property
    def paused(self) -> bool:
        """Whether the stream is paused, by the user or at its end."""
        return self._paused

    @property
    def at_end(self) -> bool:
        """Whether the stream waits at its end."""
        return self._at_end

    def begin(self) -> None:
        """Prepare for a new run; pause, playback and a pending seek stay."""
        with self._changed:
            self._stop = False
            self._paused = self._paused and not self._at_end
            self._at_end = False
            self._notify(is_jump=True)

    def pause(self) -> None:
        """Hold the stream after the frame that is under way."""
        with self._changed:
            self._paused = True
            self._notify()

    def resume(self) -> None:
        """Continue; a stream that waits at its end restarts, at its span if there is one."""
        with self._changed:
            was_at_end = self._at_end
            if was_at_end:
                self._seek = self.playback.span.first if self.playback.span else 0
            self._at_end = self._paused = False
            self._notify(is_jump=was_at_end)

    def step(self) -> None:
        """Pause, and deliver one more frame; at the end there is none."""
        with self._changed:
            if not self._at_end:
                self._frames_owed = self._frames_owed + 1 if self._paused else 1
            self._paused = True
            self._notify()

    def seek(self, index: int) -> None:
        """Go to frame ``index``; of several pending seeks, the last one counts."""
        with self._changed:
            self._seek = index
            self._at_end = False
            self._notify(is_jump=True)

    def repeat_frame(self, is_wanted: Callable[[], bool] | None = None) -> None:
        """While paused, deliver the last frame once more, unless another one is owed.

        Unlike a seek to that frame it never replaces one that is under way, and a stream that
        waits at its end still does.

        Args:
            is_wanted: function that may still refuse, called when no frame is owed.
        """
        with self._changed:
            is_due = self._frames_owed > 0 or self._seek is not None or self._source is not None
            if self._paused and not is_due and (is_wanted is None or is_wanted()):
                self._repeat = True
                self._notify(is_jump=True)

    def change(self, **changes: Unpack[PlaybackChanges]) -> None:
        """Change fields of the ``PlaybackSettings``, from the next frame on.

        Raises:
            ValueError: if the speed is not positive, or the span is not a range of frames.
        """
        with self._changed:
            playback = replace(self.playback, **changes)
            if not playback.speed > 0:
                raise ValueError(f"speed must be positive, got {playback.speed}")
            if playback.span is not None and not 0 <= playback.span.first <= playback.span.last:
                raise ValueError(f"a span must be 0 <= first <= last, got {playback.span}")
            self.playback = playback
            self._notify()

    def change_source(self, source: FrameSource) -> FrameSource | None:
        """Ask for another source, without a span; return one that was never taken."""
        with self._changed:
            displaced, self._source = self._source, source
            self._seek = None
            self._repeat = False
            self.playback = replace(self.playback, span=None)
            self._paused = self._paused and not self._at_end
            self._at_end = False
            self._notify(is_jump=True)
            return displaced

    def stop(self) -> None:
        """Ask the capture thread to end."""
        with self._changed:
            self._stop = True
            self._notify()

    def take(self) -> PendingCommands:
        """Take the pending commands; for the capture thread."""
        with self._changed:
            commands = PendingCommands(
                number=self._command_number,
                jump_number=self._jump_number,
                stop=self._stop,
                source=self._source,
                seek=self._seek,
                repeat=self._repeat and self._seek is None,
                paused=self._paused,
                at_end=self._at_end,
                may_advance=not self._paused or self._frames_owed > 0,
                playback=self.playback,
            )
            self._source = self._seek = None
            self._repeat = False
            return commands

    def take_source(self) -> FrameSource | None:
        """Take only the pending source, if there is one."""
        with self._changed:
            source, self._source = self._source, None
            return source

    def frame_delivered(self, jump_number: int) -> None:
        """Note that a frame was passed on; a paused stream owes one less.

        Args:
            jump_number: that of the commands under which the frame was read. After a later jump
                the frame doesn't count: the one that the user jumped to is still owed.
        """
        with self._changed:
            if jump_number == self._jump_number:
                self._frames_owed = max(0, self._frames_owed - 1)

    def hold_at_end(self) -> None:
        """Pause at the end of the stream, unless the user asked for a jump or a stop meanwhile."""
        with self._changed:
            if self._stop or self._source is not None or self._seek is not None:
                return
            self._paused = self._at_end = True
            self._frames_owed = 0

    def end_unless_replaced(self, end: Callable[[], object]) -> None:
        """End the run, unless another source waits to be used: it plays on then.

        A source that is set later finds the run at its end; none is lost between the two.

        Args:
            end: function that notes the end, called before another command is accepted.
        """
        with self._changed:
            if self._source is None:
                end()

    def wait_for_commands(self, number: int, timeout_s: float | None = None) -> bool:
        """Wait for a command after ``number``; return False when the time is up."""
        with self._changed:
            return _wait(
                self._changed, self._clock, lambda: self._command_number != number, timeout_s
            )

    def wait_for_stop_or_source(self, timeout_s: float) -> bool:
        """Wait for a stop or another source; return False when the time is up."""
        with self._changed:
            return _wait(
                self._changed,
                self._clock,
                lambda: self._stop or self._source is not None,
                timeout_s,
            )

    def _notify(self, *, is_jump: bool = False) -> None:
        """Wake the capture thread; after a jump the stream owes a first frame."""
        self._command_number += 1
        if is_jump:
            self._jump_number += 1
            self._frames_owed = 1
        self._changed.notify_all()


def _wait(
    changed: threading.Condition, clock: Clock, is_done: Callable[[], bool], timeout_s: float | None
) -> bool:
    """Wait on the pipeline's own clock while the lock is held; return False when time is up."""
    if timeout_s is None:
        return changed.wait_for(is_done)
    deadline_ns = clock.now_ns() + round(timeout_s * _NS)
    while not is_done():
        left_s = (deadline_ns - clock.now_ns()) / _NS
        if left_s <= 0:
            return False
        clock.wait(changed, left_s)
    return True
