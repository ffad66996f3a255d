"""One model for several pipelines: each has a seat, and one thread runs the images that wait there.

An image of a seat waits while the model runs for other seats. Every seat has one image at most, and
the seat whose last turn was longest ago is next. In the order of their arrival, seats would get
unequal shares: one whose thread is slow to return would find a longer queue each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from threading import Thread

from kpviewer.errors import PipelineError
from kpviewer.pipeline.protocols import (
    EngineResult,
    InferenceEngine,
    NotRunError,
    needs_pinned_memory,
    spare_on_cpu,
)
from kpviewer.pipeline.sharing.batching_thread import BatchingThread, ResultFuture
from kpviewer.pipeline.wrapping import WrappingEngine
from kpviewer.structures import ImageArray

BUDGET_S = 1 / 30
"""Time for a frame of a usual camera."""
MOST_ON_GPU = 16
"""Most images of one run on a GPU."""
_CLOSED = "The model that the streams share was closed. Start the streams again."


class SharedEngine(BatchingThread):
    """Thread that runs one model for the seats of several pipelines.

    Args:
        engine: the model; nothing else runs it meanwhile.
        budget_s: longest time of a run of several images, estimated. A longer one would delay
            all frames in it.
        batch: most images of one run; None: 16 on a GPU, 1 on a CPU, where batches don't pay.
        after: thread that may still run the model; this one waits for its end.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        budget_s: float = BUDGET_S,
        *,
        batch: int | None = None,
        after: Thread | None = None,
    ) -> None:
        most = batch if batch is not None else _most_images(engine)
        super().__init__(
            engine,
            name="kpviewer-model",
            batch=most,
            budget_s=budget_s,
            closed=_CLOSED,
        )
        self._after = after

    def seat(self) -> Seat:
        """Return a seat for another pipeline."""
        return Seat(self)

    def prepare(self) -> None:
        """Wait until no other thread runs the model."""
        if self._after is not None:
            self._after.join()
            self._after = None

    def move_to_cpu(self, failed: InferenceEngine) -> bool:
        """Run the model on the CPU from now on, for all seats, as its device failed.

        Args:
            failed: engine that failed; nothing happens if it was replaced already.

        Returns:
            False if there is no engine on the CPU, or ``failed`` is that.
        """
        with self._turn:
            if self._engine is not failed:
                return True
            spare = spare_on_cpu(failed)
            if spare is None:
                return False
            self._engine, self._batch, self._image_s = spare, _most_images(spare), 0.0
            return True


class Seat(WrappingEngine):
    """Inference engine of one pipeline, whose images wait for their turn in a shared engine.

    One thread at a time calls ``infer``; any thread may call the rest.
    """

    def __init__(self, shared: SharedEngine) -> None:
        self._shared = shared
        self._ran_on = shared.engine
        """Engine that the shared one used for the last image."""
        self._waiting: ResultFuture | None = None
        self._is_interrupted = False
        self._last_turn_s = 0.0
        """Monotonic time at which the last image was taken."""
        self.waited_ms = 0.0
        """Time for which the last image waited for others after it was taken, in ms."""

    @property
    def engine(self) -> InferenceEngine:
        """Engine that runs the images of all seats."""
        return self._shared.engine

    @property
    def silent_s(self) -> float:
        """Duration of the present run so far in s, for any seat's image."""
        return self._shared.running_s

    def infer(self, bgr: ImageArray) -> EngineResult:
        """Return the candidates in an (H, W, 3) uint8 image and the times, after its turn.

        Raises:
            NotRunError: if the seat was interrupted before the image's turn.
            PipelineError: if the shared engine was closed.
        """
        return self.infer_at_turn(lambda: bgr)

    def infer_at_turn(self, take: Callable[[], ImageArray]) -> EngineResult:
        """Return what ``infer`` returns, for the image that ``take`` returns when its turn comes.

        Raises:
            NotRunError, PipelineError: as from ``infer``.
        """
        taken_s = time.perf_counter()

        def take_now() -> ImageArray:
            nonlocal taken_s
            self._last_turn_s, taken_s = time.monotonic(), time.perf_counter()
            return take()

        self.waited_ms = 0.0
        self._ran_on = self._shared.engine
        try:
            self._waiting = future = self._shared.submit(take_now, last_turn_s=self._last_turn_s)
            if self._is_interrupted:
                future.cancel()
            found = future.result()
        except (CancelledError, PipelineError) as error:
            if self._is_interrupted:
                raise NotRunError from error
            if isinstance(error, CancelledError):
                raise PipelineError(_CLOSED) from None
            raise
        finally:
            self._waiting = None
        took_ms = (time.perf_counter() - taken_s) * 1e3
        self.waited_ms = max(took_ms - sum(found[1]), 0.0)
        return found

    def on_cpu(self) -> Seat | None:
        """Move the model to the CPU for all seats; return this seat, or None if it can't move."""
        return self if self._shared.move_to_cpu(self._ran_on) else None

    def interrupt(self) -> None:
        """Raise NotRunError for an image that waits for its turn, and for all until ``resume``.

        An image whose turn has come gets its result.
        """
        self._is_interrupted = True
        waiting = self._waiting
        if waiting is not None:
            waiting.cancel()

    def resume(self) -> None:
        """Accept images again."""
        self._is_interrupted = False


def _most_images(engine: InferenceEngine) -> int:
    return MOST_ON_GPU if needs_pinned_memory(engine) else 1
