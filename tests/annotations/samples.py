"""Small annotated sets for the tests of this folder."""

from pathlib import Path

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.structures import GroundTruth


def image(name, class_ids=(0,), image_id="", frame_index=None):
    """Return an image with one box for each class id; box i begins at (i, i)."""
    count = len(class_ids)
    boxes = np.arange(count, dtype=np.float32)[:, None] + np.array([0, 0, 5, 5], np.float32)
    targets = GroundTruth(
        boxes.reshape(-1, 4),
        np.array(class_ids, np.int64),
        np.zeros((count, 0, 2), np.float32),
        np.zeros((count, 0), np.bool_),
        np.zeros(count, np.bool_),
    )
    return AnnotatedImage(
        Path(name),
        (10, 10),
        targets,
        "",
        np.zeros(count, np.bool_),
        np.zeros((count, 0), np.bool_),
        image_id,
        frame_index,
    )


def data_set(*images, class_names=("cat",)):
    return AnnotationSet(tuple(images), class_names)
