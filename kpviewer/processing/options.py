"""Options of ``process``: which files to write for each source, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kpviewer.errors import InputError
from kpviewer.models.names.classes import class_ids
from kpviewer.models.spec import ModelSpec
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.runtime.thresholds import idle_thresholds
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.turn import Turn
from kpviewer.structures import Thresholds

_WORDS = {"score": "--conf", "keypoint": "--keypoint-conf", "class_scores": "--class-conf"}
"""Options of thresholds that are named otherwise than their fields."""


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """Files to write for each source, and how."""

    out: Path
    outputs: tuple[str, ...] = ("video",)
    """Keys of ``recording.segment.ENDINGS``."""
    seconds: float | None = None
    """Duration to process of each source; None: all."""
    live_seconds: float | None = None
    """Duration for a live source if ``seconds`` is None; None: until Ctrl-C."""
    stem: str | None = None
    """Name of the files without suffix; None: the source's name."""
    model: str = DEFAULT_MODEL
    model_hash: str | None = None
    """Hash of the content that the model must have; None: any."""
    device: str = "auto"
    precision: str = "auto"
    backend: str = "auto"
    batch: int = 1
    """Most frames that the model runs at once."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Fields of Thresholds that differ from the model's own."""
    classes: tuple[str, ...] = ()
    """Names or numbers of the classes to write; empty: all."""
    class_scores: Mapping[str, float] = field(default_factory=dict)
    """Confidence thresholds of single classes, by name or number."""
    ground_truth: str | None = None
    """Specification of annotations to compare with; None: no comparison."""
    category_ids: Mapping[int, int | str] | None = None
    """COCO categories of the ground truth by class id; None for other formats."""
    style: OverlayStyle = field(default_factory=OverlayStyle)
    """Its anonymise, smooth_landmarks and tracks count; names and skeleton are the model's."""
    every: int = 1
    """Interval of the frames that are written to image folders: every Nth."""
    sinks: tuple[str, ...] = ()
    """Names of sinks of installed packages."""
    image_suffix: str = ".jpg"
    """Suffix of the images in image folders."""
    sound: bool = True
    """Whether videos keep the sound of their source."""
    scans: bool = False
    """Whether to write a scan of each source."""
    scan_file: Path | None = None
    """File of the scan; None: named after the source, in ``out``."""
    report: bool = False
    """Whether to write a report on the frames with ground truth."""
    from_scan: Path | None = None
    """Scan that candidates are taken from; None: the model finds all."""
    turn: Turn | None = None
    """Rotation and mirroring of the frames; None: none."""

    @property
    def has_results(self) -> bool:
        """Whether anything but a scan is written, which needs every frame."""
        return bool(self.outputs or self.sinks or self.report)

    def idle_note(self, spec: ModelSpec) -> str | None:
        """Return a note that names the options that change nothing; None if all count."""
        idle, why = idle_thresholds(spec, self.changes), "with this model and NMS"
        if not self.has_results:
            why = "on a scan, which keeps all candidates"
            own = {"classes": self.classes, "class_scores": self.class_scores}
            idle = [*self.changes, *(name for name, value in own.items() if value)]
        thresholds = [_WORDS.get(name, f"--{name}") for name in idle]
        parts = ((why, thresholds), ("on these files", self._idle_on_files()))
        notes = [f"without effect {each}: {', '.join(words)}" for each, words in parts if words]
        return "; ".join(notes) or None

    def _idle_on_files(self) -> list[str]:
        """Return the options that none of the files shows."""
        shows = {
            "--anonymise": (self.style.anonymise, {"video", "raw", "voc", "yolo"}),
            "--smooth-landmarks": (self.style.smooth_landmarks, {"video"}),
            "--track": (self.style.tracks, {"video", "jsonl", "csv"}),
            "--no-sound": (not self.sound, {"video", "raw"}),
        }
        if self.sinks or self.report:  # they may show all
            return []
        files = set(self.outputs)
        return [name for name, (is_given, shown) in shows.items() if is_given and not shown & files]

    def thresholds_of(self, spec: ModelSpec) -> Thresholds:
        """Return the model's thresholds, changed by these options.

        Raises:
            InputError: if the model has no class of that name or number.
        """
        changes = dict(self.changes)
        try:
            if self.classes:
                changes["classes"] = class_ids(self.classes, spec.class_names)
            if self.class_scores:
                own = {
                    class_id: score
                    for name, score in self.class_scores.items()
                    for class_id in class_ids([name], spec.class_names)
                }
                changes["class_scores"] = {**spec.thresholds.class_scores, **own}
        except ValueError as error:
            raise InputError(str(error)) from error
        return replace(spec.thresholds, **changes)

    @property
    def following(self) -> TrackingOptions:
        """Tracking and smoothing that the style needs."""
        return TrackingOptions(smooth=self.style.smooth_landmarks, track=self.style.tracks)
