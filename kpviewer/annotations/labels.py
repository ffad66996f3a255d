"""What classes an image shows, from the objects on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.structures import BoolArray, IntArray


class LabelSet(NamedTuple):
    """The classes of one image, or of N: (C,) or (N, C) bool."""

    present: BoolArray
    known: BoolArray
    """False where only difficult objects say that the class might be there."""


def label_set(class_ids: IntArray, difficult: BoolArray, num_classes: int) -> LabelSet:
    """Give the classes of the objects of one image: (C,) each.

    Args:
        class_ids: (N,) of the objects.
        difficult: (N,) objects that decide nothing.
        num_classes: C.
    """
    present = np.zeros(num_classes, np.bool_)
    present[class_ids[~difficult]] = True
    known = np.ones(num_classes, np.bool_)
    known[class_ids[difficult]] = False
    return LabelSet(present, known | present)


def label_sets(images: Sequence[AnnotatedImage], num_classes: int) -> LabelSet:
    """Give the classes of N images: (N, C) each."""
    sets = [
        label_set(image.targets.class_ids, image.targets.difficult, num_classes) for image in images
    ]
    return LabelSet(
        np.array([one.present for one in sets], np.bool_).reshape(len(sets), num_classes),
        np.array([one.known for one in sets], np.bool_).reshape(len(sets), num_classes),
    )
