"""Runs of a detector on an annotated set, and the scores of its detections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.evaluation.timing import CallTimer, FrameTime, read_image
from kpviewer.metrics.average_precision import AveragePrecision, average_precision
from kpviewer.metrics.detection import (
    NegativeScore,
    OperatingPoint,
    negative_score,
    recall_at_false_positives,
)
from kpviewer.metrics.keypoint import KeypointScore, keypoint_score, object_errors
from kpviewer.models.selection import select
from kpviewer.structures import Candidates, Detections, ImageArray, Thresholds

Infer: TypeAlias = Callable[[ImageArray], Candidates]
InferBatch: TypeAlias = Callable[[Sequence[ImageArray]], Sequence[Candidates]]

SCORE_FLOOR = 0.01
"""Lowest score of detections that are kept: average precision counts low scores too."""
WARM_UP = 3
"""Number of images that are run before the time is measured."""


@dataclass(frozen=True, slots=True)
class GroupScore:
    """The scores of a set of images."""

    images: int
    objects: int
    """Number of objects in the ground truth, without ignore regions."""
    precision: AveragePrecision
    """COCO's average precision."""
    keypoints: KeypointScore
    """Keypoint errors of objects that a person labelled."""
    working_point: OperatingPoint
    """Recall and score at 0.1 false positives an image."""
    negatives: NegativeScore
    """Images without objects that are free of detections, at score 0.5."""


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """Result of ``score_detections``."""

    overall: GroupScore
    groups: dict[str, GroupScore]
    """Scores by ``AnnotatedImage.source``; empty if there is only one source."""
    frame_ms: FrameTime | None
    """Time from pixels in memory to candidates in memory; None if it wasn't measured."""
    seen: tuple[Detections, ...]
    """Detections of each image with at least the lowest score."""


def score_detections(
    infer: InferBatch,
    annotations: AnnotationSet,
    *,
    thresholds: Thresholds | None = None,
    batch: int = 1,
    floor: float = SCORE_FLOOR,
    progress: Callable[[int], object] = lambda done: None,
) -> DetectionScores:
    """Run a detector over a set and score it.

    Args:
        infer: returns the candidates of each (H, W, 3) uint8 BGR image, once they are in memory.
        annotations: ground truth, with class ids of the model (``annotations.derived.classes``).
        thresholds: IoU of NMS, and the classes that count; its score is replaced by ``floor``.
        batch: most images that ``infer`` gets.
        floor: lowest score of detections that are kept.
        progress: called after each image with the number of images done.

    Raises:
        DatasetError: if the set is empty or an image can't be read.
    """
    require_images(annotations)
    thresholds = replace(thresholds or Thresholds(), score=floor, class_scores={})
    images = annotations.images
    for image in images[:WARM_UP]:
        infer([read_image(image)])
    seen: list[Detections] = []
    timer = CallTimer()
    for start in range(0, len(images), batch):
        pixels = [read_image(image) for image in images[start : start + batch]]
        for candidates in timer.measure(len(pixels), infer, pixels):
            seen.append(select(candidates, thresholds))
            progress(len(seen))
    return DetectionScores(
        overall=score_images(seen, images, annotations),
        groups={
            source: score_images(
                [seen[row] for row in rows], [images[row] for row in rows], annotations
            )
            for source, rows in rows_by_source(images).items()
        },
        frame_ms=timer.times(),
        seen=tuple(seen),
    )


def require_images(annotations: AnnotationSet) -> None:
    """Raise DatasetError if a set is empty."""
    if not annotations.images:
        raise DatasetError("A data set to score on must have images, got none.")


def score_images(
    seen: Sequence[Detections], images: Sequence[AnnotatedImage], names: AnnotationSet
) -> GroupScore:
    """Score the detections of some images of a set; ``names`` has its classes and keypoints."""
    ground_truths = [image.targets for image in images]
    errors = [
        object_errors(found, image.targets, counted=~image.pseudo)
        for found, image in zip(seen, images, strict=True)
    ]
    return GroupScore(
        images=len(images),
        objects=sum(
            int(np.count_nonzero(~ground_truth.difficult)) for ground_truth in ground_truths
        ),
        precision=average_precision(seen, ground_truths, len(names.class_names)),
        keypoints=keypoint_score(
            [error for each in errors for error in each.objects],
            len(names.keypoint_names),
            sum(each.not_predicted for each in errors),
        ),
        working_point=recall_at_false_positives(seen, ground_truths),
        negatives=negative_score(seen, ground_truths),
    )


def rows_by_source(images: Sequence[AnnotatedImage]) -> dict[str, list[int]]:
    """Return the rows of the images of each source; nothing if there is only one source."""
    rows: dict[str, list[int]] = {}
    for row, image in enumerate(images):
        rows.setdefault(image.source, []).append(row)
    return dict(sorted(rows.items())) if len(rows) > 1 else {}
