"""The thread on which the model runs: one for all requests, streams and live sources."""

import contextlib
import logging
from collections.abc import Callable

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.pipeline.protocols import BatchEngine, EngineResult, InferenceEngine
from kpviewer.pipeline.sharing.batching_thread import BatchingThread, ResultFuture
from kpviewer.pipeline.wrapping import WrappingEngine
from kpviewer.serving.reasons import reason_of
from kpviewer.structures import ImageArray

LIVE = "live"
"""Origin of the images of a pipeline."""
_TRIAL = "trial"
"""Origin of the blank image that finds out whether a model that failed works again."""
_WARM_UP_HW = (480, 640)
"""Height and width of the first image: that of most cameras."""
_SILENT_S = 60.0
"""Time for one run of the model after which it counts as hanging."""
_STOPPING = "The service is stopping."
_log = logging.getLogger(__name__)


class EngineThread(BatchingThread, WrappingEngine):
    """Runs the model of a service, and reports whether it works.

    It is an ``InferenceEngine`` too, so a pipeline may share it.

    starting ──▶ ready ◀──▶ failed ──▶ stopped

    Args:
        engine: the model; only this thread calls it.
        batch: most images of one run; those that wait already are run together.
        report: called with the origin of each image, and the time of the model for it in s.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        batch: int = 1,
        report: Callable[[str, float], None] = lambda _origin, _seconds: None,
    ) -> None:
        super().__init__(engine, name="kpviewer-serving", batch=batch, closed=_STOPPING)
        self._report = report
        self._has_warned = False
        self._problem: str | None = "The model is being prepared. Try again in a few seconds."
        self._trial: ResultFuture | None = None

    @property
    def problem(self) -> str | None:
        """Why the model can't answer now, in one line; None if it can."""
        if self.is_closed:
            return _STOPPING
        if self._problem is None and self.running_s > _SILENT_S:
            return f"The model has not answered for {self.running_s:.0f} s."
        return self._problem

    def infer(self, bgr: ImageArray) -> EngineResult:
        """Return what ``submit`` promises for a frame of a live source, and wait for it."""
        return self.submit(lambda: bgr, LIVE).result()

    def try_again(self) -> None:
        """Run a blank image if the model failed: a client that asks first may send no other."""
        if self._problem is None or self.is_closed:
            return
        if self._trial is None or self._trial.done():
            with contextlib.suppress(PipelineError):  # closed meanwhile
                self._trial = self.submit(_blank, _TRIAL)

    def prepare(self) -> None:
        """Warm the model up, for batches too, as each number of images may be compiled."""
        warm_up = getattr(self.engine, "warm_up", None)
        try:
            if warm_up is not None:
                warm_up(_WARM_UP_HW)
            if self.room > 1 and isinstance(self.engine, BatchEngine):
                for power in range(1, self.room.bit_length()):
                    self.engine.infer_batch([_blank()] * (1 << power))
        except BaseException as error:
            _log.warning("The model failed: %s", reason_of(error))
            self._problem = f"The model fails: {reason_of(error)}"
        else:
            self._problem = None

    def image_done(self, origin: str, model_s: float) -> None:
        """Note that the model works, and report its time; warn once if it can't be right."""
        self._problem = None
        if origin != _TRIAL:
            self._report(origin, model_s)
        doubt = self.doubt
        if doubt is not None and not self._has_warned:
            self._has_warned = True
            _log.warning("%s", doubt)

    def image_failed(self, error: BaseException) -> None:
        """Find out whether the model fails at every image, or only at that one."""
        _log.warning("The model failed: %s", reason_of(error))
        try:
            self.engine.infer(_blank())
        except BaseException as still:
            self._problem = f"The model fails: {reason_of(still)}"
        else:
            self._problem = None


def _blank() -> ImageArray:
    return np.zeros((*_WARM_UP_HW, 3), np.uint8)
