"""How near detections come to the truth, by class: for targets that are small, or of one size.

In JSON it is one key beside those of ``cli.scores``::

    "by_place": {"within_px": 15.0, "largest_px": null,
                 "by_class": {"fi": {"hits": 99, "spurious": 0, "missed": 1, "precision": 1.0,
                                     "recall": 0.99, "f1": 0.995, "mean_px": 0.4, "p95_px": 0.8}},
                 "total": {...the same...}}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.metrics.localisation import (
    HIT_PX,
    LocalisationRow,
    LocalisationTable,
    localisation_table,
)
from kpviewer.models.grid import GRID_ARCHITECTURES
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import Detections


def place_scores(
    seen: Sequence[Detections],
    annotations: AnnotationSet,
    spec: ModelSpec,
    within_px: float | None,
    largest_px: float | None,
) -> LocalisationTable | None:
    """Score places at the model's own threshold.

    Args:
        seen: in each picture of the set, with the low scores.
        annotations: the set.
        spec: of the model.
        within_px: largest distance of a hit; None: half a target for grid models, and no score of
            places for others.
        largest_px: longest side of an object that counts.
    """
    if within_px is None:
        if spec.architecture not in GRID_ARCHITECTURES:
            return None
        within_px = HIT_PX
    sure = [found.take(found.scores >= spec.score_threshold) for found in seen]
    truths = [image.targets for image in annotations.images]
    return localisation_table(
        sure, truths, annotations.class_names, max_px=within_px, largest_px=largest_px
    )


def place_json(table: LocalisationTable | None) -> dict[str, Any]:
    """Give the key for JSON; nothing where places weren't scored."""
    if table is None:
        return {}
    return {
        "by_place": {
            "within_px": table.max_px,
            "largest_px": table.largest_px,
            "by_class": {row.name: _row_json(row) for row in table.rows},
            "total": _row_json(table.total),
        }
    }


def _row_json(row: LocalisationRow) -> dict[str, Any]:
    return {
        "hits": row.hits,
        "spurious": row.spurious,
        "missed": row.missed,
        "precision": row.precision,
        "recall": row.recall,
        "f1": row.f1,
        "mean_px": row.mean_px,
        "p95_px": row.p95_px,
    }
