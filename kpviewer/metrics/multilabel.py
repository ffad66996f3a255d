"""Scores of label sets, and the sweep that finds the best threshold.

scikit-learn computes those of a class. Its import takes a second and is therefore deferred.
"""

from dataclasses import dataclass

import numpy as np

from kpviewer.structures import BoolArray, FloatArray

SWEEP_METRICS = ("f1", "accuracy_multi")
"""Metrics that a threshold can be chosen by."""
THRESHOLDS = (np.arange(1, 100) / 100).astype(np.float32)
"""Thresholds of a sweep: 0.01 to 0.99."""


@dataclass(frozen=True, slots=True)
class ClassLabelScore:
    """Scores of one class."""

    positives: int
    """Number of images that show the class."""
    average_precision: float | None
    """Area under the precision-recall curve without interpolation; None without positives."""
    precision: float | None
    """Precision at the threshold; 0 if the class is never predicted. None, as recall and F1, if no
    decision counts."""
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class MultilabelScore:
    """Scores of label sets at one threshold."""

    threshold: float
    images: int
    accuracy_multi: float
    """Share of correct decisions; there is one for each image and class."""
    f1: float
    """F1 of all decisions together (micro average)."""
    mean_average_precision: float | None
    """Mean over the classes that some image shows; None without any."""
    classes: tuple[ClassLabelScore, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdSweep:
    """Scores at each threshold: (T,) each, in [0, 1]."""

    thresholds: FloatArray
    accuracy_multi: FloatArray
    f1: FloatArray

    def best(self, by: str = SWEEP_METRICS[0]) -> float:
        """Return the best threshold: the centre of the longest run of equally good ones.

        Args:
            by: one of SWEEP_METRICS.
        """
        values = {"f1": self.f1, "accuracy_multi": self.accuracy_multi}[by]
        return best_threshold(self.thresholds, values)


def best_threshold(thresholds: FloatArray, values: FloatArray) -> float:
    """Return the centre of the longest run of thresholds with the highest value: (T,) each."""
    is_best = np.isclose(values, values.max(), rtol=0, atol=1e-9)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_best, [False]]).astype(int)))
    starts, ends = edges[::2], edges[1::2]  # runs of thresholds, ends not included
    longest = int(np.argmax(ends - starts))
    return round(float(thresholds[(starts[longest] + ends[longest] - 1) // 2]), 4)


def multilabel_score(
    scores: FloatArray, present: BoolArray, known: BoolArray, threshold: float
) -> MultilabelScore:
    """Score label sets at one threshold.

    Args:
        scores: (N, C) scores in [0, 1].
        present: (N, C) whether the image shows the class.
        known: (N, C) whether the decision counts.
        threshold: lowest score at which a class is predicted.
    """
    predicted = scores >= threshold
    classes = tuple(
        _class_score(*(table[known[:, column], column] for table in (scores, predicted, present)))
        for column in range(scores.shape[1])
    )
    precisions = [one.average_precision for one in classes if one.average_precision is not None]
    accuracy, f1 = _decisions(predicted, present, known)
    return MultilabelScore(
        threshold=threshold,
        images=len(scores),
        accuracy_multi=accuracy,
        f1=f1,
        mean_average_precision=float(np.mean(precisions)) if precisions else None,
        classes=classes,
    )


def sweep_thresholds(scores: FloatArray, present: BoolArray, known: BoolArray) -> ThresholdSweep:
    """Score label sets at each of THRESHOLDS; see ``multilabel_score``."""
    decisions = [_decisions(scores >= threshold, present, known) for threshold in THRESHOLDS]
    accuracy, f1 = np.array(decisions, np.float32).T
    return ThresholdSweep(THRESHOLDS, accuracy, f1)


def _decisions(predicted: BoolArray, present: BoolArray, known: BoolArray) -> tuple[float, float]:
    """Return accuracy and F1 of all decisions that count.

    A sweep needs them 99 times, which takes scikit-learn half a second.
    """
    predicted, present = predicted[known], present[known]
    if not len(present):
        return 0.0, 0.0
    positives = int(predicted.sum() + present.sum())
    f1 = 2 * int((predicted & present).sum()) / positives if positives else 0.0
    return float((predicted == present).mean()), f1


def _class_score(scores: FloatArray, predicted: BoolArray, present: BoolArray) -> ClassLabelScore:
    """Score one class: (n,) each."""
    from sklearn.metrics import (  # noqa: PLC0415 - takes a second
        average_precision_score,
        precision_recall_fscore_support,
    )

    positives = int(present.sum())
    if not len(present):
        return ClassLabelScore(0, None, None, None, None)
    precision, recall, f1, _ = precision_recall_fscore_support(
        present, predicted, average="binary", zero_division=0.0
    )
    area = float(average_precision_score(present, scores)) if positives else None
    return ClassLabelScore(positives, area, float(precision), float(recall), float(f1))
