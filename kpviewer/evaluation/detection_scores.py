"""The scores of a detector as tables for people and as JSON for programs.

``docs/reference/scores.md`` describes the keys, which are added, never renamed or removed.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.detections import DetectionScores, GroupScore
from kpviewer.evaluation.text import by_name, number
from kpviewer.metrics.average_precision import (
    AveragePrecision,
    PrecisionBySize,
    average_precision_by_size,
    size_of,
)
from kpviewer.metrics.curves import (
    Calibration,
    PrecisionRecall,
    calibration,
    class_score,
    curves_by_class,
    voc_average_precision,
)
from kpviewer.metrics.detection import MAX_CONFUSED, confusion_matrix
from kpviewer.structures import Detections, IntArray, Shape

MOST_CONFUSED = 3
"""Number of confused pairs of classes that the table names."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """Scores of each class, in the order of their ids, and the calibration of all scores."""

    names: tuple[str, ...]
    curves: tuple[PrecisionRecall, ...]
    """Precision and recall of each class at IoU 0.5."""
    ap50: tuple[float | None, ...]
    """COCO's average precision of each class at IoU 0.5."""
    score: float
    """Threshold of precision, recall, F1 and confusion."""
    calibration: Calibration
    confusion: IntArray | None
    """(C + 1, C + 1), from ``confusion_matrix``; None with more than MAX_CONFUSED classes."""


def class_scores(
    seen: Sequence[Detections],
    annotations: AnnotationSet,
    precision: AveragePrecision,
    score: float,
) -> ClassScores:
    """Score each class."""
    ground_truths = [image.targets for image in annotations.images]
    num_classes = len(annotations.class_names)
    return ClassScores(
        names=annotations.class_names,
        curves=curves_by_class(seen, ground_truths, num_classes),
        ap50=precision.ap50_by_class,
        score=score,
        calibration=calibration(seen, ground_truths),
        confusion=confusion_matrix(seen, ground_truths, num_classes, score=score),
    )


def class_rows(scores: ClassScores) -> list[tuple[str, ...]]:
    """Return the cells of the classes that have objects, the header first."""
    at = f"at {scores.score:.2f}"
    head = ("class", "objects", "AP@0.5", "VOC area", "VOC 11 points",
            f"precision {at}", "recall", "F1")  # fmt: skip
    rows: list[tuple[str, ...]] = [head]
    for name, values in _by_class(scores).items():
        objects, *shares = values.values()
        if objects:
            rows.append((name, str(objects), *map(number, shares)))
    return rows


def class_note(scores: ClassScores) -> str:
    """Return the expected calibration error and the most confused classes, as text."""
    off = scores.calibration.expected_error
    calibrated = "" if off is None else f"expected calibration error {off:.3f}"
    if scores.confusion is None:
        return f"{calibrated}\nno confusion matrix: more than {MAX_CONFUSED:,} classes"
    return calibrated + confusion_text(scores.confusion, scores.names)


def confusion_text(counts: IntArray, names: Sequence[str]) -> str:
    """Name the classes that are most often confused; return "" if there are none.

    Args:
        counts: (C + 1, C + 1), from ``confusion_matrix``.
        names: C names.
    """
    others = counts[:-1, :-1] * ~np.eye(len(names), dtype=np.bool_)
    order = np.argsort(-others, axis=None, kind="stable")[:MOST_CONFUSED]
    pairs = (np.unravel_index(index, others.shape) for index in order)
    pairs_text = [
        f"{names[actual]} as {names[predicted]} {others[actual, predicted]}"
        for actual, predicted in pairs
        if others[actual, predicted]
    ]
    return f"\nconfused classes: {', '.join(pairs_text)}" if pairs_text else ""


def class_json(scores: ClassScores) -> dict[str, Any]:
    """Return scores by class, calibration and confusion."""
    return {
        "by_class": _by_class(scores),
        "score_threshold": scores.score,
        "calibration": calibration_json(scores.calibration, "detections"),
        "confusion": confusion_json(scores.confusion, scores.names),
    }


def confusion_json(counts: IntArray | None, names: Sequence[str]) -> dict[str, Any]:
    """Return ``confusion``; its counts are null where there are too many classes."""
    return {"names": list(names), "counts": None if counts is None else counts.tolist()}


