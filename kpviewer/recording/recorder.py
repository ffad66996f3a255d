"""The thread that paints results and writes them to files, in parallel to the pipeline."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kpviewer.errors import KpviewerError
from kpviewer.overlay import Canvas, OverlayStyle
from kpviewer.recording.clock import FrameClock
from kpviewer.recording.disk import disk_answers, disk_silence_s
from kpviewer.recording.preroll import PreRoll, RecordingItem, RecordingMark
from kpviewer.recording.reasons import reason_of
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recorder_queue import RecorderQueue
from kpviewer.recording.recorder_status import RecorderState, RecorderStatus
from kpviewer.recording.segment import Render
from kpviewer.recording.segments import Segments
from kpviewer.structures import FrameResult, StreamInfo

_CHECK_EVERY_S = 0.25
"""Interval in s at which the existence of the files is checked, with or without frames."""
_IDLE_S = 1.0
"""Time in s without a frame after which a recording is shown as waiting."""

_log = logging.getLogger(__name__)


class RecorderThread(threading.Thread):
    """Records the results of a pipeline; add it with ``Pipeline.add_sink``.

    ``start``, ``stop``, ``pause``, ``resume``, ``split`` and ``set_style`` are for the owner,
    ``accept`` is called on the inference thread, ``status`` on any. No error of a recording reaches
    the pipeline::

        IDLE --start--> OPENING --> RECORDING --stop--> FINISHED
                           +-----------+--- disk or encoder fails ---> FAILED
                                                                (the files so far are kept)

    With a pre-roll, that is the sink: the recorder gets its kept frames, then the new ones.
    """

    def __init__(
        self,
        folder: Path,
        info: StreamInfo,
        options: RecorderOptions | None = None,
        *,
        render: Render | None = None,
        preroll: PreRoll | None = None,
    ) -> None:
        """Prepare; nothing is written before ``start``.

        Args:
            folder: folder of the files; made if it doesn't exist.
            info: description of the recorded stream.
            options: options of the recording.
            render: function that paints a result; None paints the overlay, which requires
                ``overlay.ensure_gui_application``.
            preroll: a sink of the pipeline whose kept frames are recorded first.
        """
        # A daemon, as a disk may never answer; its owner waits for it with ``wait``.
        super().__init__(name="kpviewer-recorder", daemon=True)
        options = options or RecorderOptions()
        self.folder = folder
        """Folder that was asked for."""
        self._preroll = preroll
        self._is_live = info.is_live
        self._kept: Iterator[RecordingItem] = iter(())
        """Frames and marks of the pre-roll."""
        self._style = options.style
        make_clock = FrameClock.of_media if options.by_media_time else FrameClock.of_viewer
        self._clock = make_clock(info)
        self._segments = Segments(folder, options, self._clock.fps, render or Canvas().paint)
        self._queue = RecorderQueue(
            options.queue_size, lossless=options.lossless, patience_s=options.patience_s
        )
        self._splits_done = 0
        """Number of splits whose next file has no frame yet."""
        self._is_paused = False
        self._steps = 0
        self._next_check_s = self._last_frame_s = 0.0
        self._status = RecorderStatus()

    def start(self) -> None:
        """Start recording. The thread makes the files; ``status`` has the failure if it can't."""
        self._status = RecorderStatus(RecorderState.OPENING)
        self._last_frame_s = time.monotonic()
        if self._preroll is not None:  # now, not once the files are made: frames would expire
            self._kept = self._preroll.begin(self, time.monotonic_ns() if self._is_live else None)
        super().start()

    def finish(self) -> None:
        """Accept no more frames, without blocking; the thread ends once the others are written."""
        if self._preroll is not None:
            self._preroll.end()
        self._queue.close()

    def stop(self) -> Path | None:
        """Write the waiting frames, finish the files and end the thread; idempotent.

        Returns:
            The first file; None if there was no frame.
        """
        self.finish()
        self.wait()
        return self._status.path

    def wait(self, patience_s: float = 10.0) -> bool:
        """Wait for the end of the thread, as long as it makes progress.

        Returns:
            Whether the thread has ended.
        """
        if self.ident is None:
            return True
        before, since_s = self._progress, time.monotonic()
        while self.is_alive():
            self.join(_CHECK_EVERY_S)
            if self._progress != before:
                before, since_s = self._progress, time.monotonic()
            silence_s = disk_silence_s(self, *self._segments.threads)
            if max(time.monotonic() - since_s, silence_s) > patience_s:
                break
        return not self.is_alive()

    def accept(self, result: FrameResult) -> None:
        """Record a result; while paused and after the end it is ignored."""
        self._last_frame_s = time.monotonic()
        if not self._is_paused:
            self._queue.put(result)

    @property
    def is_paused(self) -> bool:
        """Whether frames are left out."""
        return self._is_paused

    def pause(self) -> None:
        """Leave out the next frames; the file's time stops."""
        self._is_paused = True

    def resume(self) -> None:
        """Continue, without a gap in the file's time."""
        if self._is_paused:
            self._put(RecordingMark.CUT)
            self._is_paused = False

    def split(self) -> None:
        """Finish the files and continue in new ones, without losing a frame."""
        self._queue.note_opening()
        self._put(RecordingMark.SPLIT)

    def set_style(self, style: OverlayStyle) -> None:
        """Paint the next frames in another style."""
        self._style = style

    def status(self) -> RecorderStatus:
        """Return a snapshot of the state; at any time."""
        status, idle_s = self._status, time.monotonic() - self._last_frame_s
        is_on = status.state in (RecorderState.OPENING, RecorderState.RECORDING)
        return replace(
            status,
            dropped=self._queue.dropped,
            is_paused=self._is_paused,
            is_waiting=is_on and not self._is_paused and idle_s > _IDLE_S,
            disk_silence_s=disk_silence_s(self, *self._segments.threads),
        )

    def run(self) -> None:
        """Serve until stopped or broken; the files are finished in any case."""
        failure: BaseException | None = None
        try:
            self._segments.open()
            self._publish()
            self._queue.note_opened()
            for item in self._items():
                self._steps += 1
                self._act_on(item)
        except BaseException as error:  # of any kind: viewing continues, and the user is informed
            failure = error
        try:
            if self._preroll is not None:
                self._preroll.end()
            self._queue.clear()
            end_failure = self._segments.end()
            failure = failure or end_failure
        except BaseException as error:
            failure = failure or error
        state = RecorderState.FINISHED if failure is None else RecorderState.FAILED
        self._status = self._segments.status(state, _explain(failure))

    def _items(self) -> Iterator[RecordingItem | None]:
        """Yield frames and marks, those of the pre-roll first; None after a while without any."""
        yield from self._kept
        while not self._queue.is_over:
            yield self._queue.take(_CHECK_EVERY_S)

    def _act_on(self, item: RecordingItem | None) -> None:
        if item is RecordingMark.SPLIT:
            self._segments.split()
            self._splits_done += 1
        elif item is RecordingMark.CUT:
            self._clock.cut()
        elif item is not None and not isinstance(item, RecordingMark):
            self._record(item)
        if time.monotonic() >= self._next_check_s:
            if self._segments.check_files():
                self._publish()
            self._next_check_s = time.monotonic() + _CHECK_EVERY_S

    def _record(self, result: FrameResult) -> None:
        try:
            if self._segments.current is None:  # run without start
                return
            if not self._segments.fits(result):
                self._queue.note_opening()
                self._segments.change_model(result)
                self._queue.note_opened()
            images = self._segments.current.prepare(result, self._style.of_result(result))
            time_s = self._clock.seconds(result.frame)
        finally:
            result.frame.release()  # before encoding: others wait for buffers
        self._segments.write(result, images, time_s)
        while self._splits_done:
            self._queue.note_opened()
            self._splits_done -= 1
        self._publish()

    def _put(self, mark: RecordingMark) -> None:
        """Put a mark after the frames so far."""
        if self._preroll is None or not self._preroll.put(mark):
            self._queue.put_mark(mark)

    def _publish(self) -> None:
        self._status = self._segments.status(RecorderState.RECORDING, None)

    @property
    def _progress(self) -> tuple[int, int]:
        """Counters that change while the recorder makes progress."""
        return self._steps, disk_answers(self, *self._segments.threads)


def _explain(error: BaseException | None) -> str | None:
    """Return why a recording ended, for the user; an unexpected error is also logged."""
    if error is None or isinstance(error, KpviewerError):
        return None if error is None else str(error)
    _log.error("The recorder failed.", exc_info=error)
    return f"Recording stopped: {reason_of(error)} What was recorded until then is kept."
