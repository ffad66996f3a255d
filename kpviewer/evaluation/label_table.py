"""Runs of a multi-label model on an annotated set, and its class scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from kpviewer.annotations.derived.labels import label_sets
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.detections import Infer, require_images
from kpviewer.evaluation.timing import ReadImage, read_image
from kpviewer.structures import BoolArray, FloatArray


class LabelTable(NamedTuple):
    """Scores and ground truth of N images and C classes, as ``metrics.multilabel`` takes them."""

    scores: FloatArray
    """(N, C) in [0, 1]."""
    present: BoolArray
    """(N, C): whether the class is in the image."""
    known: BoolArray
    """(N, C): whether the ground truth is known; other decisions don't count."""


def label_table(
    infer: Infer,
    annotations: AnnotationSet,
    read: ReadImage,
    *,
    classes: frozenset[int] | None = None,
    progress: Callable[[int], object] = lambda done: None,
) -> LabelTable:
    """Run a model on a set.

    Args:
        infer: returns the candidates of one (H, W, 3) uint8 BGR image: one row.
        annotations: ground truth, with class ids of the model (``annotations.derived.classes``).
        read: returns the (H, W, 3) uint8 BGR pixels of a file, None if it can't be read.
        classes: ids that are labelled in the data and count; None: all.
        progress: called after each image with the number of images done.

    Raises:
        DatasetError: if the set is empty or an image can't be read.
    """
    require_images(annotations)
    rows = []
    for image in annotations.images:
        rows.append(infer(read_image(image, read)).scores[0])
        progress(len(rows))
    ground_truth = label_sets(annotations.images, len(annotations.class_names))
    known = ground_truth.known.copy()
    if classes is not None:
        known[:, [column for column in range(known.shape[1]) if column not in classes]] = False
    return LabelTable(np.stack(rows), ground_truth.present, known)
