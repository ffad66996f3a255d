"""What the command line asks of the viewer. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from kpviewer.gui.opening.engine_loading import list_devices, load_engine, load_variant
from kpviewer.gui.opening.permission import CodePermission
from kpviewer.gui.opening.source_opening import open_source
from kpviewer.models.spec import ModelSpec
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.base import FrameSource, TruthProvider
from kpviewer.structures import NmsKind, Thresholds


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

Recall = Callable[[ModelSpec, Thresholds], Thresholds]
"""(model, thresholds to start it with) -> the same with what the user set before."""

SourceOpener = Callable[[str | None, TruthProvider | None], FrameSource]
"""(source as typed, its annotations) -> source, not opened yet. Runs in a thread."""


def recall_nothing(_spec: ModelSpec, asked: Thresholds) -> Thresholds:
    """Keep to what was asked for."""
    return asked


@dataclass(frozen=True, slots=True)
class ViewerOptions:
    """Settings of one run of the viewer."""

    source: str | None = None
    model: str = DEFAULT_MODEL
    compare: str | None = None
    """A second model to compare with, or torch, openvino, fp32, bf16, fp16: the first run so."""
    device: str = "auto"
    score: float | None = None
    """None here and below: the model's own default."""
    iou: float | None = None
    nms: NmsKind | None = None
    sigma: float | None = None
    classes: tuple[str, ...] = ()
    """Names or numbers; empty is all."""
    record: str | None = None
    """Record from the first frame: to this file, or where recordings go if it is empty."""
    with_results: bool = False
    """Write JSON lines beside each recording."""
    seconds: float | None = None
    """Close after this time."""
    fullscreen: bool = False
    started_s: float | None = None
    """Monotonic time at which the program was started, for the log."""
    folder: Path | None = None
    """Where recordings and snapshots go; None is the user's folder of videos."""
    truth: TruthProvider | None = None
    """Annotations of ``source``."""
    settings_folder: Path | None = None
    """Where settings are read from and kept; None remembers nothing."""
    profile: str | None = None
    """Name of the profile to go by in place of what is remembered."""
    language: str | None = None
    """Code of the window's language (en, zh_CN) or "system"; None is the remembered one."""
    given: frozenset[str] = frozenset()
    """Of model, device, theme: those that the command line names, whatever is remembered."""
    permission: CodePermission = field(default_factory=CodePermission)
    """What may run of models that are code."""
    recall: Recall = field(default=recall_nothing)
    open_source: SourceOpener = field(default=open_source)
    load_engine: EngineLoader = field(default=load_engine)
    load_first: EngineLoader | None = None
    """Gives what watches until ``load_engine`` has found the fastest way; None: nothing does."""
    load_variant: VariantLoader = field(default=load_variant)
    list_devices: DeviceLister = field(default=list_devices)

    def thresholds_for(self, spec: ModelSpec) -> Thresholds:
        """Give the model's thresholds with what was asked for in their place.

        Raises:
            ValueError: if a class is not one of the model's.
        """
        asked = self.on_top_of(spec.thresholds)
        if self.classes:
            asked = replace(asked, classes=class_ids(self.classes, spec.class_names))
        return self.recall(spec, asked)

    def on_top_of(self, asked: Thresholds) -> Thresholds:
        """Put what was asked for, classes aside, in the place of other settings."""
        if self.score is not None:
            asked = replace(asked, score=self.score)
        if self.iou is not None:
            asked = replace(asked, iou=self.iou)
        if self.nms is not None:
            asked = replace(asked, nms=self.nms)
        if self.sigma is not None:
            asked = replace(asked, sigma=self.sigma)
        return asked


def class_ids(asked: Iterable[str], class_names: tuple[str, ...]) -> frozenset[int]:
    """Give the ids of classes that were asked for by name or number.

    Raises:
        ValueError: if one is not of the model's.
    """
    return frozenset(_class_id(name, class_names) for name in asked)


def _class_id(name: str, class_names: tuple[str, ...]) -> int:
    if name in class_names:
        return class_names.index(name)
    if name.isdecimal() and int(name) < len(class_names):
        return int(name)
    known = ", ".join(class_names[:8]) + (", ..." if len(class_names) > 8 else "")
    raise ValueError(f"{name!r} must be a class of the model ({known}).")
