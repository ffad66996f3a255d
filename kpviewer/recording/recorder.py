"""The thread that paints results and writes them to a video, beside the pipeline."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from kpviewer import overlay
from kpviewer.errors import KpviewerError
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.clock import FrameClock
from kpviewer.recording.files import recording_stem
from kpviewer.recording.recording import Recording, SpaceLimits
from kpviewer.recording.video import VideoOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kpviewer.structures import FrameResult, ImageArray, StreamInfo

    Render: TypeAlias = Callable[[FrameResult, OverlayStyle], ImageArray]

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
    """The file: ``NAME.mp4.part`` while it grows, then its name; None if nothing was written."""
    seconds: float = 0.0
    """Length of the video."""
    frames: int = 0
    dropped: int = 0
    """Frames that came while too many waited ("recorder full")."""
    bytes: int = 0
    """Size of the file."""
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
    limits: SpaceLimits = field(default_factory=SpaceLimits)
    video: VideoOptions = field(default_factory=VideoOptions)


class RecorderThread(threading.Thread):
    """Records what a pipeline gives it; add it with ``Pipeline.add_sink``.

    ``start``, ``stop`` and ``set_style`` are for the owner, ``accept`` is called on the inference
    thread, ``status`` by anyone. No error of a recording reaches the pipeline::

        IDLE --start--> RECORDING --stop--> FINISHED
                            +--- disk or encoder fails ---> FAILED     (what was written is kept)
    """

    def __init__(
        self,
        folder: Path,
        info: StreamInfo,
        options: RecorderOptions | None = None,
        *,
        render: Render = overlay.render,
    ) -> None:
        """Prepare; nothing is written before ``start``.

        Args:
            folder: where the file goes; made if it isn't there.
            info: the stream that will be recorded.
            options: how.
            render: paints a result; the default needs ``overlay.ensure_gui_application``.
        """
        super().__init__(name="kpviewer-recorder", daemon=False)
        self._folder = folder
        self._options = options or RecorderOptions()
        self._render = render
        self._style = self._options.style
        make_clock = FrameClock.of_media if self._options.by_media_time else FrameClock.of_viewer
        self._clock = make_clock(info)
        self._recording: Recording | None = None
        self._changed = threading.Condition()
        self._waiting: deque[FrameResult] = deque()
        self._is_stopping = False
        self._is_done = False
        self._dropped = 0
        self._status = RecorderStatus()

    def start(self) -> None:
        """Take a file name and begin.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        options = self._options
        self._recording = Recording(
            self._folder,
            options.stem or recording_stem(),
            nominal_fps=self._clock.fps,
            video=options.video,
            limits=options.limits,
        )
        self._status = RecorderStatus(RecorderState.RECORDING, self._recording.path)
        super().start()

    def stop(self) -> Path | None:
        """Write what waits, finish the file and end the thread; idempotent.

        Returns:
            The file; None if no frame ever came.
        """
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self.ident is not None:
            self.join()
        return self._status.path

    def accept(self, result: FrameResult) -> None:
        """Take a result to record; after the end it is ignored."""
        with self._changed:
            if self._options.lossless:
                self._changed.wait_for(lambda: self._is_over or not self._is_full)
            if self._is_over:
                return
            if self._is_full:
                self._dropped += 1
                return
            result.frame.retain()
            self._waiting.append(result)
            self._changed.notify_all()

    def set_style(self, style: OverlayStyle) -> None:
        """Paint the frames to come in another style."""
        self._style = style

    def status(self) -> RecorderStatus:
        """Give a snapshot, at any time."""
        return replace(self._status, dropped=self._dropped)

    def run(self) -> None:
        """Serve until stopped or broken; the file is finished in any case."""
        recording = self._recording
        if recording is None:  # run without start
            return
        failure: Exception | None = None
        try:
            while (result := self._next()) is not None:
                self._record(result, recording)
        except Exception as error:  # of whatever kind: viewing goes on
            failure = error
        self._forget_waiting()
        try:
            recording.close()
        except Exception as error:
            failure = failure or error
        state = RecorderState.FINISHED if failure is None else RecorderState.FAILED
        self._publish(state, recording, _explain(failure))

    def _next(self) -> FrameResult | None:
        """Wait for a result; None once there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopping)
            result = self._waiting.popleft() if self._waiting else None
            self._changed.notify_all()
            return result

    def _record(self, result: FrameResult, recording: Recording) -> None:
        try:
            picture = self._render(result, self._style)
            time_s = self._clock.seconds(result.frame)
        finally:
            result.frame.release()  # before encoding: others wait for buffers
        recording.write(picture, time_s)
        self._publish(RecorderState.RECORDING, recording, None)

    def _publish(self, state: RecorderState, recording: Recording, failure: str | None) -> None:
        self._status = RecorderStatus(
            state,
            recording.path,
            recording.seconds,
            recording.frames,
            bytes=recording.bytes,
            failure=failure,
        )

    def _forget_waiting(self) -> None:
        with self._changed:
            self._is_done = True
            while self._waiting:
                self._waiting.popleft().frame.release()
            self._changed.notify_all()

    @property
    def _is_over(self) -> bool:
        return self._is_stopping or self._is_done

    @property
    def _is_full(self) -> bool:
        return len(self._waiting) >= self._options.queue_size


def _explain(error: Exception | None) -> str | None:
    """Tell a user why a recording ended; what we didn't foresee goes to the log as well."""
    if error is None or isinstance(error, KpviewerError):
        return None if error is None else str(error)
    _log.error("The recorder failed.", exc_info=error)
    return f"Recording stopped: {error}. What was recorded until then is kept."
