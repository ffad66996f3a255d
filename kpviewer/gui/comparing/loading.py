"""Which second model is asked for, and the thread that loads it. No widgets."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import Loaders, ViewerEngine, load_or_spare
from kpviewer.gui.opening.model_loading import WARM_UP_HW, why_not_loaded
from kpviewer.gui.options import ViewerOptions
from kpviewer.models.spec import Task
from kpviewer.runtime.loading import BackgroundLoader

ENGINES = ("torch", "openvino")
PRECISIONS = ("fp32", "bf16", "fp16", "int8")
WAYS = ENGINES + PRECISIONS
"""To run the first model otherwise."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecondRequest:
    """What is asked for."""

    model: str
    engine: str = "auto"
    precision: str = "auto"

    @classmethod
    def parse(cls, text: str, first_model: str) -> SecondRequest:
        """Read ``--compare``: a model, or one of WAYS for the first model run so."""
        if text in ENGINES:
            return cls(first_model, engine=text)
        if text in PRECISIONS:
            return cls(first_model, precision=text)
        return cls(text)

    @property
    def name(self) -> str:
        """For people."""
        ways = [way for way in (self.engine, self.precision) if way != "auto"]
        return " ".join([self.model, *ways])


class SecondLoading:
    """Loads in the background; polled by the thread that owns it. ``close`` ends it."""

    def __init__(self, options: ViewerOptions, loaders: Loaders) -> None:
        self._options, self._loaders = options, loaders
        self._loader: BackgroundLoader[ViewerEngine] = BackgroundLoader()
        self._is_wanted = False
        self.failure: str | None = None
        """Why the last load came to nothing; None while all is well."""

    @property
    def loading(self) -> str | None:
        """Name of what loads; None while there is nothing."""
        return self._loader.busy_with if self._is_wanted else None

    def load(self, request: SecondRequest, device: str, source_hw: tuple[int, int] | None) -> None:
        """Load a model for a device, for images of (height, width) px."""
        size = source_hw or WARM_UP_HW
        self.failure, self._is_wanted = None, True
        self._loader.submit(request.name, lambda: self._load(request, device, size))

    def cancel(self) -> None:
        """Want nothing any more: what still loads is dropped when it is there."""
        self._is_wanted, self.failure = False, None

    def poll(self) -> ViewerEngine | None:
        """Give a model that was just loaded, else None; a failure is in ``failure``."""
        outcome = self._loader.take()
        if outcome is None or not self._is_wanted:
            return None
        self._is_wanted = False
        if outcome.value is None:
            _log.debug("Loading %s failed", outcome.name, exc_info=outcome.failure)
            self.failure = why_not_loaded(outcome.name, outcome.reason)
            return None
        if outcome.value.spec.task is Task.CLASSIFY:
            text = tr("{name} tells no places: compare with a model that has boxes.")
            self.failure = text.format(name=outcome.name)
            return None
        return outcome.value

    def _load(self, request: SecondRequest, device: str, size: tuple[int, int]) -> ViewerEngine:
        """Runs in the loader's thread."""
        loaders, model = self._loaders, request.model
        loaders.permission.check(model)
        if request.engine == request.precision == "auto":
            return load_or_spare(loaders.load_engine, self._options, model, device, size)
        return loaders.load_variant(model, device, size, request.engine, request.precision)

    def close(self) -> None:
        """Wait for nothing: what loads is let go."""
        self._loader.close()
