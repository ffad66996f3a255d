"""The service: the model with its limits, and the way of an image to its detections.

It knows nothing of HTTP; ``app`` does. One event loop calls it.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.protocols import EngineResult, InferenceEngine, content_hash
from kpviewer.recording.formats import JsonLines, ResultHeader
from kpviewer.serving.engine import EngineThread
from kpviewer.serving.images import decoded
from kpviewer.serving.limits import Gate, Limits, RequestError
from kpviewer.serving.metrics import Metrics
from kpviewer.serving.reasons import reason_of
from kpviewer.structures import Frame, FrameResult, ImageArray, StageTimings, Thresholds


class Service:
    """A model that answers; ``create_app`` gives it an interface.

    Args:
        engine: the model.
        limits: most that is accepted.
        token: secret that every request must show; None: none is asked for.
        batch: most images that the model runs at once.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        limits: Limits | None = None,
        *,
        token: str | None = None,
        batch: int = 1,
    ) -> None:
        self.limits, self.token = limits or Limits(), token
        self.metrics = Metrics()
        self.engine = EngineThread(engine, batch, self.metrics.note_run)
        """The thread of the model, which a pipeline may share as its engine."""
        self.requests = Gate(
            self.limits.queue,
            f"The service has {self.limits.queue} requests in progress, as many as it takes. "
            "Try again.",
            self.metrics.rejected.labels("busy").inc,
        )
        """Requests in progress."""
        self.streams = Gate(
            self.limits.streams,
            f"The service has {self.limits.streams} open streams, as many as it takes. "
            "Try again later.",
            self.metrics.rejected.labels("busy").inc,
        )
        """Open WebSocket streams."""
        self._closing: list[Callable[[], None]] = []
        most = batch + 2  # one is decoded and one answered meanwhile
        self._slots = asyncio.Semaphore(most)
        self._decoding = ThreadPoolExecutor(most, "decoding")
        """Threads of their own: a request that is given up ends, but not its decoding."""
        self.metrics.watch(
            "kpviewer_queue_depth", "Requests in progress.", lambda: self.requests.inside
        )
        self.metrics.watch("kpviewer_open_streams", "Open streams.", lambda: self.streams.inside)
        self.metrics.watch(
            "kpviewer_ready", "1 while the model can answer.", lambda: self.problem is None
        )

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""
        return self.engine.spec

    @property
    def problem(self) -> str | None:
        """Why the service can't answer now, in one line; None if it can."""
        return self.engine.problem

    def json_of(self, result: FrameResult, thresholds: Thresholds) -> str:
        """Return an answer as a line of ``kpviewer process --jsonl``."""
        return JsonLines(ResultHeader.of_model("service", self.spec, thresholds)).frame(result)

    @property
    def description(self) -> dict[str, Any]:
        """Description of the model for clients: a JSON object. The first takes a second."""
        spec, engine, default = self.spec, self.engine.engine, self.spec.thresholds
        return {
            "name": spec.name,
            "task": spec.task,
            "architecture": spec.architecture,
            "classes": spec.class_names,
            "keypoints": spec.keypoint_names,
            "input_hw": spec.input_hw,
            "thresholds": {"conf": default.score, "iou": default.iou, "nms": default.nms},
            "licence": spec.licence,
            "trained_on": spec.trained_on,
            "model_hash": content_hash(engine),
        }

    def start(self) -> None:
        """Start the thread of the model."""
        self.engine.start()

    def at_close(self, act: Callable[[], None]) -> None:
        """Call a function when the service closes, as to end answers that would go on."""
        self._closing.append(act)

    def close(self) -> None:
        """Refuse what waits for the model, and all that comes; idempotent."""
        for act in self._closing:
            act()
        self.engine.close()

    def stop(self) -> None:
        """Close, and end the threads."""
        self.engine.stop()
        self._decoding.shutdown(cancel_futures=True)

    def check_open(self) -> None:
        """Raise RequestError once the service is closed."""
        if self.engine.is_closed:
            raise RequestError(503, "The service is stopping. Try again later.")

    async def detect(
        self, data: bytes, thresholds: Thresholds, origin: str, index: int = 0
    ) -> FrameResult:
        """Detect in one image.

        Args:
            data: a JPEG, PNG or WebP file.
            thresholds: thresholds to apply.
            origin: ``detect`` for a single image, ``stream`` for a frame of a WebSocket.
            index: number of the frame in its stream.

        Raises:
            RequestError: if it isn't an image that the service takes, or the model fails or has
                no answer in time.
        """
        limit_s = self.limits.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await self._detect(data, thresholds, origin, index)
        except TimeoutError as error:
            raise RequestError(
                504, f"There was no answer within {limit_s:g} s. Try again."
            ) from error

    async def _detect(
        self, data: bytes, thresholds: Thresholds, origin: str, index: int
    ) -> FrameResult:
        arrived_ns = time.monotonic_ns()
        async with self._slots:
            self.check_open()
            begun_ns = time.monotonic_ns()
            decoding = self._decoding.submit(decoded, data, self.limits.max_pixels)
            bgr = await asyncio.wrap_future(decoding)
            decoded_ns = time.monotonic_ns()
            candidates, model = await self._candidates(bgr, origin)
            answered_ns = time.monotonic_ns()
            detections = await asyncio.to_thread(select, candidates, thresholds)
        now_ns = time.monotonic_ns()
        model_ms = sum(model)
        upload_ms, forward_ms, postprocess_ms = model
        timings = StageTimings(
            read_ms=_ms(decoded_ns - begun_ns),
            queue_wait_ms=max(
                _ms(begun_ns - arrived_ns) + _ms(answered_ns - decoded_ns) - model_ms, 0.0
            ),
            upload_ms=upload_ms,
            forward_ms=forward_ms,
            postprocess_ms=postprocess_ms + _ms(now_ns - answered_ns),
            total_ms=_ms(now_ns - arrived_ns),
        )
        return FrameResult(
            Frame(index, arrived_ns, None, bgr),
            candidates,
            detections,
            timings,
            spec=self.spec,
            thresholds=thresholds,
        )

    async def _candidates(self, bgr: ImageArray, origin: str) -> EngineResult:
        try:
            return await asyncio.wrap_future(self.engine.submit(lambda: bgr, origin))
        except asyncio.CancelledError:
            self.check_open()
            raise
        except Exception as error:
            self.check_open()
            raise RequestError(500, f"The model failed: {reason_of(error)}") from error


def _ms(ns: int) -> float:
    return ns / 1e6
