"""Merging of annotated sets, and removal of points that a detector placed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError


def merge(sets: Sequence[AnnotationSet]) -> AnnotationSet:
    """Merge data sets of the same classes and keypoints.

    Raises:
        DatasetError: if their names differ.
    """
    first = sets[0]
    for other in sets[1:]:
        if (other.class_names, other.keypoint_names) != (first.class_names, first.keypoint_names):
            raise DatasetError(
                "Data sets that are trained together must have the same names, got "
                f"{first.class_names + first.keypoint_names} and "
                f"{other.class_names + other.keypoint_names}. Rename them in the files."
            )
    return dataclasses.replace(first, images=tuple(image for one in sets for image in one.images))


def without_pseudo_points(data: AnnotationSet) -> AnnotationSet:
    """Mark the points of boxes that a detector made as not labelled; keep the boxes."""
    images = tuple(
        dataclasses.replace(
            image, keypoints_labelled=image.keypoints_labelled & ~image.pseudo[:, None]
        )
        for image in data.images
    )
    return dataclasses.replace(data, images=images)


def sources_of(data: AnnotationSet) -> str:
    """Return the sources of the images, as a weight file names them."""
    return ", ".join(sorted({image.source for image in data.images} - {""}))
