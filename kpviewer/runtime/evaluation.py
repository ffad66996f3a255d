"""Runs a model over an annotated set and scores what it sees. Knows of no file format or device."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.metrics.average_precision import AveragePrecision, average_precision
from kpviewer.metrics.detection import (
    NegativeScore,
    WorkingPoint,
    negative_score,
    recall_at_false_positives,
)
from kpviewer.metrics.keypoint import KeypointScore, keypoint_score, object_errors
from kpviewer.models.selection import select
from kpviewer.structures import Candidates, Detections, ImageArray, Thresholds

Infer: TypeAlias = Callable[[ImageArray], Candidates]
ReadImage: TypeAlias = Callable[[Path], ImageArray | None]

SCORE_FLOOR = 0.01
"""Average precision needs the detections of low score too."""
WARM_UP = 3
"""Pictures run once before the clock starts."""


@dataclass(frozen=True, slots=True)
class GroupScore:
    """The scores of a set of pictures."""

    images: int
    objects: int
    """True ones, without ignore regions."""
    precision: AveragePrecision
    keypoints: KeypointScore
    """Of objects that a person labelled."""
    working_point: WorkingPoint
    """At 0.1 false positives a picture."""
    negatives: NegativeScore
    """At score 0.5."""


@dataclass(frozen=True, slots=True)
class FrameTime:
    """Time of the engine for one picture, ms: from pixels in memory to candidates in memory."""

    mean: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """What ``evaluate`` found."""

    overall: GroupScore
    groups: dict[str, GroupScore]
    """By ``AnnotatedImage.source``; empty if there is but one."""
    frame_ms: FrameTime
    seen: tuple[Detections, ...]
    """What was seen in each picture, with the low scores that average precision needs."""


def evaluate(
    infer: Infer,
    annotations: AnnotationSet,
    read_image: ReadImage,
    *,
    thresholds: Thresholds | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> EvaluationReport:
    """Run a model over a set and score it.

    Args:
        infer: gives the candidates of one (H, W, 3) uint8 BGR picture; returns when they are there.
        annotations: the set, with the class ids of the model (``annotations.classes``).
        read_image: gives the (H, W, 3) uint8 BGR pixels of a file, None if it can't.
        thresholds: NMS, and the classes that count; its score is replaced by SCORE_FLOOR.
        progress: called after each picture with the number of those done.

    Raises:
        DatasetError: if the set is empty or a picture can't be read.
    """
    if not annotations.images:
        raise DatasetError("The data set holds no picture, so there is nothing to score.")
    thresholds = replace(thresholds or Thresholds(), score=SCORE_FLOOR, class_scores={})
    for image in annotations.images[:WARM_UP]:
        infer(read_picture(image, read_image))
    seen: list[Detections] = []
    times_ms: list[float] = []
    for image in annotations.images:
        bgr = read_picture(image, read_image)
        start_ns = time.perf_counter_ns()
        candidates = infer(bgr)
        times_ms.append((time.perf_counter_ns() - start_ns) / 1e6)
        seen.append(select(candidates, thresholds))
        progress(len(seen))
    p50, p95 = np.percentile(times_ms, (50, 95))
    return EvaluationReport(
        overall=score_pictures(seen, annotations.images, annotations),
        groups=_by_source(seen, annotations),
        frame_ms=FrameTime(float(np.mean(times_ms)), float(p50), float(p95)),
        seen=tuple(seen),
    )


def score_pictures(
    seen: Sequence[Detections], images: Sequence[AnnotatedImage], names: AnnotationSet
) -> GroupScore:
    """Score what was seen on some pictures of a set; ``names`` tells its classes and points."""
    truths = [image.targets for image in images]
    errors = [
        error
        for found, image in zip(seen, images, strict=True)
        for error in object_errors(found, image.targets, counted=~image.pseudo)
    ]
    return GroupScore(
        images=len(images),
        objects=sum(int(np.count_nonzero(~truth.difficult)) for truth in truths),
        precision=average_precision(seen, truths, len(names.class_names)),
        keypoints=keypoint_score(errors, len(names.keypoint_names)),
        working_point=recall_at_false_positives(seen, truths),
        negatives=negative_score(seen, truths),
    )


def _by_source(seen: Sequence[Detections], annotations: AnnotationSet) -> dict[str, GroupScore]:
    rows: dict[str, list[int]] = {}
    for row, image in enumerate(annotations.images):
        rows.setdefault(image.source, []).append(row)
    if len(rows) < 2:
        return {}
    return {
        source: score_pictures(
            [seen[row] for row in own], [annotations.images[row] for row in own], annotations
        )
        for source, own in sorted(rows.items())
    }


def read_picture(image: AnnotatedImage, read_image: ReadImage) -> ImageArray:
    """Read a picture of a set; raise DatasetError if that can't be done."""
    bgr = read_image(image.path)
    if bgr is None:
        raise DatasetError(
            f"The data set names a picture that can't be read: {image.path}. "
            "Is the folder of the pictures right, and the file complete?"
        )
    return bgr
