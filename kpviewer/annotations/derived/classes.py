"""Mapping of a data set's class ids to a model's, by name."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpviewer.annotations.problems import left_out
from kpviewer.annotations.reading.values import listed
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError

_NO_NAME = re.compile(r"object|(?:class|category)?\d*")
"""Names that say nothing of a class, without blanks."""
_ANY_CLASS = frozenset(("item", "object", "objects"))
"""Names of the only class of a model of all classes; Ultralytics' ``single_cls`` has the first."""
_NAMED = 5
"""Number of classes that a note names."""
_COCO_OF_VOC = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}
"""COCO's names, by Pascal VOC's, of the classes that both have under different names."""
_SAME = {voc: coco.replace(" ", "") for voc, coco in _COCO_OF_VOC.items()}


def align_classes(annotations: AnnotationSet, class_names: Sequence[str]) -> AnnotationSet:
    """Renumber the classes of a data set with a model's class ids.

    The comparison of names ignores case, blanks, hyphens and underscores, and treats Pascal VOC's
    names as COCO's (aeroplane, airplane). A set of one class and a model of one class match
    whatever their names; a model whose only class is "item" or "object" matches every class.
    Objects of other classes are left out, and detections of classes that the set doesn't label
    don't count; ``notes`` says so.

    Raises:
        DatasetError: if no class matches.
    """
    if annotations.class_names == tuple(class_names):
        return annotations
    new_ids = matched_classes(annotations.class_names, class_names)
    if annotations.class_names and not new_ids:
        cure = "Choose another model or data set."
        if all(name.isdecimal() for name in annotations.class_names):
            cure = "The numbers need names: of YOLO labels, list them in a classes.txt beside them."
        elif all(_NO_NAME.fullmatch(normalised_name(name)) for name in class_names):
            cure = "Name the model's: write classes = [...] into a TOML of its name beside it."
        raise DatasetError(
            "Model and data must share a class: the model knows "
            f"{listed(class_names)}; the data hold {listed(annotations.class_names)}. "
            f"{cure}"
        )
    notes = (*annotations.notes, *_class_notes(annotations.class_names, class_names, new_ids))
    images = tuple(_renumber(image, new_ids) for image in annotations.images)
    categories = {
        new_ids[old]: category
        for old, category in sorted(annotations.category_ids.items(), reverse=True)
        if old in new_ids and not _are_joined(class_names, new_ids)
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
    """Yield a note on the classes that only the model has, and one on those only in the data."""
    if not new_ids:
        return
    if note := repeated_name(new_names):
        yield f"{note} of the model; the first one counts"
    known = set(new_ids.values())
    if len(old_names) == len(new_names) == 1:
        yield from _only_class_notes(old_names[0], new_names[0])
    if _are_joined(new_names, new_ids):
        yield f"{len(new_ids)} classes of the data count as {new_names[0]!r} of the model"
    unlabelled = [name for i, name in enumerate(new_names) if i not in known]
    if unlabelled:
        reason, count = "the data don't label them", len(unlabelled)
        yield left_out(count, len(new_names), "classes of the model", reason, unlabelled[0])
    dropped = [name for i, name in enumerate(old_names) if i not in new_ids]
    if dropped:
        names = listed(dropped, _NAMED)
        reason = f"the model doesn't know {names}"
        yield left_out(len(dropped), len(old_names), "classes of the data", reason)


def _only_class_notes(old: str, new: str) -> Iterator[str]:
    """Yield a note if the only class of the data has another name than the model's."""
    names = {normalised_name(old), normalised_name(new)}
    if len(names) == 2 and not any(_NO_NAME.fullmatch(name) for name in names):
        yield f"{new!r} of the model counts as {old!r} of the data, as each has one class"


def shared_classes(annotations: AnnotationSet, class_names: Sequence[str]) -> frozenset[int]:
    """Return the model's ids of the classes that a set, with its own ids, also has."""
    return frozenset(matched_classes(annotations.class_names, class_names).values())


def matched_classes(old_names: Sequence[str], new_names: Sequence[str]) -> dict[int, int]:
    """Return the new ids by the old ones, of the classes that both have in some spelling."""
    if tuple(old_names) == tuple(new_names) or len(old_names) == len(new_names) == 1:
        return {each: each for each in range(len(old_names))}
    backwards = list(enumerate(new_names))[::-1]  # the first of equal names counts
    exact = {name: index for index, name in backwards}
    wanted = {normalised_name(name): index for index, name in backwards}
    found = {
        i: exact.get(name, wanted.get(normalised_name(name))) for i, name in enumerate(old_names)
    }
    known = {old: new for old, new in found.items() if new is not None}
    if not known and len(new_names) == 1 and normalised_name(new_names[0]) in _ANY_CLASS:
        return dict.fromkeys(range(len(old_names)), 0)
    return known


def _are_joined(new_names: Sequence[str], new_ids: Mapping[int, int]) -> bool:
    """Return whether several classes of the data count as the only one of a model."""
    return len(new_names) == 1 < len(new_ids)


def repeated_name(names: Sequence[str]) -> str:
    """Return which classes are the first with one name; empty if names are unique."""
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if first.setdefault(name, number) != number:
            return f"{name!r} is the name of the classes {first[name]} and {number}"
    return ""


def normalised_name(name: str) -> str:
    """Return a name in the form that all spellings of one class share."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    plain = "".join(char for char in plain if char not in " -_")
    number = plain.removeprefix("class")  # "class 3" of a file without names, 3 of YOLO labels
    return number if number.isdecimal() else _SAME.get(plain, plain)


def _renumber(image: AnnotatedImage, new_ids: Mapping[int, int]) -> AnnotatedImage:
    old_ids = image.targets.class_ids.tolist()
    kept = image.take(np.array([old in new_ids for old in old_ids], np.bool_))
    class_ids = np.array([new_ids[old] for old in old_ids if old in new_ids], np.int64)
    labelled_ids = frozenset(new_ids.values()) or None
    if image.targets.labelled_ids is not None:
        labelled_ids = frozenset(
            new_ids[old] for old in image.targets.labelled_ids if old in new_ids
        )
    targets = replace(kept.targets, class_ids=class_ids, labelled_ids=labelled_ids)
    return replace(kept, targets=targets)
