"""Order of a data set's keypoints: that of a model's, by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpviewer.annotations.derived.classes import normalised_name
from kpviewer.annotations.reading.values import listed
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet


def align_keypoints(annotations: AnnotationSet, names: Sequence[str]) -> AnnotationSet:
    """Return a set with the keypoints of a model, in its order.

    Points that only one of both has are unlabelled, and a note says so. Names without a common one,
    such as numbers, are compared by position if there are as many.
    """
    old, new = (tuple(map(normalised_name, each)) for each in (annotations.keypoint_names, names))
    shared = {name for name in {*old} & {*new} if not name.isdecimal()}
    if not old or not new or len({*old}) < len(old) or len({*new}) < len(new):
        return annotations
    if len(old) == len(new) and all(old.index(name) == new.index(name) for name in shared):
        return annotations
    if not shared:
        note = f"keypoints can't be compared: the model has {len(new)}, the data {len(old)}"
        return replace(annotations, notes=(*annotations.notes, note))
    columns = [old.index(name) if name in shared else -1 for name in new]
    notes = [
        f"keypoints of {owner} left out: {other} have {listed(gone)}"
        for owner, other, given in (
            ("the data", "the model doesn't", annotations.keypoint_names),
            ("the model", "the data don't", names),
        )
        if (gone := [name for name in given if normalised_name(name) not in shared])
    ]
    return replace(
        annotations,
        images=tuple(_ordered(image, columns) for image in annotations.images),
        keypoint_names=tuple(names),
        skeleton=(),
        notes=(*annotations.notes, *notes),
    )


def _ordered(image: AnnotatedImage, columns: Sequence[int]) -> AnnotatedImage:
    """Return an image with other keypoints, by their index; -1 for one that it hasn't."""
    is_known = np.array(columns) >= 0
    targets = image.targets
    return replace(
        image,
        targets=replace(
            targets,
            keypoints_xy=np.where(
                is_known[:, None], targets.keypoints_xy[:, columns], np.float32(0)
            ),
            keypoints_visible=targets.keypoints_visible[:, columns] & is_known,
        ),
        keypoints_labelled=image.keypoints_labelled[:, columns] & is_known,
    )
