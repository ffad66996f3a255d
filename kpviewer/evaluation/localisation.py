"""Localisation scores: the distance of detections from the ground truth, by class.

They suit targets that are small or of one size.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.detection_scores import confusion_json
from kpviewer.evaluation.text import by_name, number
from kpviewer.metrics.localisation import (
    LocalisationRow,
    LocalisationTable,
    localisation_confusion,
    localisation_table,
)
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import Detections, IntArray

MOST_CLASSES = 12
"""Number of classes above which the confusion matrix isn't printed."""


class LocalisationScores(NamedTuple):
    """Scores by class, and which class was predicted where."""

    table: LocalisationTable
    confusion: IntArray | None
    """(C + 1, C + 1), from ``localisation_confusion``; None with more than MAX_CONFUSED classes."""


def localisation_scores(
    seen: Sequence[Detections],
    annotations: AnnotationSet,
    spec: ModelSpec,
    *,
    within_px: float,
    largest_px: float | None,
) -> LocalisationScores:
    """Score the detections at the model's own threshold."""
    confident = [found.take(found.scores >= spec.score_threshold) for found in seen]
    ground_truths = [image.targets for image in annotations.images]
    names = annotations.class_names
    return LocalisationScores(
        localisation_table(
            confident, ground_truths, names, max_px=within_px, largest_px=largest_px
        ),
        localisation_confusion(
            confident, ground_truths, len(names), max_px=within_px, largest_px=largest_px
        ),
    )


def localisation_rows(table: LocalisationTable) -> list[tuple[str, ...]]:
    """Return the cells of each class, the header first and all classes last."""
    rows: list[tuple[str, ...]] = [
        ("", "precision", "recall", "F1", "support", "mean px", "p95 px")
    ]
    for row in (*table.rows, table.total):
        shares = map(number, (row.precision, row.recall, row.f1))
        distances = (number(row.mean_px, 2), number(row.p95_px, 2))
        rows.append((row.name, *shares, str(row.support), *distances))
    return rows


def confusion_rows(scores: LocalisationScores) -> list[tuple[str, ...]]:
    """Return the cells of the confusion matrix, the header first; none if it has many classes."""
    names = [row.name for row in scores.table.rows]
    if scores.confusion is None or len(names) > MOST_CLASSES:
        return []
    rows = [
        (name, *map(str, counts))
        for name, counts in zip((*names, "nothing"), scores.confusion.tolist(), strict=True)
    ]
    rows[-1] = (*rows[-1][:-1], "-")  # nothing, which isn't found
    return [("ground truth", *names, "missed"), *rows]


def localisation_json(scores: LocalisationScores) -> dict[str, Any]:
    """Return the key ``by_place`` of the JSON."""
    table = scores.table
    return {
        "by_place": {
            "within_px": table.max_px,
            "largest_px": table.largest_px,
            "by_class": by_name([row.name for row in table.rows], map(_row_json, table.rows)),
            "total": _row_json(table.total),
            "confusion": confusion_json(scores.confusion, [row.name for row in table.rows]),
        }
    }


def _row_json(row: LocalisationRow) -> dict[str, Any]:
    return {
        "hits": row.true_positives,
        "spurious": row.false_positives,
        "missed": row.false_negatives,
        "precision": row.precision,
        "recall": row.recall,
        "f1": row.f1,
        "mean_px": row.mean_px,
        "p95_px": row.p95_px,
    }
