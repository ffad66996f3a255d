"""The thread that paints results and writes them to files, beside the pipeline."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from kpviewer import overlay
from kpviewer.errors import KpviewerError
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.clock import FrameClock
from kpviewer.recording.files import recording_stem
from kpviewer.recording.preroll import Item, Mark
from kpviewer.recording.take import Take, TakeOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kpviewer.recording.preroll import PreRoll
    from kpviewer.recording.take import Render
    from kpviewer.structures import FrameResult, StreamInfo

_MOST_COPIED = 60
"""Frames that may wait with pixels of their own while a split opens the next file."""

_log = logging.getLogger(__name__)


class RecorderState(StrEnum):
    """Where a recorder is in its life."""

    IDLE = "idle"
    RECORDING = "recording"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """State of a recorder, as one snapshot."""

    state: RecorderState = RecorderState.IDLE
    path: Path | None = None
    """The first file: ``NAME.mp4.part`` while it grows, then its name; None if none was written."""
    paths: tuple[Path, ...] = ()
    """All files, those of finished parts first."""
    seconds: float = 0.0
    """Length of the video, all parts together."""
    frames: int = 0
    dropped: int = 0
    """Frames that came while too many waited ("recorder full")."""
    bytes: int = 0
    """Size of the files, all parts together."""
    parts: int = 1
    """How many files a split has made of each."""
    is_paused: bool = False
    failure: str | None = None
    """Why recording ended by itself: one or two lines for the user."""


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """How a recording is made."""

    stem: str | None = None
    """File name without suffix; None: ``kpviewer_YYYY-MM-DD_HH-MM-SS``."""
    style: OverlayStyle = field(default_factory=OverlayStyle)
    lossless: bool = False
    """When too many frames wait: the pipeline waits too (True), or the newest is lost (False)."""
    by_media_time: bool = False
    """Time by the file's stamps (True) or by the clock of capture (False); see ``FrameClock``."""
    queue_size: int = 2
    """Frames that wait; each holds one of the pipeline's buffers, and so does the one at work."""
    take: TakeOptions = field(default_factory=TakeOptions)
    """What is written."""


