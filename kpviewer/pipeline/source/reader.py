"""A source as the capture thread sees it: frames in leased buffers, numbered and timed.

It also tracks the signal of a live source. It knows nothing of commands, pacing or queues.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.clock import Clock, Stopwatch
from kpviewer.runtime.buffers import BufferLease
from kpviewer.sources.base import OPEN_TIMEOUT_S, Captured, FrameSource, Scratch
from kpviewer.structures import Frame, ImageArray, StreamInfo

_STALL_S = 2.0
_GRACE_S = 0.5
"""Extra time in s beyond the open timeout, in which a source may report it by itself."""
_STALL_FRAMES = 5
_STALL_GAPS = 2
_SLIDES_FPS = 1.0
"""Rate of images that have no time of their own."""
_NS = 1_000_000_000


@runtime_checkable
class Interruptible(Protocol):
    """A source whose blocked open or read can be cut short."""

    def interrupt(self) -> None:
        """Make a blocked ``open`` or ``read`` raise SourceError soon; called from any thread."""


@runtime_checkable
class Listening(Protocol):
    """A live source that receives data before it can make a frame of it."""

    @property
    def silence_s(self) -> float | None:
        """Seconds without data; None once there is enough data for a frame."""

    @property
    def usual_gap_s(self) -> float:
        """Approximate longest time between two frames, in s."""


class QueuedFrame(NamedTuple):
    """A frame on its way to the model; its owner holds one claim on its buffer."""

    frame: Frame
    read_ms: float
    queued_ns: int
    """Monotonic time at which it was put on the queue."""
    cut: int = 0
    """Number that changes with each seek and each opening of the source. Two frames of one cut
    are consecutive in time."""
    is_lossless: bool = True
    """Whether no newer frame may replace it while it waits."""

    def release(self) -> None:
        """Release the claim on the buffer."""
        self.frame.release()


class SourceReader:
    """Owns a source. One thread opens, reads, seeks and closes; any may read the properties."""

    def __init__(self, source: FrameSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._info: StreamInfo | None = None
        self._scratch = Scratch()
        self._live_index = 0
        self._cuts = 0
        self._has_given_frames = False
        self._is_lost = False
        self._loss: str | None = None
        self._is_interrupted = False
        self._last_frame_ns = 0
        self.reading = Stopwatch(clock)
        """Stopwatch of the read or seek that is under way."""
        self.failed_attempts = 0
        """Number of failed attempts to get a frame by reopening, since the last frame."""
        self.reconnects = 0
        """Number of attempts to reopen a lost source, successful or not."""

    @property
    def info(self) -> StreamInfo | None:
        """Description of the stream; None while the source is being opened."""
        return self._info

    @property
    def open_info(self) -> StreamInfo:
        """Description of the open source's stream.

        Raises:
            PipelineError: if it is not open.
        """
        info = self._info
        if info is None:
            raise PipelineError("The source must be open to be read; open it first.")
        return info

    @property
    def warning(self) -> str | None:
        """Warning for the user: why the signal is lost, or that the file ended early."""
        return self._loss or self._source.warning

    @property
    def open_timeout_s(self) -> float:
        """Time in s after which an opening source is given up; it may grow meanwhile."""
        return float(getattr(self._source, "open_timeout_s", OPEN_TIMEOUT_S)) + _GRACE_S

    @property
    def has_given_frames(self) -> bool:
        """Whether a frame was read since the last opening or seek."""
        return self._has_given_frames

    @property
    def next_index(self) -> int:
        """Index of the frame that the next read of a file returns."""
        return self._source.next_index

    def has_just_read(self, index: int) -> bool:
        """Return whether frame ``index`` of a file was the last one read; False after a seek."""
        is_file = self.open_info.is_seekable
        return is_file and self._has_given_frames and self.next_index == index + 1

    def signal_lost_s(self) -> float | None:
        """Return the seconds without an image from a live source; None while it gives images."""
        info = self._info
        if info is None or not info.is_live:
            return None
        lost_s = (self._clock.now_ns() - self._last_frame_ns) / _NS
        if self._is_lost:
            return lost_s
        silent_s = lost_s
        patience_s = max(_STALL_S, _STALL_FRAMES / (info.nominal_fps or _STALL_FRAMES))
        source = self._source
        if isinstance(source, Listening):
            silent_s = lost_s if source.silence_s is None else min(lost_s, source.silence_s)
            patience_s = max(patience_s, _STALL_GAPS * source.usual_gap_s)
        return lost_s if silent_s > patience_s else None

    def position_s(self, frame: Frame) -> float:
        """Return the media time of a frame in s; from its index if the source gives none."""
        if frame.position_s is not None:
            return frame.position_s
        return frame.index / (self.open_info.nominal_fps or _SLIDES_FPS)

    def open(self) -> None:
        """Open the source.

        Raises:
            SourceError: if it can't be opened.
        """
        self._info, self._is_interrupted = None, False
        self._info = self._source.open()
        self._last_frame_ns = self._clock.now_ns()
        self._cuts += 1
        self._has_given_frames = self._is_lost = False
        self._loss = None
        self.failed_attempts = 0

    def close(self) -> None:
        """Close the source; idempotent."""
        self._source.close()

    def change(self, source: FrameSource) -> None:
        """Close the present source, then use another, closed one: both may be the same camera."""
        self._info = self._loss = None
        previous, self._source = self._source, source
        previous.close()
        self._live_index = 0

    def interrupt(self) -> None:
        """Cut a blocked open or read short, if the source supports it; from any thread."""
        self._is_interrupted = True
        if isinstance(self._source, Interruptible):
            self._source.interrupt()

    def go_to(self, index: int) -> None:
        """Make frame ``index`` the next one; a source that isn't seekable is reopened for 0.

        Raises:
            SourceError: if that fails.
        """
        info = self.open_info
        with self.reading:
            if info.is_seekable:
                last = index if info.frame_count is None else info.frame_count - 1
                self._source.seek(max(0, min(index, last)))
            elif index == 0 and not info.is_live:
                self._source.close()
                self._info = self._source.open()
        self._cuts += 1
        self._has_given_frames = False

    def lose(self) -> None:
        """Note that a live source is lost, and close it."""
        self._is_lost = True
        self._source.close()

    def reconnect(self) -> None:
        """Try once to open a lost source; if that fails, the next read returns None."""
        self.failed_attempts += 1
        self.reconnects += 1
        self._cuts += 1
        try:
            self._info = self._source.open()
            self._loss = None
        except SourceError as error:
            if not self._is_interrupted:
                self._loss = str(error)
            self._source.close()

    def read(self, lease: BufferLease | None) -> QueuedFrame | None:
        """Read the next frame.

        Args:
            lease: buffer to fill and seal; the frame takes it over. None reads into scratch
                memory, which the next such read overwrites.

        Returns:
            None at the end of a file, or if a live source is lost; the lease is unused then.

        Raises:
            SourceError: if a source that is not live fails.
        """
        started_ns = self._clock.now_ns()
        captured = self._ask(self._scratch.allocate if lease is None else lease.allocate)
        if captured is None:
            return None
        if lease is not None:
            lease.seal()
        read_ns = self._last_frame_ns = self._clock.now_ns()
        self._has_given_frames = True
        self._is_lost = False
        self._loss = None
        self.failed_attempts = 0
        frame = Frame(
            self._index_of_last(),
            captured.captured_ns,
            captured.position_s,
            captured.bgr,
            captured.ground_truth,
            lease,
            captured.file,
            captured.frame_in_file,
        )
        return QueuedFrame(frame, (read_ns - started_ns) / 1e6, read_ns, self._cuts)

    def _ask(self, allocate: Callable[[int, int], ImageArray]) -> Captured | None:
        """Read; return None also for a live source that fails."""
        try:
            with self.reading:
                return self._source.read(allocate)
        except SourceError as error:
            if not self.open_info.is_live:
                raise
            if not self._is_interrupted:  # an error at a stop is no loss
                self._loss = self._loss or str(error)
            return None

    def _index_of_last(self) -> int:
        """Return the index of the frame just read; live sources continue it when reopened."""
        if not self.open_info.is_live:
            return self._source.next_index - 1
        self._live_index += 1
        return self._live_index - 1
