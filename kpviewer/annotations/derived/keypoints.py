"""Order of a data set's keypoints: that of a model's, by name."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpviewer.annotations.derived.classes import align_classes, normalised_name
from kpviewer.annotations.reading.values import listed
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.structures import GroundTruth


def align_keypoints(annotations: AnnotationSet, names: Sequence[str]) -> AnnotationSet:
    """Return a set with the keypoints of a model, in its order.

    Points that only one of both has are unlabelled, and a note says so. Names without a common one,
    such as numbers, are compared by position if there are as many.
    """
    own = annotations.keypoint_names
    columns = matched_keypoints(own, names)
    if columns is None:
        if len(own) == len(names) or not own or not names:
            return annotations
        note = f"keypoints can't be compared: the model has {len(names)}, the data {len(own)}"
        return replace(annotations, notes=(*annotations.notes, note))
    foreign = [name for i, name in enumerate(own) if i not in columns]
    lacking = [name for name, column in zip(names, columns, strict=True) if column < 0]
    notes = [
        f"keypoints of {owner} left out: {other} have {listed(gone)}"
        for owner, other, gone in (
            ("the data", "the model doesn't", foreign),
            ("the model", "the data don't", lacking),
        )
        if gone
    ]
    return replace(
        annotations,
        images=tuple(_ordered(image, columns) for image in annotations.images),
        keypoint_names=tuple(names),
        skeleton=(),
        mirrored_keypoints=(),
        notes=(*annotations.notes, *notes),
    )


def in_names_of(annotations: AnnotationSet, first: AnnotationSet) -> AnnotationSet | None:
    """Return a set with the classes and keypoints of another in its order, to train with it.

    It may lack classes. None if it has other classes, or not the same keypoints, unless it has no
    object: then its images are backgrounds.
    """
    if not any(len(image.targets) for image in annotations.images):
        points = len(first.keypoint_names)
        nothing, no_flags = GroundTruth.empty(points), np.zeros((0, points), np.bool_)
        images = tuple(
            replace(image, targets=nothing, keypoints_labelled=no_flags)
            for image in annotations.images
        )
        return replace(first, images=images)
    classes, keypoints = (
        [sorted(map(normalised_name, names)) for names in pair]
        for pair in (
            (annotations.class_names, first.class_names),
            (annotations.keypoint_names, first.keypoint_names),
        )
    )
    if not {*classes[0]} <= {*classes[1]} or keypoints[0] != keypoints[1]:
        return None
    return align_keypoints(align_classes(annotations, first.class_names), first.keypoint_names)


def matched_keypoints(old_names: Sequence[str], new_names: Sequence[str]) -> list[int] | None:
    """Return the index of each new keypoint among the old ones, by name; -1 without a counterpart.

    None if the names decide nothing: they stand in the same places, or have none in common.
    """
    old, new = (tuple(map(normalised_name, each)) for each in (old_names, new_names))
    shared = {name for name in {*old} & {*new} if not name.isdecimal()}
    if not shared or len({*old}) < len(old) or len({*new}) < len(new):
        return None
    if len(old) == len(new) and all(old.index(name) == new.index(name) for name in shared):
        return None
    return [old.index(name) if name in shared else -1 for name in new]


def _ordered(image: AnnotatedImage, columns: Sequence[int]) -> AnnotatedImage:
    is_known = np.array(columns) >= 0
    return replace(
        image,
        targets=image.targets.with_keypoints(columns),
        keypoints_labelled=image.keypoints_labelled[:, columns] & is_known,
    )
