"""Result sink that writes a scan file."""

import time
from collections.abc import Callable

import numpy as np

from kpviewer.scanning.columns import ScannedFrame, columns_of, likely
from kpviewer.scanning.header import ScanHeader
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.structures import BoolArray, Candidates, FrameResult, arrays_of
from kpviewer.system.paths import utf8_text

FLUSH_S = 1.0
"""Longest time between writes while frames come."""
_SLOW_S = 0.25
"""Time between frames from which on each is written at once."""
_FLUSH_FRAMES = 512
_FLUSH_BYTES = 4 * 1024**2


class ScanSink:
    """Result sink that writes the candidates of frames after those that the file has.

    Frames wait in memory for at most a second, and are written together: a crash loses no more.
    For one thread.
    """

    def __init__(
        self,
        writer: ScanWriter,
        header: ScanHeader,
        last_index: int = -1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        spec = header.spec
        self._sizes = (len(spec.class_names), len(spec.keypoint_names), header.floor)
        self._waiting: list[ScannedFrame] = []
        self._bytes = 0
        self._clock = clock
        self._flushed_s = self._accepted_s = clock()
        self.last_index = last_index
        """Index of the last frame that was accepted."""
        self.skipped = 0
        """Number of candidates left out, because a coordinate isn't a finite number."""

    @property
    def frames(self) -> int:
        """Number of frames in the file."""
        return self._writer.frames

    def accept(self, result: FrameResult) -> None:
        """Keep the candidates of a frame; those that the file has are passed over.

        Raises:
            KpviewerError: if the file can't be written.
        """
        frame = result.frame
        if frame.index <= self.last_index or not result.has_model:
            return
        self.last_index = frame.index
        kept = self._finite(likely(result.candidates, self._sizes[2]))
        self._waiting.append(ScannedFrame(frame.index, frame.position_s, kept, frame.file))
        self._bytes += sum(each.nbytes for each in arrays_of(kept).values())
        now_s = self._clock()
        is_slow = now_s - self._accepted_s >= _SLOW_S
        self._accepted_s = now_s
        is_full = len(self._waiting) >= _FLUSH_FRAMES or self._bytes >= _FLUSH_BYTES
        if is_slow or is_full or now_s - self._flushed_s >= FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Write the frames that wait.

        Raises:
            KpviewerError: if the file can't be written.
        """
        frames, self._waiting, self._bytes = self._waiting, [], 0
        self._flushed_s = self._clock()
        if not frames:
            return
        columns = columns_of(frames, *self._sizes)
        files = tuple(utf8_text(each.file or "") for each in frames)
        self._writer.append(ScanChunk(columns, files if any(files) else ()))

    def close(self, *, is_complete: bool) -> None:
        """Write what waits and close the file.

        Raises:
            KpviewerError: if the file can't be written.
        """
        try:
            self.flush()
            if is_complete:
                self._writer.finish()
        finally:
            self._writer.close()

    def _finite(self, candidates: Candidates) -> Candidates:
        """Leave out candidates with a coordinate that isn't finite."""
        points = candidates.keypoints_xy
        flat = np.concatenate(
            [candidates.xyxy, points.reshape(len(points), 2 * points.shape[1])], axis=1
        )
        finite: BoolArray = np.isfinite(flat).all(axis=1)
        if finite.all():
            return candidates
        self.skipped += int(np.count_nonzero(~finite))
        return candidates.take(finite)
