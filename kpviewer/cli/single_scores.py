"""Class accuracy and mean IoU of models that tell one object a picture.

In JSON they are one key beside those of ``cli.scores``; pictures without exactly one object are
left out, which ``notes`` counts; ``null`` stands where no picture holds the class::

    "single_object": {"pictures": 24, "accuracy": 0.96, "mean_iou": 0.81,
                      "by_class": {"ace": {"pictures": 8, "accuracy": 1.0, "mean_iou": 0.79}}}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from kpviewer.annotations.single import with_one_object
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.metrics.single_object import ObjectScore, SingleObjectScore, single_object_score
from kpviewer.models.single_object import SINGLE_OBJECT_ARCHITECTURES
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import Detections


def scored_singles(annotations: AnnotationSet) -> AnnotationSet:
    """Keep the pictures that a single-object model can be scored on; ``notes`` counts the rest.

    Raises:
        DatasetError: if there is none.
    """
    singles = with_one_object(annotations)
    if not singles.images:
        raise DatasetError(
            "A single-object model is scored on pictures with exactly one object, and the data "
            "have none. Choose other data."
        )
    return singles


def single_scores(
    seen: Sequence[Detections], annotations: AnnotationSet, spec: ModelSpec
) -> SingleObjectScore | None:
    """Score class and box of the one object of each picture; None for other models.

    Args:
        seen: in each picture of the set, with the low scores.
        annotations: the set, of pictures with one object (``annotations.single``).
        spec: of the model.
    """
    if spec.architecture not in SINGLE_OBJECT_ARCHITECTURES:
        return None
    truths = [image.targets for image in annotations.images]
    return single_object_score(seen, truths, len(annotations.class_names))


def single_rows(
    score: SingleObjectScore, class_names: Sequence[str]
) -> Iterator[tuple[str, str, str, str]]:
    """Give the cells of the table, the head first and all classes last."""
    yield "class", "pictures", "class accuracy", "mean IoU"
    for name, one in zip(class_names, score.by_class, strict=True):
        if one.pictures:
            yield _cells(name, one)
    yield _cells("all", score.overall)


def single_json(score: SingleObjectScore | None, class_names: Sequence[str]) -> dict[str, Any]:
    """Give the key for JSON; nothing for other models."""
    if score is None:
        return {}
    by_class = zip(class_names, map(asdict, score.by_class), strict=True)
    return {"single_object": {**asdict(score.overall), "by_class": dict(by_class)}}


def validation_scores(score: SingleObjectScore | None) -> dict[str, float]:
    """Give what a training run notes at a checkpoint; nothing for other models."""
    if score is None:
        return {}
    return {
        "class accuracy": score.overall.accuracy or 0.0,
        "mean IoU": score.overall.mean_iou or 0.0,
    }


def _cells(name: str, one: ObjectScore) -> tuple[str, str, str, str]:
    return name, str(one.pictures), _number(one.accuracy), _number(one.mean_iou)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
