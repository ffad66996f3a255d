"""The model that runs and its device, and the thread that loads it.

A model may be loaded twice: at once as it was trained, so that the image soon has boxes, and again
when the fastest backend was found and compiled.
"""

import logging
import time
from dataclasses import replace
from pathlib import PurePath
from typing import cast

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.errors import WeightsError
from kpviewer.gui.background.loader import PATIENCE_S, BackgroundLoader, ReplacedEngines
from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import EngineLoader, Loaders, ViewerEngine
from kpviewer.gui.opening.model_request import LoadedModel, ModelRequest, load_request
from kpviewer.gui.opening.source_ground_truth import SourceGroundTruth
from kpviewer.gui.options import ViewerOptions
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.spec import Task
from kpviewer.pipeline.protocols import InferenceEngine, is_settled
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.process.loading import Outcome

FIRST_IMAGE_S = 1.5
"""Time given to the source's first image, which importing torch would hold up, in seconds."""
WARM_UP_HW = (480, 640)
"""(height, width) that a model is warmed up for while the source's size is unknown, px."""

_log = logging.getLogger(__name__)


class ModelLoading(QObject):
    """Loads models in the background; ``close`` ends it."""

    engine_loaded = pyqtSignal(object)
    """A ViewerEngine was loaded; ``engine`` is it."""
    failed = pyqtSignal(str)
    """A model can't be loaded: ``failure``, the reason."""
    noted = pyqtSignal(str)
    """Line for the user: the model runs otherwise than it was asked for."""
    layout_asked = pyqtSignal(object, str)
    """A model fits several layouts: its AmbiguousLayout, and its name."""

    def __init__(
        self,
        options: ViewerOptions,
        loaders: Loaders,
        ground_truth: SourceGroundTruth | None = None,
        patience_s: float = PATIENCE_S,
        *,
        is_second: bool = False,
    ) -> None:
        """Prepare; ``is_second``: whether to load models to compare with, which need boxes."""
        super().__init__()
        self._is_second = is_second
        self._loaders, self._options = loaders, options
        self._ground_truth = ground_truth
        self._loader = BackgroundLoader(patience_s)
        self._replaced = ReplacedEngines(self)
        self.asked = ModelRequest(options.model, options.device, options.backend)
        """The last request, or that of the present model after one that failed."""
        self._insists = False
        """Whether device or backend were chosen for this model, so that nothing replaces them."""
        self._is_waiting = False
        self._second: tuple[ModelRequest, tuple[int, int]] | None = None
        """Request that is loaded again after the running load, and its image size; else None."""
        self._unsettled: tuple[ModelRequest, tuple[int, int]] | None = None
        """Request of the present model while its fastest backend is still unknown; else None."""
        self._is_settling = False
        """Whether the running load only makes the present model faster."""
        self._since = 0.0
        self.current: LoadedModel | None = None
        """The present model; None until it is loaded."""
        self.failure: str | None = None
        """Reason why the last load failed; None if it didn't."""

    @property
    def engine(self) -> ViewerEngine | None:
        """Engine of the present model; None until it is loaded."""
        return self.current.engine if self.current is not None else None

    @property
    def loaded(self) -> ModelRequest | None:
        """Model and device that run; None until they are loaded."""
        return self.current.actual if self.current is not None else None

    @property
    def choice(self) -> BackendChoice | None:
        """Backend that was chosen for the present model, or for the one that loads."""
        if self.current is not None and self.asked == self.current.request:
            return self.current.choice
        return self.asked.choice

    @property
    def loading(self) -> str | None:
        """Name of the model that is loading or about to; None if there is none."""
        if self._is_waiting:
            return self.asked.model
        return None if self._is_settling else self._loader.busy_with

    @property
    def loading_s(self) -> float:
        """Time since the last request, in seconds."""
        return time.monotonic() - self._since

    def ask(self, request: ModelRequest, *, insists: bool = False) -> None:
        """Load a model as soon as ``start_due`` finds it due; ``insists`` as for ``use``."""
        self.asked, self._insists = request, insists
        self._is_waiting = True
        self._since = time.monotonic()
        self.failure = None

    def compare(self, text: str, first_model: str, device: str) -> ModelRequest:
        """Load a model to compare with; ``text`` is that of ``--compare``."""
        given = None if self._options.can_change_backend else self._options.backend
        request = ModelRequest.to_compare(text, first_model, device, given)
        self.ask(request, insists=request.choice is not given)
        return request

    def load(self, model: str) -> None:
        """Load another model on the same device."""
        self.ask(replace(self.asked, model=model))

    def load_again(self) -> None:
        """Load the present model again, because its engine hangs."""
        self.current = self._unsettled = None
        self.ask(self.asked)

    def use(self, device: str, choice: BackendChoice | None, *, insists: bool = True) -> None:
        """Load the same model on another device or backend.

        Args:
            device: device as on the command line.
            choice: backend and precision; None measures, and takes the fastest.
            insists: whether the user chose them for this model, so that nothing replaces them.
        """
        self.ask(replace(self.asked, device=device, choice=choice), insists=insists)

    def moved_to_cpu(self, engine: InferenceEngine) -> ViewerEngine:
        """Adopt the engine that a pipeline continues with after its device failed."""
        moved = cast("ViewerEngine", engine)
        self._unsettled = None
        if self._is_settling:
            self._is_settling = False
            self._loader.cancel()
        if self.current is not None:
            request = replace(self.current.actual, device="cpu", choice=None)
            same = replace(self.current, request=request, engine=moved, choice=None, fallback=None)
            self.current = same.after(self.current)
            if not self._is_waiting:
                self.asked = request
        return moved

    def leave(self) -> None:
        """Let go of the present model, and of one that loads."""
        self.cancel()
        self._replaced.add(self.engine)
        self.current = self._unsettled = None

    def cancel(self) -> None:
        """Drop the load that was asked for, or failed; the present model continues to run."""
        if self.current is not None:
            self.failure = None
        self._is_waiting, self._second = False, None
        if not self._is_settling:  # else the cancelled load hasn't begun
            self._loader.cancel()
            self._settle()
        if self.current is not None:
            self.asked = self.current.request

    def start_due(self, source_hw: tuple[int, int] | None, *, can_wait: bool) -> None:
        """Start the load that was asked for, once it is due; to be called ten times a second.

        ``can_wait``: whether a first image is on its way that the load should wait for.
        """
        if not self._is_waiting or (can_wait and self.loading_s < FIRST_IMAGE_S):
            return
        request, size = self.asked, source_hw or WARM_UP_HW
        self._is_waiting = self._is_settling = False
        is_quick = request.choice is None and not self._is_second
        first = self._loaders.load_first if is_quick else None
        self._second = (request, size) if first is not None else None
        self._submit(request, size, first)

    def close(self) -> None:
        """Let go of what loads; doesn't wait for it."""
        self._loader.close()
        self._replaced.close()

    def _submit(
        self, request: ModelRequest, size: tuple[int, int], first: EngineLoader | None = None
    ) -> None:
        """Load a model; ``first`` loads it for the time being."""
        insists = self._insists and request == self.asked
        self._loader.submit(
            request.model, lambda: self._load(request, size, first, insists), self._on_loaded
        )

    def _settle(self) -> None:
        """Look for the fastest way to run the present model, unless it was found already."""
        if self._unsettled is not None:
            self._is_settling = True
            self._submit(*self._unsettled)

    def _load(
        self,
        request: ModelRequest,
        source_hw: tuple[int, int],
        first: EngineLoader | None,
        insists: bool,
    ) -> LoadedModel:
        """Load a model, on the loader's thread."""
        loaded = load_request(
            request, self._loaders, self._options, source_hw, first, insists=insists
        )
        if self._is_second and loaded.engine.spec.task is Task.CLASSIFY:
            text = tr("{name} has no boxes. Compare with a model that has boxes.")
            raise WeightsError(text.format(name=request.model))
        if self._ground_truth is not None:
            spec = loaded.engine.spec
            self._ground_truth.prepare_names(spec.class_names, spec.keypoint_names)
        return loaded

    def _on_loaded(self, outcome: Outcome[LoadedModel]) -> None:
        was_settling, self._is_settling = self._is_settling, False
        second, self._second = self._second, None
        is_ambiguous = isinstance(outcome.failure, AmbiguousLayout) and not was_settling
        if outcome.value is not None:
            self._replaced.add(self.engine)
            self.current = outcome.value.after(self.current)
            self._unsettled = None if is_settled(outcome.value.engine) else second
            _use_names(self._ground_truth, outcome.value.engine)
        elif second is not None and not is_ambiguous:
            self._submit(*second)
        elif was_settling:
            self._unsettled = None
            _log.info("%s stays as it is: %s", outcome.name, outcome.failure)
        else:
            _log.debug("Loading %s failed", outcome.name, exc_info=outcome.failure)
            self.failure = why_not_loaded(outcome.name, outcome.reason)
            self.failed.emit(self.failure)
            if self.current is not None and not self._is_waiting:
                self.asked = self.current.request  # later requests start from what works
        if self._loader.busy_with is None:
            self._settle()
        if outcome.value is not None:
            self.engine_loaded.emit(outcome.value.engine)
            for note in outcome.value.notes:
                _log.warning("%s", note)
                self.noted.emit(note)
        elif is_ambiguous and not self._is_waiting:
            if self.current is not None:
                self.failure = None  # the present model continues while the user chooses
            self.layout_asked.emit(outcome.failure, outcome.name)


def _use_names(ground_truth: SourceGroundTruth | None, engine: ViewerEngine) -> None:
    """Number classes and keypoints as this model does."""
    if ground_truth is not None:
        ground_truth.use_names(engine.spec.class_names, engine.spec.keypoint_names)


def why_not_loaded(name: str, reason: str) -> str:
    """Return the message of a failed load; a reason that names the model is the whole message."""
    if PurePath(name.partition("@")[0]).name in reason:
        return reason
    return tr("{name} can't be loaded. {reason}").format(name=name, reason=reason)
