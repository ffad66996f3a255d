"""Faults of the parts of a pipeline that leave the video running: counted and reported.

The model, the second model, object tracking and the sinks may each fail on a frame. A viewer then
shows the frame without the part that failed; see ``PipelineOptions.carries_on``.
"""

import logging
import threading
import weakref
from collections.abc import Callable

from kpviewer.errors import KpviewerError
from kpviewer.pipeline.clock import Clock
from kpviewer.pipeline.protocols import InferenceEngine

LASTING = 3
"""Failed frames in a row after which the model is reported as not working at all."""
PATIENCE_S = 10.0
"""Longest time for one frame, in s; a model that takes longer hangs."""
_NS = 1e9
_DEVICE_WORDS = ("out of memory", "cuda", "cudnn", "cublas", "hip error", "mps backend")

_log = logging.getLogger(__name__)


def is_device_error(error: BaseException) -> bool:
    """Return whether a GPU failed (mostly for lack of memory), not the model."""
    return any(word in str(error).lower() for word in _DEVICE_WORDS)


class Faults:
    """Faults and hangs. The inference thread notes them, any thread reads them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._news: list[str] = []
        self._reported: dict[tuple[str, int], Callable[[], object]] = {}
        """Owner of each report, by message and id: another object may have its id later."""
        self._failed_frames = 0
        self._failing: InferenceEngine | None = None
        self._reason = ""
        self.last_engine: InferenceEngine | None = None
        """The model that answered last; never a second one, which runs on the same frames."""
        self._running: tuple[InferenceEngine, int] | None = None
        """Model that is at a frame now, and since when, in ns."""

    # -- for the inference thread ------------------------------------------------------------

    def begins(self, engine: InferenceEngine) -> None:
        """Note that a model begins with a frame."""
        self._running = (engine, self._clock.now_ns())

    def answered(self, engine: InferenceEngine, *, is_second: bool = False) -> None:
        """Note that a model is done with its frame, successfully or not."""
        if not is_second:
            self.last_engine = engine
        if self._running is not None and self._running[0] is engine:
            self._running = None

    def model_works(self) -> None:
        """Note that the model ran without an error: earlier faults are over."""
        self._failed_frames = 0

    def model_failed(self, engine: InferenceEngine, error: BaseException) -> None:
        """Note that a frame is shown without a result of the model."""
        self._failed_frames = self._failed_frames + 1 if engine is self._failing else 1
        self._failing = engine
        self._reason = _reason(error)
        self.report("A frame is shown without boxes, as the model failed on it", engine, error)

    def report(self, message: str, owner: object, error: BaseException) -> None:
        """Report a fault, once for each message and owner."""
        with self._lock:
            is_new = self._note(message, owner)
            if is_new:
                self._news.append(f"{message}: {_reason(error)}")
        if is_new:
            _log.info("%s: %s", message, _reason(error))
            _log.debug("It came from here:", exc_info=error)

    def notify(self, engine: InferenceEngine, *messages: str | None) -> None:
        """Report what users should know of a model, each message once; None is no message."""
        for message in filter(None, messages):
            with self._lock:
                if self._note(message, engine):
                    self._news.append(message)

    def _note(self, message: str, owner: object) -> bool:
        """Note a report; return whether it is the first of this owner."""
        known = self._reported.get((message, id(owner)))
        if known is not None and known() is owner:
            return False
        self._reported[message, id(owner)] = _reference(owner)
        return True

    # -- for any thread ----------------------------------------------------------------------

    def take_news(self) -> list[str]:
        """Return the reports since the last call, one line each."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def lasting_failure(self, engine: InferenceEngine | None) -> str | None:
        """Return why a model fails on every frame, and what to do; None while it works."""
        if engine is not self._failing or self._failed_frames < LASTING:
            return None
        cure = "Choose another model, or another device."
        if "out of memory" in self._reason.lower() or "MemoryError" in self._reason:
            cure = "Close what else takes memory, or choose a smaller input, such as NAME@320."
        return f"The model fails on every frame: {self._reason}\n{cure}"

    def running_engine(self) -> InferenceEngine | None:
        """Return the model that is at a frame now."""
        return self._running[0] if self._running is not None else None

    def at_frame(self) -> tuple[InferenceEngine, float] | None:
        """Return the model that is at a frame now, and for how many seconds."""
        running = self._running
        if running is None:
            return None
        engine, since_ns = running
        return engine, (self._clock.now_ns() - since_ns) / _NS

    def hanging(self) -> tuple[InferenceEngine, float] | None:
        """Return the model that hangs at a frame, and for how many seconds; None if none does."""
        running = self.at_frame()
        return running if running is not None and running[1] > PATIENCE_S else None


def _reason(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0].rstrip(".")
    if isinstance(error, KpviewerError):
        return f"{text}."
    return f"{type(error).__name__}: {text}".removesuffix(": ") + "."


def _reference(owner: object) -> Callable[[], object]:
    """Return a function that returns an object, or None once it is gone."""
    try:
        return weakref.ref(owner)
    except TypeError:  # such as a sink with slots
        return lambda: owner
