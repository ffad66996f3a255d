"""Functions that make sources and engines for the window; nothing slow is imported here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from kpviewer.errors import PipelineError
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.recent import is_there
from kpviewer.pipeline.protocols import InferenceEngine
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


def load_or_fallback(
    load: EngineLoader,
    options: ViewerOptions,
    model: str,
    device: str,
    source_hw: tuple[int, int],
) -> ViewerEngine:
    """Load a model; use the fallback of a remembered model or device that is gone.

    Raises:
        WeightsError: if the model can't be loaded.
        PipelineError: if it can't run on the device.
    """
    if model == options.model and options.fallback_model is not None and not is_there(model):
        _log.warning("%s isn't there any more. %s is used.", model, options.fallback_model)
        model = options.fallback_model
    try:
        return load(model, device, source_hw)
    except PipelineError as error:
        if device != options.device or options.fallback_device is None:
            raise
        _log.warning("%s The device %s is used.", error, options.fallback_device)
        return load(model, options.fallback_device, source_hw)