def calibration_json(result: Calibration, counted: str) -> dict[str, Any]:
    """Return ``calibration``; ``counted`` names what the bins count."""
    columns = zip(result.counts.tolist(), result.mean_score, result.precision, strict=True)
    return {
        "expected_error": result.expected_error,
        "bins": [
            {counted: count, "score": _or_none(mean), "hits": _or_none(share)}
            for count, mean, share in columns
        ],
    }


def _by_class(scores: ClassScores) -> dict[str, dict[str, Any]]:
    found = []
    for curve, ap50 in zip(scores.curves, scores.ap50, strict=True):
        point = class_score(curve, scores.score)
        found.append(
            {
                "objects": curve.objects,
                "ap50": ap50,
                "voc_area": voc_average_precision(curve),
                "voc_11_points": voc_average_precision(curve, eleven_points=True),
                "precision": point.precision,
                "recall": point.recall,
                "f1": point.f1,
            }
        )
    return by_name(scores.names, found)


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def group_json(result: DetectionScores, class_names: Sequence[str]) -> dict[str, Any]:
    """Return the scores of all images and by source."""
    return {
        "overall": _group_json(result.overall, class_names),
        "by_source": {
            source: _group_json(score, class_names) for source, score in result.groups.items()
        },
    }


def _group_json(score: GroupScore, class_names: Sequence[str]) -> dict[str, Any]:
    return {
        "images": score.images,
        "objects": score.objects,
        "ap50": score.precision.ap50,
        "ap": score.precision.ap,
        "ap50_by_class": by_name(class_names, score.precision.ap50_by_class),
        "nme": asdict(score.keypoints),
        "at_0.1_false_positives_per_image": asdict(score.working_point),
        "negatives": {**asdict(score.negatives), "clean_share": score.negatives.clean_share},
    }


class SizeScore(NamedTuple):
    """Score of the objects of one size."""

    objects: int
    """Number of objects, without ignore regions."""
    ap: float | None
    """COCO's average precision over IoU 0.50, 0.55, ... 0.95; None without objects."""


def size_scores(seen: Sequence[Detections], annotations: AnnotationSet) -> dict[str, SizeScore]:
    """Score small, medium and large objects, by these names."""
    ground_truths = [image.targets for image in annotations.images]
    precision = average_precision_by_size(seen, ground_truths, len(annotations.class_names))
    areas = np.concatenate([each.areas[~each.difficult] for each in ground_truths])
    counts = np.bincount(size_of(areas), minlength=3).tolist()
    return dict(zip(PrecisionBySize._fields, map(SizeScore, counts, precision), strict=True))


def size_note(scores: dict[str, SizeScore]) -> str:
    """Return the scores by size on one line; empty if all objects are of one size."""
    parts = [f"{name} {number(ap)} ({count:,})" for name, (count, ap) in scores.items() if count]
    return f"AP@[.5:.95] by size (objects): {', '.join(parts)}" if len(parts) > 1 else ""


def overlap_note(predicted: Shape, labelled: Shape) -> str:
    """Return what overlaps compare; empty if a model of upright boxes has them compared."""
    if predicted is labelled is not Shape.UPRIGHT:
        return f"Overlaps compare {predicted}."
    if predicted is Shape.UPRIGHT and labelled is not Shape.ROTATED:
        return ""  # as is usual, also where data have masks
    return (
        f"Overlaps compare upright boxes: the model predicts {predicted}, the data have {labelled}."
    )


def size_json(scores: dict[str, SizeScore]) -> dict[str, Any]:
    """Return the scores by size."""
    return {"by_size": {name: score._asdict() for name, score in scores.items()}}


COLUMNS = ("", "images", "AP@0.5", "AP@[.5:.95]", "NME mean", "median", "recall@0.1FP", "negatives")


def score_rows(result: DetectionScores) -> list[tuple[str, ...]]:
    """Return the cells of each source of images, the header first and all images last."""
    groups = [*result.groups.items(), ("all", result.overall)]
    return [COLUMNS, *(_cells(name or "(no source)", score) for name, score in groups)]


def _cells(name: str, score: GroupScore) -> tuple[str, ...]:
    negatives = score.negatives
    return (
        name,
        str(score.images),
        number(score.precision.ap50, 3),
        number(score.precision.ap, 3),
        number(score.keypoints.mean, 4),
        number(score.keypoints.median, 4),
        number(score.working_point.recall, 3),
        f"{negatives.clean}/{negatives.images}" if negatives.images else "-",
    )
