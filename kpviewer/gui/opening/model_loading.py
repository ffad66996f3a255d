"""Which model runs on which device, and the thread that loads it. No Qt.

A model may come twice: at once as it was trained, so that the image soon has boxes, and again
when the fastest way to run it is found and compiled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import EngineLoader, Loaders, ViewerEngine, load_or_spare
from kpviewer.gui.opening.source_ground_truth import SourceGroundTruth
from kpviewer.gui.options import ViewerOptions
from kpviewer.runtime.loading import BackgroundLoader, Outcome

if TYPE_CHECKING:
    from kpviewer.pipeline.protocols import InferenceEngine

PATIENCE_S = 1.5
"""For the source's first image, which importing torch would hold up."""
WARM_UP_HW = (480, 640)
"""Size to make ready for while the source's is unknown."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What is asked for."""

    model: str
    device: str
    """As on the command line: auto, cpu, cuda:0."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """What a load gives."""

    request: ModelRequest
    engine: ViewerEngine
    devices: dict[str, str]
    """All that can be asked for, with their names for people."""


class ModelLoading:
    """Loads in the background; polled by the thread that owns it. ``close`` ends it."""

    def __init__(
        self,
        options: ViewerOptions,
        loaders: Loaders,
        ground_truth: SourceGroundTruth | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loaders = loaders
        self._load_engine: EngineLoader = partial(load_or_spare, loaders.load_engine, options)
        self._ground_truth = ground_truth
        self._clock = clock
        self._loader: BackgroundLoader[LoadedModel] = BackgroundLoader(clock=clock)
        self._asked = ModelRequest(options.model, options.device)
        self._is_waiting = False
        self._second: tuple[ModelRequest, tuple[int, int]] | None = None
        """What is loaded again after the load that runs, and for images of which size."""
        self._unsettled: tuple[ModelRequest, tuple[int, int]] | None = None
        """What the present model was asked for as, while it still runs as it was trained."""
        self._is_settling = False
        """Whether the load that runs only makes the present model faster."""
        self._is_cancelled = False
        self._since = 0.0
        self._current: LoadedModel | None = None
        self.failure: str | None = None
        """Why the last load came to nothing; None while all is well."""

    @property
    def engine(self) -> ViewerEngine | None:
        """The model that watches; None until it is loaded."""
        return self._current.engine if self._current is not None else None

    @property
    def loaded(self) -> ModelRequest | None:
        """What ``engine`` was asked for as; None until it is loaded."""
        return self._current.request if self._current is not None else None

    @property
    def device(self) -> str:
        """The device that was asked for, as on the command line."""
        return self._asked.device

    @property
    def devices(self) -> dict[str, str] | None:
        """The devices with their names for people; None until the first model is loaded."""
        return self._current.devices if self._current is not None else None

    @property
    def loading(self) -> str | None:
        """Name of the model that loads, or is about to; None while there is none."""
        if self._is_waiting:
            return self._asked.model
        return None if self._is_settling or self._is_cancelled else self._loader.busy_with

    @property
    def loading_s(self) -> float:
        """Time since the last request, in seconds."""
        return self._clock() - self._since

    def load(self, model: str) -> None:
        """Take another model, on the same device."""
        self._ask(replace(self._asked, model=model))

    def load_again(self) -> None:
        """Load the present model anew, as its engine hangs."""
        self._current = self._unsettled = None
        self._ask(self._asked)

    def use_device(self, device: str) -> None:
        """Take the same model to another device."""
        self._ask(replace(self._asked, device=device))

    def moved_to_cpu(self, engine: InferenceEngine) -> ViewerEngine:
        """Take over the engine that a pipeline goes on with, as the device of its own failed."""
        moved = cast("ViewerEngine", engine)
        self._unsettled = None
        self._is_cancelled = self._is_cancelled or self._is_settling
        if self._current is not None:
            request = replace(self._current.request, device="cpu")
            self._current = replace(self._current, request=request, engine=moved)
            if not self._is_waiting:
                self._asked = request
        return moved

    def cancel(self) -> None:
        """Want the load no more: what comes of it is dropped, and the present model goes on."""
        # what settles is the present model's, and the load that is cancelled hasn't begun
        self._is_cancelled = not self._is_settling
        self._is_waiting, self._second = False, None
        if self._current is not None:
            self._asked = self._current.request

    def poll(self, source_hw: tuple[int, int] | None, *, can_wait: bool) -> ViewerEngine | None:
        """Notice what the loader has done; to be called some ten times a second.

        Args:
            source_hw: (height, width) in px of the source; None while unknown.
            can_wait: whether a first image is on its way that the load should wait for.

        Returns:
            An engine that was just loaded, else None.
        """
        if self._is_waiting and not (can_wait and self.loading_s < PATIENCE_S):
            self._start(self._asked, source_hw or WARM_UP_HW)
        outcome = self._loader.take()
        if outcome is None:
            return None
        was_settling, self._is_settling = self._is_settling, False
        second, self._second = self._second, None
        came = None
        if self._is_cancelled:
            self._is_cancelled = False
        elif outcome.value is not None:
            came = self._watch(outcome.value, unsettled=second)
        elif second is not None:
            self._submit(*second, self._load_engine)
        elif was_settling:
            self._unsettled = None
            _log.info("%s goes on as it is: %s", outcome.name, outcome.failure)
        else:
            self._tell(outcome)
        if self._unsettled is not None and self._loader.busy_with is None:
            self._is_settling = True
            self._submit(*self._unsettled, self._load_engine)
        return came

    def close(self) -> None:
        """Wait for nothing: what loads is let go."""
        self._loader.close()

    def _ask(self, request: ModelRequest) -> None:
        self._asked = request
        self._is_waiting, self._is_cancelled = True, False
        self._since = self._clock()
        self.failure = None

    def _start(self, request: ModelRequest, size: tuple[int, int]) -> None:
        self._is_waiting = self._is_settling = False
        first = self._loaders.load_first
        self._second = (request, size) if first is not None else None
        self._submit(request, size, first or self._load_engine)

    def _submit(self, request: ModelRequest, size: tuple[int, int], load: EngineLoader) -> None:
        self._loader.submit(request.model, lambda: self._load(request, size, load))

    def _load(
        self, request: ModelRequest, source_hw: tuple[int, int], load: EngineLoader
    ) -> LoadedModel:
        """Runs in the loader's thread."""
        self._loaders.permission.check(request.model)
        engine = load(request.model, request.device, source_hw)
        if self._ground_truth is not None:
            self._ground_truth.prepare_classes(engine.spec.class_names)
        return LoadedModel(request, engine, self._loaders.list_devices())

    def _watch(
        self, model: LoadedModel, unsettled: tuple[ModelRequest, tuple[int, int]] | None
    ) -> ViewerEngine:
        self._current, self._unsettled = model, unsettled
        if self._ground_truth is not None:  # each model numbers its classes in its own way
            self._ground_truth.use_classes(model.engine.spec.class_names)
        return model.engine

    def _tell(self, outcome: Outcome[LoadedModel]) -> None:
        """Keep why a load failed; the present model goes on."""
        _log.debug("Loading %s failed", outcome.name, exc_info=outcome.failure)
        self.failure = why_not_loaded(outcome.name, outcome.reason)
        if self._current is not None and not self._is_waiting:
            self._asked = self._current.request  # what works stays the one to go on from


def why_not_loaded(name: str, reason: str) -> str:
    """Say that a model can't be loaded; a reason that names it stands for itself."""
    if PurePath(name.partition("@")[0]).name in reason:
        return reason
    return tr("{name} can't be loaded. {reason}").format(name=name, reason=reason)
