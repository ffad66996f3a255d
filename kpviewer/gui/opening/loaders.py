"""What makes sources and engines for the window; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from kpviewer.errors import PipelineError
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.recent import is_there
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.sources.base import FrameSource, GroundTruthProvider


class ViewerEngine(InferenceEngine, Protocol):
    """An engine that says where it runs; ``runtime.executor.Executor`` is one."""

    @property
    def device_name(self) -> str:
        """For people: "CPU", or the name of the GPU."""

    @property
    def engine_name(self) -> str:
        """What computes: "torch", "openvino"."""

    @property
    def precision(self) -> str:
        """For people: "fp32", "bf16", "fp16"."""


EngineLoader = Callable[[str, str, tuple[int, int]], ViewerEngine]
"""(model name or path, device, (height, width) of the source) -> engine. Runs in a thread."""

VariantLoader = Callable[[str, str, tuple[int, int], str, str], ViewerEngine]
"""As EngineLoader, then (engine, precision): auto, torch, openvino; auto, fp32, bf16, fp16."""

DeviceLister = Callable[[], dict[str, str]]
"""() -> devices, by their names on the command line, with those for people. Runs in a thread."""

SourceOpener = Callable[[str | None, GroundTruthProvider | None], FrameSource]
"""(source as typed, its annotations) -> source, not opened yet. Runs in a thread."""


@dataclass(frozen=True, slots=True)
class Loaders:
    """Functions that make sources and engines; all but ``permission`` runs in loaders' threads."""

    open_source: SourceOpener
    load_engine: EngineLoader
    load_variant: VariantLoader
    list_devices: DeviceLister
    load_first: EngineLoader | None = None
    """Loads what runs until ``load_engine`` has found the fastest way; None: nothing does."""
    permission: CodePermission = field(default_factory=CodePermission)
    """Models that are code and may run."""


def with_own(loaders: Loaders, options: ViewerOptions) -> Loaders:
    """Return loaders with the functions that the options name in their place."""
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
    """Load a model; where it or its device was only remembered and is gone, load its spare.

    Raises:
        WeightsError: if the model can't be loaded.
        PipelineError: if it can't run on the device.
    """
    if model == options.model and options.fallback_model is not None and not is_there(model):
        model = options.fallback_model
    try:
        return load(model, device, source_hw)
    except PipelineError:
        if device != options.device or options.fallback_device is None:
            raise
        return load(model, options.fallback_device, source_hw)
