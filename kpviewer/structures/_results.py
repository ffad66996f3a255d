"""A frame with its detections, their times and errors."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Protocol

import kpviewer
from kpviewer.structures._detections import Candidates, Detections
from kpviewer.structures._frames import Frame
from kpviewer.structures._thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class StageTimings:
    """Times of one frame by stage. GPU stages are measured with CUDA events."""

    read_ms: float = 0.0
    queue_wait_ms: float = 0.0
    upload_ms: float = 0.0
    """Time to copy to the device, resize and normalise."""
    forward_ms: float = 0.0
    postprocess_ms: float = 0.0
    """Time to decode, copy back, threshold and suppress overlapping boxes."""
    total_ms: float = 0.0
    """Time from capture to result."""

    @property
    def model_ms(self) -> float:
        """Time of the model: upload, forward pass and postprocessing."""
        return self.upload_ms + self.forward_ms + self.postprocess_ms

    def by_stage(self) -> dict[str, float]:
        """Return the times in ms by stage name without ``_ms``, as files have them."""
        return {name.removesuffix("_ms"): value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class FrameError:
    """Deviation of a frame's detections from its ground truth."""

    mean_px: float | None
    """Mean distance of keypoints, or of box centres without them; None if nothing matched."""
    nme: float | None
    """Normalised mean error of the keypoints; None without keypoints."""
    nme_normaliser: str
    """Length that ``nme`` is divided by: "inter-ocular" or "box diagonal"."""
    mean_iou: float | None
    """Mean IoU of matched boxes; None if nothing matched."""
    matched: int
    """Number of true positives."""
    false_negatives: int
    false_positives: int
    keypoints_not_predicted: int = 0
    """Number of labelled keypoints of true positives that the model didn't predict."""


@dataclass(frozen=True, slots=True, eq=False)
class SecondResult:
    """Detections of a second model in the same frame, and their difference from the first."""

    candidates: Candidates
    detections: Detections
    """Detections at the second model's thresholds, with its own class ids."""
    model_ms: float
    """Time of the second model, including selection."""
    difference: FrameError
    """Error of the second model, with the first model's detections as the ground truth."""
    spec: ModelDescription | None = None
    """Description of the second model."""


class ModelDescription(Protocol):
    """Description of a model for showing its results; ``models.spec.ModelSpec`` implements it."""

    @property
    def task(self) -> str:
        """Value of ``models.spec.Task``."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Class names by class id."""

    @property
    def keypoint_names(self) -> tuple[str, ...]:
        """Names of the K keypoints."""

    @property
    def skeleton(self) -> tuple[tuple[int, int], ...]:
        """Pairs of keypoint indices joined by a line."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """Frame together with its detections."""

    frame: Frame
    candidates: Candidates
    detections: Detections
    timings: StageTimings
    error: FrameError | None = None
    has_model: bool = True
    """Whether a model processed the frame; without one, detections are always empty."""
    second: SecondResult | None = None
    """Result of the second model; None without a comparison."""
    spec: ModelDescription | None = None
    """Description of the model; None without a model."""
    thresholds: Thresholds | None = None
    """Thresholds of ``detections``; None without a model."""

    def with_own_image(self) -> FrameResult:
        """Return the result with a copy of its image, which no other thread uses."""
        own = replace(self.frame, bgr=self.frame.bgr.copy(), lease=None)
        return replace(self, frame=own)

    def __repr__(self) -> str:
        """Return frame number and number of detections: arrays would fill a screen."""
        return f"<FrameResult of frame {self.frame.index}, {len(self.detections)} detections>"

    def _repr_png_(self) -> bytes:
        """Return the annotated image as PNG, for notebooks."""
        return kpviewer.png_of(self)
