"""The second model that is asked for, and the thread that loads it. No widgets."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from PyQt6.QtCore import pyqtSignal

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import (
    Loaders,
    ViewerEngine,
    load_or_fallback,
    with_backend,
    with_device_fallback,
)
from kpviewer.gui.opening.model_loading import WARM_UP_HW, why_not_loaded
from kpviewer.gui.options import ViewerOptions
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.spec import Task
from kpviewer.runtime.process.loading import Outcome
from kpviewer.runtime.runners import PRECISIONS

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecondRequest:
    """Second model, or another backend or precision for the first."""

    model: str
    backend: str = "auto"
    precision: str = "auto"

    @classmethod
    def parse(cls, text: str, first_model: str) -> SecondRequest:
        """Parse ``--compare``: a model, or a backend or precision for the first model."""
        if text in BACKENDS:
            return cls(first_model, backend=text)
        if text in PRECISIONS:
            return cls(first_model, precision=text)
        return cls(text)

    @property
    def name(self) -> str:
        """Name for people: model, backend and precision."""
        changed = [each for each in (self.backend, self.precision) if each != "auto"]
        return " ".join([self.model, *changed])


class SecondLoading(BackgroundLoader):
    """Loads the second model in the background; ``close`` ends it."""

    loaded = pyqtSignal(object)
    """ViewerEngine of the model that was asked for last."""
    failed = pyqtSignal(str)
    """Why that model can't be used, for people."""
    layout_asked = pyqtSignal(object, str)
    """The model fits several layouts: its AmbiguousLayout, and its name."""

    def __init__(self, options: ViewerOptions, loaders: Loaders) -> None:
        super().__init__()
        self._options, self._loaders = options, loaders

    def load(self, request: SecondRequest, device: str, source_hw: tuple[int, int] | None) -> None:
        """Load a model on a device; ``source_hw`` is the (height, width) of the images, px."""
        size = source_hw or WARM_UP_HW
        self.submit(request.name, lambda: self._load(request, device, size), self._on_loaded)

    def _on_loaded(self, outcome: Outcome[ViewerEngine]) -> None:
        if outcome.value is None:
            _log.debug("Loading %s failed", outcome.name, exc_info=outcome.failure)
            self.failed.emit(why_not_loaded(outcome.name, outcome.reason))
            if isinstance(outcome.failure, AmbiguousLayout):
                self.layout_asked.emit(outcome.failure, outcome.name)
        elif outcome.value.spec.task is Task.CLASSIFY:
            text = tr("{name} has no boxes. Compare with a model that has boxes.")
            self.failed.emit(text.format(name=outcome.name))
        else:
            self.loaded.emit(outcome.value)

    def _load(self, request: SecondRequest, device: str, size: tuple[int, int]) -> ViewerEngine:
        """Load a model, on the loader's thread."""
        loaders, model = self._loaders, request.model
        loaders.permission.check(model)
        if request.backend == request.precision == "auto":
            is_asked = not self._options.can_change_backend
            load = with_backend(loaders, self._options.backend if is_asked else None)
            options = with_device_fallback(self._options, device)
            return load_or_fallback(load, options, model, device, size)
        return loaders.load_variant(model, device, size, request.backend, request.precision)
