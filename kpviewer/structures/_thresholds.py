"""Settings that select detections."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from kpviewer.structures._arrays import FloatArray, IntArray


class NmsKind(StrEnum):
    """Kind of non-maximum suppression: how a box lowers the scores of overlapping boxes."""

    NONE = "none"
    """For models whose predictions are distinct: end-to-end heads, and graphs with NMS inside."""
    HARD = "hard"
    SOFT_LINEAR = "soft-linear"
    SOFT_GAUSSIAN = "soft-gaussian"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Settings that select detections from candidates; replaced as a whole."""

    score: float = 0.5
    iou: float = 0.45
    nms: NmsKind = NmsKind.HARD
    sigma: float = 0.5
    """Sigma of the Gaussian soft-NMS (Bodla et al. 2017, arXiv:1704.04503, eq. 5)."""
    classes: frozenset[int] | None = None
    """Class ids to show; None means all."""
    class_scores: Mapping[int, float] = field(default_factory=dict)
    """Score thresholds of single classes, which override ``score``."""
    max_detections: int = 300
    keypoint: float = 0.5
    """Score below which a keypoint counts as not predicted, where the model predicts scores."""

    def __post_init__(self) -> None:
        for name, value in (("score", self.score), ("iou", self.iou), ("keypoint", self.keypoint)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be in [0, 1], got {value}")

    @property
    def least_score(self) -> float:
        """Lowest score that a detection of any class may have."""
        return min([self.score, *self.class_scores.values()])

    def least_scores(self, class_ids: IntArray) -> FloatArray:
        """Return the score that a detection of each class must reach: (N,) float32."""
        least = np.full(len(class_ids), self.score, np.float32)
        for class_id, score in self.class_scores.items():
            least[class_ids == class_id] = score
        return least
