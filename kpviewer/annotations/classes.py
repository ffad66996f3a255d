"""Gives the classes of a data set the ids that a model uses, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpviewer.annotations.problems import left_out
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.annotations.values import listed
from kpviewer.errors import DatasetError

_NAMED = 5
"""Classes that a note names."""
_COCO_OF_VOC = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}
"""The classes that Pascal VOC and COCO both have, by different names."""
_SAME = {voc: coco.replace(" ", "") for voc, coco in _COCO_OF_VOC.items()}


def align_classes(annotations: AnnotationSet, class_names: Sequence[str]) -> AnnotationSet:
    """Renumber the classes of a data set as a model numbers them.

    Names are compared without regard to case, blanks, hyphens and underscores, and those of Pascal
    VOC count as COCO's for the same thing (aeroplane, airplane). A set of one class and a model of
    one class fit whatever they are called. Objects of other classes are left out, and detections of
    classes that the set doesn't label don't count, which ``notes`` tells.

    Args:
        annotations: the set, in its own numbering.
        class_names: of the model.

    Raises:
        DatasetError: if no class fits.
    """
    if annotations.class_names == tuple(class_names):
        return annotations
    new_ids = _new_ids(annotations.class_names, class_names)
    if annotations.class_names and not new_ids:
        raise DatasetError(
            "Model and data must share a class: the model knows "
            f"{listed(class_names)}; the data hold {listed(annotations.class_names)}. "
            "Choose another model or data set."
        )
    notes = (*annotations.notes, *_class_notes(annotations.class_names, class_names, new_ids))
    images = tuple(_renumber(image, new_ids) for image in annotations.images)
    categories = {
        new_ids[old]: category
        for old, category in sorted(annotations.category_ids.items(), reverse=True)
        if old in new_ids
    }
    return replace(
        annotations,
        images=images,
        class_names=tuple(class_names),
        category_ids=categories,
        notes=notes,
    )


def _class_notes(
    old_names: Sequence[str], new_names: Sequence[str], new_ids: Mapping[int, int]
) -> Iterator[str]:
    """Say which classes only the model, and which only the data have."""
    if not new_ids:
        return
    known = set(new_ids.values())
    unlabelled = [name for i, name in enumerate(new_names) if i not in known]
    if unlabelled:
        reason, count = "the data don't label them", len(unlabelled)
        yield left_out(count, len(new_names), "classes of the model", reason, unlabelled[0])
    dropped = [name for i, name in enumerate(old_names) if i not in new_ids]
    if dropped:
        names = listed(dropped, _NAMED)
        reason = f"the model doesn't know {names}"
        yield left_out(len(dropped), len(old_names), "classes of the data", reason)


def shared_classes(annotations: AnnotationSet, class_names: Sequence[str]) -> frozenset[int]:
    """Give the model's ids of the classes that a set, in its own numbering, also has."""
    return frozenset(_new_ids(annotations.class_names, class_names).values())


def _new_ids(old_names: Sequence[str], new_names: Sequence[str]) -> dict[int, int]:
    if len(old_names) == 1 and len(new_names) == 1:
        return {0: 0}
    exact = {name: index for index, name in enumerate(new_names)}
    wanted = {same_name(name): index for index, name in reversed(list(enumerate(new_names)))}
    found = {i: exact.get(name, wanted.get(same_name(name))) for i, name in enumerate(old_names)}
    return {old: new for old, new in found.items() if new is not None}


def same_name(name: str) -> str:
    """Give what names of one class have in common."""
    plain = "".join(char for char in name.casefold() if char not in " -_")
    return _SAME.get(plain, plain)


def _renumber(image: AnnotatedImage, new_ids: Mapping[int, int]) -> AnnotatedImage:
    old = image.targets
    kept = np.array([int(class_id) in new_ids for class_id in old.class_ids], np.bool_)
    class_ids = np.array([new_ids[int(class_id)] for class_id in old.class_ids[kept]], np.int64)
    return replace(
        image,
        targets=replace(
            old.take(kept),
            class_ids=class_ids,
            labelled_ids=frozenset(new_ids.values()) or None,
        ),
        pseudo=image.pseudo[kept],
        keypoints_labelled=image.keypoints_labelled[kept],
    )
