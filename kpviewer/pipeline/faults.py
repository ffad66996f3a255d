"""Faults of the parts of a pipeline that leave the video running: counted and told.

The model, the model that is compared with, tracking and the sinks may each fail on a frame. In a
viewer the frame is shown without what failed; see ``PipelineOptions.carries_on``.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from kpviewer.errors import KpviewerError

if TYPE_CHECKING:
    from kpviewer.pipeline.clock import Clock
    from kpviewer.pipeline.protocols import InferenceEngine

LASTING = 3
"""Frames in a row without an answer of the model, from which on it doesn't work at all."""
PATIENCE_S = 10.0
"""For one frame; a model that takes longer hangs."""
_NS = 1e9
_DEVICE_WORDS = ("out of memory", "cuda", "cudnn", "cublas", "hip error", "mps backend")

_log = logging.getLogger(__name__)


def is_of_the_device(error: BaseException) -> bool:
    """Whether a GPU failed, most often for lack of memory, and not the model."""
    return any(word in str(error).lower() for word in _DEVICE_WORDS)


class Faults:
    """What failed and what hangs. The inference thread notes it, any thread asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._news: list[str] = []
        self._told: set[tuple[str, int]] = set()
        self._failed_frames = 0
        self._failing: InferenceEngine | None = None
        self._reason = ""
        self._asked: tuple[InferenceEngine, int] | None = None

    # -- for the inference thread ------------------------------------------------------------

    def asks(self, engine: InferenceEngine) -> None:
        """Note that a model begins with a frame."""
        self._asked = (engine, self._clock.now_ns())

    def answered(self, engine: InferenceEngine) -> None:
        """Note that a model is done with its frame, in vain or not."""
        if self._asked is not None and self._asked[0] is engine:
            self._asked = None

    def model_works(self) -> None:
        """Note that the model found something, or found nothing: the faults before are over."""
        self._failed_frames = 0

    def model_failed(self, engine: InferenceEngine, error: BaseException) -> None:
        """Note that a frame is shown without what the model would have found."""
        self._failed_frames = self._failed_frames + 1 if engine is self._failing else 1
        self._failing = engine
        self._reason = _reason(error)
        self.tell("A frame is shown without boxes, as the model failed on it", engine, error)

    def tell(self, what: str, owner: object, error: BaseException) -> None:
        """Tell once for each owner what failed."""
        key = (what, id(owner))
        with self._lock:
            is_new = key not in self._told
            self._told.add(key)
            if is_new:
                self._news.append(f"{what}: {_reason(error)}")
        if is_new:
            _log.info("%s: %s", what, _reason(error))
            _log.debug("It came from here:", exc_info=error)

    # -- for any thread ----------------------------------------------------------------------

    def take_news(self) -> list[str]:
        """Return what was not told yet, one line each."""
        with self._lock:
            news, self._news = self._news, []
        return news

    def lasting_failure(self, engine: InferenceEngine | None) -> str | None:
        """Return why a model doesn't work, and what to do; None while it does."""
        if engine is not self._failing or self._failed_frames < LASTING:
            return None
        cure = "Choose another model, or another device."
        if "out of memory" in self._reason.lower() or "MemoryError" in self._reason:
            cure = "Close what else takes memory, or choose a smaller input, such as NAME@320."
        return f"The model fails on every frame: {self._reason}\n{cure}"

    def asked_engine(self) -> InferenceEngine | None:
        """Return the model that is at a frame now."""
        return self._asked[0] if self._asked is not None else None

    def hanging(self) -> tuple[InferenceEngine, float] | None:
        """Return the model that doesn't come back from a frame, and since how many seconds."""
        asked = self._asked
        if asked is None:
            return None
        engine, since_ns = asked
        silent_s = (self._clock.now_ns() - since_ns) / _NS
        return (engine, silent_s) if silent_s > PATIENCE_S else None


def _reason(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0].rstrip(".")
    if isinstance(error, KpviewerError):
        return f"{text}."
    return f"{type(error).__name__}: {text}".removesuffix(": ") + "."
