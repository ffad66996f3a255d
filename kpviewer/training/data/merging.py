"""Merging of annotated sets, and removal of points that a detector placed."""

import dataclasses
from collections.abc import Sequence

from kpviewer.annotations.derived.keypoints import in_names_of
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError


def merge(sets: Sequence[AnnotationSet]) -> AnnotationSet:
    """Merge data sets of the same classes and keypoints, in any order.

    Raises:
        DatasetError: if one has other names than the first.
    """
    first = sets[0]
    images = list(first.images)
    for other in sets[1:]:
        if (same := in_names_of(other, first)) is None:
            raise DatasetError(
                "Data sets that are trained together must have the names of the first, got "
                f"{first.class_names + first.keypoint_names} and "
                f"{other.class_names + other.keypoint_names}. Rename them in the files."
            )
        images += same.images
    return dataclasses.replace(first, images=tuple(images))


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
