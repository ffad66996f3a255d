"""Label sets: the classes that images show, from their objects."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.structures import BoolArray, IntArray


class LabelSet(NamedTuple):
    """The classes of one image, (C,) bool, or of N images, (N, C) bool."""

    present: BoolArray
    """Whether the image shows the class."""
    known: BoolArray
    """Whether that is certain; false if only difficult objects have the class, or the image isn't
    labelled for it."""


def label_set(class_ids: IntArray, difficult: BoolArray, num_classes: int) -> LabelSet:
    """Return the label set of one image: (C,) each.

    Args:
        class_ids: (N,) class ids of the objects.
        difficult: (N,) whether the object is difficult and decides nothing.
        num_classes: number of classes, C.
    """
    present = np.zeros(num_classes, np.bool_)
    present[class_ids[~difficult]] = True
    known = np.ones(num_classes, np.bool_)
    known[class_ids[difficult]] = False
    return LabelSet(present, known | present)


def label_sets(images: Sequence[AnnotatedImage], num_classes: int) -> LabelSet:
    """Return the label sets of N images: (N, C) each."""
    every, shape = np.arange(num_classes), (len(images), num_classes)
    targets = [image.targets for image in images]
    sets = [label_set(each.class_ids, each.difficult, num_classes) for each in targets]
    present = np.array([one.present for one in sets], np.bool_).reshape(shape)
    known = np.array([one.known for one in sets], np.bool_).reshape(shape)
    labelled = np.array([each.is_labelled(every) for each in targets], np.bool_).reshape(shape)
    return LabelSet(present, known & labelled | present)
