"""What the command line, or a program around the window, asks of the viewer. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kpviewer.models.spec import ModelSpec
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.base import GroundTruthProvider
from kpviewer.structures import NmsKind, Thresholds


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
    ground_truth: GroundTruthProvider | None = None
    """Annotations of ``source``."""
    settings_folder: Path | None = None
    """Where settings are read from and kept; None remembers nothing."""
    profile: str | None = None
    """Name of the profile to go by in place of what is remembered."""
    language: str | None = None
    """Code of the window's language (en, zh_CN) or "system"; None is the remembered one."""
    given: frozenset[str] = frozenset()
    """Of model, device, theme: those that the command line names, whatever is remembered."""
    spare_model: str | None = None
    """Loaded where ``model`` is a remembered one whose file is gone; None: it was asked for."""
    spare_device: str | None = None
    """Used where ``device`` is a remembered one that is gone; None: it was asked for."""
    open_source: Callable[..., Any] | None = None
    """Here and below: functions in place of those of ``Loaders``; None: these."""
    load_engine: Callable[..., Any] | None = None
    load_first: Callable[..., Any] | None = None
    """Counts beside ``load_engine`` alone: None there loads nothing first."""
    load_variant: Callable[..., Any] | None = None
    list_devices: Callable[..., Any] | None = None

    def thresholds_for(self, spec: ModelSpec) -> Thresholds:
        """Give the model's thresholds with what was asked for in their place.

        Raises:
            ValueError: if a class is not one of the model's.
        """
        asked = self.on_top_of(spec.thresholds)
        if self.classes:
            asked = replace(asked, classes=class_ids(self.classes, spec.class_names))
        return asked

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
