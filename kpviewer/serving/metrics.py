"""What the service counts and measures, as Prometheus reads it. Of a request only its path.

Each service has a registry of its own, so that several may run in one process.
"""

import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kpviewer.serving.failures import CLIENT_GONE

disable_created_metrics()  # type: ignore[no-untyped-call]  # the time of each counter's first count, twice the lines
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

_OTHER = "other"
"""Path of requests to addresses that don't exist: hostile ones would fill the memory."""
_FAILED = 500
"""Status code of requests whose failure is answered outside of the counting."""


class Metrics:
    """Counters and histograms of one service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self.requests = Counter(
            "kpviewer_requests",
            "Requests by path and status code.",
            ("path", "code"),
            registry=self._registry,
        )
        self.request_seconds = Histogram(
            "kpviewer_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ("path",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.model_seconds = Histogram(
            "kpviewer_model_seconds",
            "Time of the model for an image: upload, forward pass, postprocessing.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.frames = Counter(
            "kpviewer_frames",
            "Images that the model ran on, by what they came from.",
            ("origin",),
            registry=self._registry,
        )
        self.rejected = Counter(
            "kpviewer_rejected",
            "Requests and frames that were refused or dropped, by reason.",
            ("reason",),
            registry=self._registry,
        )

    def note_run(self, origin: str, seconds: float) -> None:
        """Count an image that the model ran on, and the time that it took."""
        self.frames.labels(origin).inc()
        self.model_seconds.observe(seconds)

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Add a gauge whose value is asked for when the metrics are read."""
        Gauge(name, text, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Return all values in the text format of Prometheus."""
        return generate_latest(self._registry)


class Counting:
    """ASGI middleware that counts requests and their time."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: frozenset[str]) -> None:
        self._app, self._metrics, self._paths = app, metrics, paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it once it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s, code = time.monotonic(), CLIENT_GONE

        async def counted(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        path = scope["path"] if scope["path"] in self._paths else _OTHER
        try:
            await self._app(scope, receive, counted)
        except Exception:  # it is answered further out
            code = _FAILED if code == CLIENT_GONE else code
            raise
        finally:
            self._metrics.requests.labels(path, str(code)).inc()
            self._metrics.request_seconds.labels(path).observe(time.monotonic() - begun_s)
