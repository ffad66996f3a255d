"""Several streams at once: each has a pipeline of its own, and all share one model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.run import STOP_S
from kpviewer.pipeline.shared_engine import BUDGET_S, Seat, SharedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.pipeline.options import PipelineOptions
    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.pipeline_status import PipelineStatus
    from kpviewer.sources.base import FrameSource
    from kpviewer.structures import Thresholds


class Streams:
    """Runs several sources through one model.

    Each pipeline has its own reader, queue, settings, faults and newest result. Starting,
    stopping or pausing one, or changing its source, doesn't affect the others. One thread at a time
    calls the methods.

    Args:
        sources: sources of the frames, closed.
        engine: the model; nothing else runs it meanwhile. None shows plain frames.
        thresholds: thresholds of all streams to begin with; None: the model's own.
        options: settings of each pipeline for its life.
        budget_s: longest time of a run of several images; see ``SharedEngine``.
    """

    def __init__(
        self,
        sources: Sequence[FrameSource],
        engine: InferenceEngine | None = None,
        *,
        thresholds: Thresholds | None = None,
        options: PipelineOptions | None = None,
        budget_s: float = BUDGET_S,
    ) -> None:
        self._budget_s = budget_s
        self._is_started = False
        self._replaced: list[SharedEngine] = []
        """Replaced engines, which may still process a frame."""
        self._shared: SharedEngine | None = None
        self._shared = self._sharing(engine)
        self.pipelines = tuple(
            Pipeline(source, self._new_seat(), thresholds=thresholds, options=options)
            for source in sources
        )
        """The pipeline of each source."""

    @property
    def engine(self) -> InferenceEngine | None:
        """The present engine: on the CPU, if its device failed."""
        return self._shared.engine if self._shared is not None else None

    @property
    def seats(self) -> tuple[Seat | None, ...]:
        """The engine of each pipeline: its seat in the shared one; None without a model."""
        engines = (pipeline.settings.current.engine for pipeline in self.pipelines)
        return tuple(engine if isinstance(engine, Seat) else None for engine in engines)

    # -- life --------------------------------------------------------------------------------

    def start(self) -> None:
        """Start all streams. Also restarts streams that ended or were closed.

        Raises:
            PipelineError: if one of them is running.
        """
        self._is_started = True
        if self._shared is not None:
            if self._shared.is_closed:
                self._use(self._sharing(self._shared.engine))
            elif not self._shared.is_alive():
                self._shared.start()
        for pipeline in self.pipelines:
            pipeline.start()

    def stop(self) -> None:
        """Ask all streams to end, and return at once; idempotent."""
        for pipeline in self.pipelines:
            pipeline.stop()

    def close(self, timeout_s: float = STOP_S) -> None:
        """Stop all streams and wait for their end; idempotent. Doesn't raise failures.

        Args:
            timeout_s: longest wait for all threads together, in s; one that hangs is let go.
        """
        self.stop()
        end_s = time.monotonic() + timeout_s
        for pipeline in self.pipelines:
            pipeline.close(max(end_s - time.monotonic(), 0.0))
        self._is_started = False
        if self._shared is not None:
            self._retire(self._shared)
        for engine in self._replaced:
            engine.stop()

    # -- settings ----------------------------------------------------------------------------

    def set_engine(self, engine: InferenceEngine | None) -> None:
        """Use another model, or none, from each stream's next frame on; thresholds stay."""
        if engine is not self.engine:
            self._use(self._sharing(engine))

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other thresholds in all streams from the next frame on."""
        for pipeline in self.pipelines:
            pipeline.set_thresholds(thresholds)

    # -- state -------------------------------------------------------------------------------

    def status(self) -> tuple[PipelineStatus, ...]:
        """Return a snapshot of each stream; it also lets go of threads that hang."""
        return tuple(pipeline.status() for pipeline in self.pipelines)

    # -- parts -------------------------------------------------------------------------------

    def _sharing(self, engine: InferenceEngine | None) -> SharedEngine | None:
        """Return a shared engine, not started, that waits for one that still runs the model."""
        if engine is None:
            return None
        before = [*self._replaced, *([self._shared] if self._shared is not None else [])]
        busy = next((each for each in before if each.engine is engine and each.is_alive()), None)
        return SharedEngine(engine, self._budget_s, after=busy)

    def _use(self, shared: SharedEngine | None) -> None:
        """Give each pipeline a seat in another engine, then close the one before."""
        before, self._shared = self._shared, shared
        if shared is not None and self._is_started:
            shared.start()
        for pipeline in self.pipelines:
            pipeline.set_engine(self._new_seat())
        if before is not None:
            self._retire(before)

    def _retire(self, shared: SharedEngine) -> None:
        """Close an engine without waiting for its present run; its waiting images are cancelled."""
        shared.close()
        self._replaced = [each for each in (*self._replaced, shared) if each.is_alive()]

    def _new_seat(self) -> Seat | None:
        return self._shared.seat() if self._shared is not None else None
