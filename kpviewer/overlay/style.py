"""Style of the overlay: what is painted over an image, and how large."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from kpviewer.models.names.classes import class_name
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import FrameResult, Thresholds


@dataclass(frozen=True, slots=True)
class OverlayStyle:
    """What to paint over an image, and how large."""

    class_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    """Pairs of keypoint indices joined by a line."""
    keypoint_names: tuple[str, ...] = ()
    """Names of the keypoints, for the numbers of a detection."""
    boxes: bool = True
    labels: bool = True
    """Whether labels have the class name."""
    scores: bool = True
    landmarks: bool = True
    ground_truth: bool = True
    verdicts: bool = True
    """With ground truth: mark matched, missed and false detections, and draw a legend."""
    within_px: float | None = None
    """Largest distance of a match with the ground truth, source px; None: matches are by IoU."""
    shown: frozenset[int] | None = None
    """Ids of the shown classes, whose objects can be missed; None is all."""
    anonymise: bool = False
    """Hide all detections: ``image_of`` returns the pixels."""
    numbers: bool = False
    """Show the detection's number in the list, from 0, as in tables and result files."""
    smooth_landmarks: bool = False
    """Draw landmarks filtered over time, if a result has them; else the raw ones."""
    tracks: bool = False
    """Show the track ID in each label and the track's trail, if a result has them."""
    hovered: int | None = None
    """Index of the detection under the pointer; its landmarks are larger."""
    selected: int | None = None
    """Index of the selected detection; its box is thicker."""
    scale: float = 1.0
    """Factor of strokes, dots and text, on top of the three factors below."""
    lines: float = 1.0
    """Factor of the width of strokes."""
    dots: float = 1.0
    """Factor of the size of landmarks."""
    letters: float = 1.0
    """Factor of the size of text."""
    names_of_two: tuple[str, str] | None = None
    """Names of two models that are compared: the second's detections are painted too, with a
    legend. None paints those of the first alone."""
    bars: Thresholds | None = None
    """Thresholds of class bars, which replace boxes for models of whole images; else None."""

    def of_model(self, spec: ModelSpec, thresholds: Thresholds | None = None) -> OverlayStyle:
        """Return the style with what a model needs; thresholds are those of its class bars."""
        return replace(
            self,
            class_names=spec.class_names,
            skeleton=spec.skeleton,
            keypoint_names=spec.keypoint_names,
            bars=thresholds if spec.task is Task.CLASSIFY else None,
        )

    def of_result(self, result: FrameResult) -> OverlayStyle:
        """Return the style with the names of the model that found a result: another may run now."""
        spec, names = result.spec, (self.class_names, self.keypoint_names)
        if not isinstance(spec, ModelSpec) or names == (spec.class_names, spec.keypoint_names):
            return self
        return self.of_model(spec, result.thresholds)

    def class_name(self, class_id: int) -> str:
        """Return the name of a class; ``class N`` if it has none."""
        return class_name(class_id, self.class_names)

    def text(self, class_id: int, score: float, index: int = 0, track_id: int = -1) -> str:
        """Return the text of a label; empty if all its parts are hidden."""
        parts = [str(index)] if self.numbers else []
        if self.labels and (name := _on_one_line(self.class_name(class_id))):
            parts.append(name)
        if self.tracks and track_id >= 0:
            parts.append(f"#{track_id}")
        if self.scores:
            parts.append(f"{score:.2f}")
        return " ".join(parts)


@lru_cache(maxsize=1024)
def _on_one_line(name: str) -> str:
    """Return a name without line breaks and double spaces."""
    return " ".join(name.split())
