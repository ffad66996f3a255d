"""Measurement of a pipeline from outside: between it and its engine, and as a sink."""

import threading
import time
from collections.abc import Callable
from typing import cast

from kpviewer.pipeline.protocols import (
    EngineResult,
    InferenceEngine,
    SubmittingEngine,
    frames_in_flight,
)
from kpviewer.pipeline.wrapping import WrappingEngine
from kpviewer.runtime.tickets import Ticket
from kpviewer.structures import FrameResult, ImageArray


class StageMeter(WrappingEngine):
    """Measures the stages of each frame, between a pipeline and its engine.

    It is both engine and sink, which the inference thread calls in turn for each frame.
    """

    def __init__(self, engine: InferenceEngine, frames: int, warm_up: int) -> None:
        """Prepare to measure ``frames`` frames, after ``warm_up`` others."""
        self._engine = engine
        self._frames, self._warm_up = frames, warm_up
        self._decode_ms = 0.0
        self._began_s = self._ended_s = 0.0
        self.is_complete = threading.Event()
        """Event that is set when the block has all its frames."""
        self.results = 0
        """Number of results so far, the warm-up included."""
        self.image_hw = (0, 0)
        self.stages_ms: dict[str, list[float]] = {}

    @property
    def fps(self) -> float:
        """Frames per second from the last result of the warm-up to the last of the block."""
        return self._frames / (self._ended_s - self._began_s)

    @property
    def engine(self) -> InferenceEngine:
        """The engine that is measured."""
        return self._engine

    @property
    def frames_in_flight(self) -> int:
        """Most frames that the engine takes at once."""
        return frames_in_flight(self._engine)

    def infer(self, bgr: ImageArray) -> EngineResult:
        """Run the engine on an (H, W, 3) uint8 image."""
        return self._noted(self._engine.infer(bgr))

    def submit(self, bgr: ImageArray) -> Ticket[EngineResult]:
        """Begin with an image on an engine that takes several at once."""
        ticket = cast("SubmittingEngine", self._engine).submit(bgr)
        return Ticket(ticket.fence, lambda: self._noted(ticket.result()))

    def _noted(self, found: EngineResult) -> EngineResult:
        """Keep the time of decoding until the frame's result comes, which is the next."""
        self._decode_ms = found[1][2]
        return found

    def accept(self, result: FrameResult) -> None:
        """Record the times of a result."""
        if self.is_complete.is_set():
            return
        self.results += 1
        if self.results <= self._warm_up:
            self._began_s = time.perf_counter()
            return
        self._record(result)
        if self.results == self._warm_up + self._frames:
            self._ended_s = time.perf_counter()
            self.is_complete.set()

    def _record(self, result: FrameResult) -> None:
        self.image_hw = (result.frame.bgr.shape[0], result.frame.bgr.shape[1])
        timings = result.timings
        times = {
            "read": timings.read_ms,
            "queue_wait": timings.queue_wait_ms,
            "upload": timings.upload_ms,
            "forward": timings.forward_ms,
            "postprocess": self._decode_ms,
            # The pipeline counts decoding and selecting as one.
            "select": timings.postprocess_ms - self._decode_ms,
            "total": timings.total_ms,
        }
        for stage, value in times.items():
            self.stages_ms.setdefault(stage, []).append(value)


class DrawTimer:
    """Sink that draws every result and measures the time in ms."""

    def __init__(self, draw: Callable[[FrameResult], object]) -> None:
        self._draw = draw
        self.times_ms: list[float] = []
        """Time of each frame."""

    def accept(self, result: FrameResult) -> None:
        """Draw a result."""
        began_s = time.perf_counter()
        self._draw(result)
        self.times_ms.append((time.perf_counter() - began_s) * 1e3)
