"""Batches of waiting frames that the model runs at once (``PipelineOptions.batch``)."""

import logging
from collections import deque
from collections.abc import Sequence

from kpviewer.pipeline.protocols import (
    BatchEngine,
    EngineResult,
    FrameEngine,
    InferenceEngine,
    infer_all,
)
from kpviewer.pipeline.state.wiring import Wiring
from kpviewer.structures import Frame

BATCH_MS = 1000.0
"""Longest time of a batch, estimated: a stop waits for the batch under way."""

_log = logging.getLogger(__name__)


class FrameBatch:
    """Runs several frames at once; for the inference thread."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._frame_ms = BATCH_MS
        self._failed: InferenceEngine | None = None
        """Engine whose last batch failed; it runs frame by frame."""

    @property
    def room(self) -> int:
        """Number of frames of the next batch, at least 1."""
        return max(1, min(self._wiring.options.batch, int(BATCH_MS / max(self._frame_ms, 1e-3))))

    def note_ms(self, frame_ms: float) -> None:
        """Note the model's time for the last frame."""
        self._frame_ms = frame_ms

    def run(self, frames: Sequence[Frame], engine: InferenceEngine | None) -> deque[EngineResult]:
        """Return the result of each frame; none if they are to be run one by one."""
        if len(frames) < 2 or engine is self._failed:
            return deque()
        if not isinstance(engine, BatchEngine | FrameEngine):
            return deque()
        faults = self._wiring.faults
        faults.begins(engine)
        try:
            return deque(infer_all(engine, frames))
        except BaseException as error:  # each frame is tried alone, which reports a fault
            _log.info("Frames run one by one, as a batch failed: %s", error)
            self._failed = engine
            return deque()
        finally:
            faults.answered(engine)