class RecorderThread(threading.Thread):
    """Records what a pipeline gives it; add it with ``Pipeline.add_sink``.

    ``start``, ``stop``, ``pause``, ``resume``, ``split`` and ``set_style`` are for the owner,
    ``accept`` is called on the inference thread, ``status`` by anyone. No error of a recording
    reaches the pipeline::

        IDLE --start--> RECORDING --stop--> FINISHED
                            +--- disk or encoder fails ---> FAILED     (what was written is kept)

    With a pre-roll, that is the sink: it gives the recorder what it kept, then what comes.
    """

    def __init__(
        self,
        folder: Path,
        info: StreamInfo,
        options: RecorderOptions | None = None,
        *,
        render: Render = overlay.render,
        preroll: PreRoll | None = None,
    ) -> None:
        """Prepare; nothing is written before ``start``.

        Args:
            folder: where the files go; made if it isn't there.
            info: the stream that will be recorded.
            options: how.
            render: paints a result; the default needs ``overlay.ensure_gui_application``.
            preroll: a sink of the pipeline whose kept frames are recorded first.
        """
        super().__init__(name="kpviewer-recorder", daemon=False)
        self._folder = folder
        self._options = options or RecorderOptions()
        self._render = render
        self._preroll = preroll
        self._style = self._options.style
        make_clock = FrameClock.of_media if self._options.by_media_time else FrameClock.of_viewer
        self._clock = make_clock(info)
        self._take: Take | None = None
        self._finished = _Finished()
        self._changed = threading.Condition()
        self._waiting: deque[Item] = deque()
        self._splits = self._splits_done = 0
        """Splits that were asked for; those whose next file has no frame yet."""
        self._is_paused = False
        self._is_stopping = False
        self._dropped = 0
        self._status = RecorderStatus()

    def start(self) -> None:
        """Take the file names and begin.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        self._take = self._new_take()
        self._publish(RecorderState.RECORDING, None)
        super().start()

    def finish(self) -> None:
        """Take no more frames; the thread ends once what waits is written. Doesn't wait for it."""
        if self._preroll is not None:
            self._preroll.end()
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()

    def stop(self) -> Path | None:
        """Write what waits, finish the files and end the thread; idempotent.

        Returns:
            The first file; None if no frame ever came.
        """
        self.finish()
        if self.ident is not None:
            self.join()
        return self._status.path

    def accept(self, result: FrameResult) -> None:
        """Take a result to record; while paused and after the end it is ignored."""
        with self._changed:
            if self._options.lossless:
                self._changed.wait_for(lambda: self._is_stopping or not self._is_full)
            if self._is_stopping or self._is_paused:
                return
            if self._is_full:
                if not self._splits or len(self._waiting) >= _MOST_COPIED:
                    self._dropped += 1
                    return
                result = _copied(result)
            result.frame.retain()
            self._waiting.append(result)
            self._changed.notify_all()

    @property
    def is_paused(self) -> bool:
        """Whether frames are left out."""
        return self._is_paused

    def pause(self) -> None:
        """Leave out the frames that come; the file's time stands still."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on, with no gap in the file's time."""
        if self._is_paused:
            self._put(Mark.CUT)
            self._is_paused = False

    def split(self) -> None:
        """Finish the files and go on in others; every frame is in one of them."""
        with self._changed:
            self._splits += 1
        self._put(Mark.SPLIT)

    def set_style(self, style: OverlayStyle) -> None:
        """Paint the frames to come in another style."""
        self._style = style

    def status(self) -> RecorderStatus:
        """Give a snapshot, at any time."""
        return replace(self._status, dropped=self._dropped, is_paused=self._is_paused)

    def run(self) -> None:
        """Serve until stopped or broken; the files are finished in any case."""
        failure: Exception | None = None
        try:
            for item in self._items():
                if item is Mark.SPLIT:
                    self._split()
                elif item is Mark.CUT:
                    self._clock.cut()
                elif not isinstance(item, Mark):
                    self._record(item)
        except Exception as error:  # of whatever kind: viewing goes on
            failure = error
        self._forget_waiting()
        take, self._take = self._take, None
        if take is not None:
            self._finished.finish(take)
        failure = failure or self._finished.join()
        state = RecorderState.FINISHED if failure is None else RecorderState.FAILED
        self._publish(state, _explain(failure))

    def _items(self) -> Iterator[Item]:
        """Give the frames and marks, those of the pre-roll first, until there will be no more."""
        if self._preroll is not None:
            kept = self._preroll.begin(self)
            while (item := kept.take()) is not None:
                yield item
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_stopping)
                if not self._waiting:
                    return
                item = self._waiting.popleft()
                self._changed.notify_all()
            yield item

    def _put(self, mark: Mark) -> None:
        """Put a mark behind the frames that have come."""
        if self._preroll is not None and self._preroll.put(mark):
            return
        with self._changed:
            self._waiting.append(mark)
            self._changed.notify_all()

    def _new_take(self) -> Take:
        return Take(
            self._folder,
            self._options.stem or recording_stem(),
            self._options.take,
            nominal_fps=self._clock.fps,
            render=self._render,
        )

    def _record(self, result: FrameResult) -> None:
        take = self._take
        try:
            if take is None:  # run without start
                return
            pictures = take.prepare(result, self._style)
            time_s = self._clock.seconds(result.frame)
        finally:
            result.frame.release()  # before encoding: others wait for buffers
        take.write(result, pictures, time_s)
        if self._splits_done:
            with self._changed:
                self._splits -= self._splits_done
                self._splits_done = 0
        self._publish(RecorderState.RECORDING, None)

    def _split(self) -> None:
        """Begin other files; those before are finished meanwhile."""
        before = self._take
        if before is not None and before.frames:
            self._take = self._new_take()
            self._finished.finish_beside(before)
        self._splits_done += 1

    def _publish(self, state: RecorderState, failure: str | None) -> None:
        done, take = self._finished, self._take
        paths = [*done.paths, *(take.paths if take is not None else ())]
        self._status = RecorderStatus(
            state,
            paths[0] if paths else None,
            tuple(paths),
            seconds=done.seconds + (take.seconds if take is not None else 0.0),
            frames=done.frames + (take.frames if take is not None else 0),
            bytes=done.bytes + (take.bytes if take is not None else 0),
            parts=done.takes + (take is not None),
            failure=failure,
        )

    def _forget_waiting(self) -> None:
        if self._preroll is not None:
            self._preroll.end()
        with self._changed:
            self._is_stopping = True
            while self._waiting:
                item = self._waiting.popleft()
                if not isinstance(item, Mark):
                    item.frame.release()
            self._changed.notify_all()

    @property
    def _is_full(self) -> bool:
        frames = sum(not isinstance(item, Mark) for item in self._waiting)
        return frames >= self._options.queue_size


class _Finished:
    """The takes that are over, in their order; each may be finished on a thread of its own."""

    def __init__(self) -> None:
        self._takes: list[Take] = []
        self._threads: list[threading.Thread] = []
        self._failure: Exception | None = None
        self.seconds = 0.0
        self.frames = 0
        self.bytes = 0

    @property
    def takes(self) -> int:
        """How many hold something."""
        return sum(bool(take.frames) for take in self._takes)

    @property
    def paths(self) -> list[Path]:
        """Their files; parts where one isn't finished."""
        return [path for take in self._takes for path in take.paths]

    def finish(self, take: Take) -> None:
        """Finish the files of a take; ``join`` tells what went wrong."""
        self._count(take)
        self._close(take)

    def finish_beside(self, take: Take) -> None:
        """Do so on another thread."""
        self._count(take)
        thread = threading.Thread(target=partial(self._close, take), name="kpviewer-finishing")
        self._threads.append(thread)
        thread.start()

    def join(self) -> Exception | None:
        """Wait for all; give the first thing that went wrong."""
        for thread in self._threads:
            thread.join()
        self.bytes = sum(take.bytes for take in self._takes)
        return self._failure

    def _count(self, take: Take) -> None:
        self._takes.append(take)
        self.seconds += take.seconds
        self.frames += take.frames
        self.bytes += take.bytes

    def _close(self, take: Take) -> None:
        try:
            take.close()
        except Exception as error:
            self._failure = self._failure or error


def _copied(result: FrameResult) -> FrameResult:
    """Give a result whose frame owns its pixels."""
    return replace(result, frame=replace(result.frame, bgr=result.frame.bgr.copy(), lease=None))


def _explain(error: Exception | None) -> str | None:
    """Tell a user why a recording ended; what we didn't foresee goes to the log as well."""
    if error is None or isinstance(error, KpviewerError):
        return None if error is None else str(error)
    _log.error("The recorder failed.", exc_info=error)
    return f"Recording stopped: {error}. What was recorded until then is kept."
