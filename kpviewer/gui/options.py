"""Options of the viewer, from the command line or from a program. No Qt."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kpviewer.models.names.classes import class_ids
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.base import GroundTruthProvider
from kpviewer.sources.turn import Turn
from kpviewer.structures import NmsKind, Thresholds

NUMBERS = ("score", "iou", "nms", "sigma", "keypoint")
"""Fields of Thresholds that options and settings hold under the same name."""


@dataclass(frozen=True, slots=True)
class ViewerOptions:
    """Options of one run of the viewer."""

    source: str | None = None
    sources: tuple[str, ...] = ()
    """Several sources, which a grid shows; ``source`` is then None."""
    model: str = DEFAULT_MODEL
    compare: str | None = None
    """Second model; or a backend or precision to compare the first with: torch, openvino, fp32,
    bf16, fp16."""
    device: str = "auto"
    backend: BackendChoice | None = None
    """Backend and precision to run the model with; None measures, and takes the fastest."""
    score: float | None = None
    """Lowest confidence. None, here and in the next four: the model's default."""
    iou: float | None = None
    nms: NmsKind | None = None
    sigma: float | None = None
    keypoint: float | None = None
    """Lowest confidence of keypoints, for models that predict one."""
    classes: tuple[str, ...] = ()
    """Names or numbers of the shown classes; empty is all."""
    record: str | None = None
    """File to record to from the first frame; empty: a new file in the folder of recordings."""
    with_results: bool = False
    """Whether to write JSON lines beside each recording."""
    seconds: float | None = None
    """Time after which the window closes, s."""
    fullscreen: bool = False
    started_s: float | None = None
    """Monotonic time at which the program started, for the log."""
    folder: Path | None = None
    """Folder for recordings and snapshots; None is the user's folder of videos."""
    ground_truth: GroundTruthProvider | None = None
    """Annotations of ``source``."""
    turn: Turn | None = None
    """Rotation and mirroring of all sources; None: as remembered for each."""
    settings_folder: Path | None = None
    """Folder of the settings; None remembers nothing."""
    profile: str | None = None
    """Name of the profile to use in place of the remembered settings."""
    language: str | None = None
    """Code of the window's language (en, zh_CN) or "system"; None is the remembered one."""
    given: frozenset[str] = frozenset()
    """Options among model, device, theme that the command line names; they win over settings."""
    fallback_model: str | None = None
    """Model to load if the remembered ``model`` is gone; None if ``model`` was asked for."""
    fallback_device: str | None = None
    """Device to use if the remembered ``device`` is gone; None if ``device`` was asked for."""

    can_change_backend: bool = False
    """Whether ``backend`` was remembered, so that a model that it can't run runs as with None."""

    # Functions for programs around the window; ``opening.loaders.with_own`` moves them to Loaders.

    open_source: Callable[..., Any] | None = None
    """Function that replaces the one of ``Loaders``, here and below; None keeps it."""
    load_engine: Callable[..., Any] | None = None
    load_first: Callable[..., Any] | None = None
    """Used only together with ``load_engine``; None then loads nothing first."""
    load_variant: Callable[..., Any] | None = None
    list_devices: Callable[..., Any] | None = None

    def thresholds_for(self, spec: ModelSpec) -> Thresholds:
        """Return the model's thresholds, overridden by these options.

        Raises:
            ValueError: if the model has no class of that name or number.
        """
        asked = self.on_top_of(spec.thresholds)
        if self.classes:
            asked = replace(asked, classes=class_ids(self.classes, spec.class_names))
        return asked

    def on_top_of(self, asked: Thresholds) -> Thresholds:
        """Return thresholds overridden by these options, classes excepted."""
        given: dict[str, Any] = {name: getattr(self, name) for name in NUMBERS}
        return replace(asked, **{name: each for name, each in given.items() if each is not None})
