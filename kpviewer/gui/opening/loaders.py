"""Functions that make sources and engines for the window; nothing slow is imported here."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from kpviewer.errors import PipelineError
from kpviewer.gui.language import tr
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.recent import is_there
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.sources.base import FrameSource, GroundTruthProvider

_log = logging.getLogger(__name__)


class ViewerEngine(InferenceEngine, Protocol):
    """Engine that reports its device and backend; ``runtime.executor.Executor`` is one."""

    @property
    def device_name(self) -> str:
        """Name of the device for people: "CPU", or the name of the GPU."""

    @property
    def backend(self) -> str:
        """Inference backend: "torch", "openvino"."""

    @property
    def precision(self) -> str:
        """Numerical precision for people: "fp32", "bf16", "fp16"."""


def backend_of(engine: ViewerEngine) -> str:
    """Return backend and precision of an engine, such as "torch fp32".

    Engines of programs that were written for version 0.1 call the backend ``engine_name``.
    """
    backend = getattr(engine, "backend", None) or getattr(engine, "engine_name", "")
    return f"{backend} {engine.precision}".strip()


EngineLoader = Callable[[str, str, tuple[int, int]], ViewerEngine]
"""(model name or path, device, (height, width) of the source) -> engine. Runs on a thread."""

VariantLoader = Callable[[str, str, tuple[int, int], str, str], ViewerEngine]
"""EngineLoader with two more arguments: backend and precision, as on the command line."""

DeviceLister = Callable[[], dict[str, str]]
"""() -> names of devices for people, by their names on the command line. Runs on a thread."""

SourceOpener = Callable[[str | None, GroundTruthProvider | None], FrameSource]
"""(source as typed, its annotations) -> source, not opened yet. Runs on a thread."""


@dataclass(frozen=True, slots=True)
class Loaders:
    """Functions that make sources and engines; they run on loader threads."""

    open_source: SourceOpener
    load_engine: EngineLoader
    load_variant: VariantLoader
    list_devices: DeviceLister
    load_first: EngineLoader | None = None
    """Loader of the engine that runs until ``load_engine`` is done; None loads nothing first."""
    permission: CodePermission = field(default_factory=CodePermission)
    """Permission for models that are Python code."""


def with_own(loaders: Loaders, options: ViewerOptions) -> Loaders:
    """Return loaders in which the functions of the options replace the usual ones."""
    names = ("open_source", "load_engine", "load_variant", "list_devices")
    own = {name: each for name in names if (each := getattr(options, name)) is not None}
    if options.load_first is not None or options.load_engine is not None:
        own["load_first"] = options.load_first
    return replace(loaders, **own)


def with_backend(loaders: Loaders, choice: BackendChoice | None) -> EngineLoader:
    """Return the loader of models on a backend; None measures."""
    if choice is None:
        return loaders.load_engine

    def load(model: str, device: str, source_hw: tuple[int, int]) -> ViewerEngine:
        own = choice.device or device
        return loaders.load_variant(model, own, source_hw, choice.backend, choice.precision)

    return load


def with_device_fallback(options: ViewerOptions, device: str) -> ViewerOptions:
    """Return options with a fallback of a device, unless the command line names that device."""
    if device == options.device and options.fallback_device is None:
        return options
    return replace(options, device=device, fallback_device="auto")


def load_or_fallback(
    load: EngineLoader,
    options: ViewerOptions,
    model: str,
    device: str,
    source_hw: tuple[int, int],
    say: Callable[[str], None] = _log.warning,
) -> tuple[ViewerEngine, str, str]:
    """Load a model; use the fallback of a remembered model or device that is gone.

    Returns:
        The engine, and the model and the device that were used.

    Raises:
        WeightsError: if the model can't be loaded.
        PipelineError: if it can't run on the device.
    """
    if model == options.model and options.fallback_model is not None and not is_there(model):
        text = tr("{name} isn't there any more. {other} is used.")
        say(text.format(name=model, other=options.fallback_model))
        model = options.fallback_model
    try:
        return load(model, device, source_hw), model, device
    except PipelineError as error:
        fallback = options.fallback_device if device == options.device else None
        if fallback is None or fallback == device:
            raise
        _log.info("%s", error)
        engine = load(model, fallback, source_hw)
    text = tr("{name} can't run on {device} here. It runs on {other}.")
    name, used = engine.spec.name, getattr(engine, "device_name", "auto")
    say(text.format(name=name, device=device, other=used))
    return engine, model, fallback
