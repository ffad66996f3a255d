"""Reader of CelebA's aligned faces and their five landmarks, with the official partition.

``tables`` knows the layouts. The data are for non-commercial research and don't come with
kpviewer.

Source: Liu et al. 2015, Deep Learning Face Attributes in the Wild (arXiv:1411.7766);
https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""

from pathlib import Path

import numpy as np

from kpviewer.annotations.formats.celeba.tables import (
    FIRST_PX,
    LANDMARKS,
    POINT_NAMES,
    images_folder,
    images_of_split,
    read_table,
)
from kpviewer.annotations.limits import MAX_IMAGES, check_count
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems
from kpviewer.annotations.reading.image_search import ImageSearch
from kpviewer.annotations.reading.values import number
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.structures import FloatArray, GroundTruth

IMAGES = "img_align_celeba"
SIZE_WH = (178, 218)
_FACE_EXTENT = np.array([-1.8, -2.6, 1.8, 2.0], np.float32)
"""Extent of an average face, hairline to chin and ear to ear, relative to the mean of its five
points, in units of their RMS radius. CelebA's own boxes belong to the unaligned images."""


def read_celeba(
    folder: Path | str, split: str | None = None, problems: Problems = STRICT
) -> AnnotationSet:
    """Read the aligned faces.

    Args:
        folder: folder with ``img_align_celeba`` and, each .txt or .csv,
            ``list_landmarks_align_celeba`` and ``list_eval_partition``; or with the authors'
            ``Img``, ``Anno`` and ``Eval``, which hold them.
        split: train, val or test; None reads all and needs no partition file.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set, one face an image. Boxes are derived from the points: they serve for crops, not for
        scores of boxes.

    Raises:
        DatasetError: if something is missing or malformed.
    """
    root = Path(folder)
    wanted = images_of_split(root, split)
    images = ImageSearch([images_folder(root, IMAGES)])
    names: list[Path] = []
    points: list[list[float]] = []
    for where, cells in read_table(root, LANDMARKS).rows(1 + 2 * len(POINT_NAMES), problems):
        if wanted is None or cells[0] in wanted:
            with problems.collected(MALFORMED):
                check_count(len(names) + 1, MAX_IMAGES, "images", root)
                path = images.find(cells[0], where)
                points.append([number(cell, "a landmark", where) for cell in cells[1:]])
                names.append(path)
    if not names:
        raise DatasetError(f"{root / LANDMARKS} lists no face of the split {split or 'all'}.")
    return AnnotationSet(_faces(names, np.array(points, np.float32)), ("face",), POINT_NAMES)


def _faces(paths: list[Path], flat: FloatArray) -> tuple[AnnotatedImage, ...]:
    """Build the images from (N, 10) landmarks; their arrays are views, to save memory."""
    points = flat.reshape(-1, len(POINT_NAMES), 2) + np.float32(FIRST_PX)
    centre = points.mean(1)
    radius = np.sqrt(((points - centre[:, None]) ** 2).sum(-1).mean(-1, keepdims=True))
    limit = np.array(SIZE_WH * 2, np.float32)
    boxes = np.clip(np.concatenate([centre, centre], 1) + radius * _FACE_EXTENT, 0, limit)
    known, no_flag = np.ones((1, len(POINT_NAMES)), np.bool_), np.zeros(1, np.bool_)
    class_ids = np.zeros(1, np.int64)
    return tuple(
        AnnotatedImage(
            path=path,
            size_wh=SIZE_WH,
            targets=GroundTruth(
                boxes[row : row + 1], class_ids, points[row : row + 1], known, no_flag
            ),
            source="CelebA",
            pseudo=no_flag,
            keypoints_labelled=known,
            image_id=path.name,
        )
        for row, path in enumerate(paths)
    )
