"""Small annotated sets for the tests of this folder."""

from pathlib import Path

import numpy as np
from sample_results import objects

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet


def image(name, class_ids=(0,), image_id="", frame_index=None):
    """Return an image with one box for each class id; box i begins at (i, i)."""
    count = len(class_ids)
    boxes = np.arange(count, dtype=np.float32)[:, None] + np.array([0, 0, 5, 5], np.float32)
    targets = objects(boxes, class_ids)
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
