"""Reader of CelebA's aligned faces and their five landmarks, with the official partition.

Two layouts are read: the authors' text files (a count, a line of names, then values separated by
blanks) and Kaggle's CSV tables. The data are for non-commercial research and don't come with
kpviewer.

Source: Liu et al. 2015, Deep Learning Face Attributes in the Wild (arXiv:1411.7766);
https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from kpviewer.annotations.limits import MAX_IMAGES, check_count, decode_text, read_bounded
from kpviewer.annotations.problems import MALFORMED, Problem, collect_problem
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.annotations.values import inside, number, shorten
from kpviewer.errors import DatasetError
from kpviewer.structures import FloatArray, GroundTruth

LIMIT_MB = 64
"""Largest size of a table, MB; list_landmarks_align_celeba.txt has 9 MB."""
LANDMARKS, PARTITION = "list_landmarks_align_celeba", "list_eval_partition"
IMAGES = "img_align_celeba"
SPLITS = {"train": "0", "val": "1", "test": "2"}
SIZE_WH = (178, 218)
POINT_NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""Names in CelebA's order; left is the viewer's left."""
_FACE_EXTENT = np.array([-1.8, -2.6, 1.8, 2.0], np.float32)
"""Extent of an average face, hairline to chin and ear to ear, relative to the mean of its five
points, in units of their RMS radius. CelebA's own boxes belong to the unaligned images."""


def read_celeba(
    folder: Path | str, split: str | None = None, problems: list[Problem] | None = None
) -> AnnotationSet:
    """Read the aligned faces.

    Args:
        folder: folder with ``img_align_celeba`` and, each .txt or .csv,
            ``list_landmarks_align_celeba`` and ``list_eval_partition``.
        split: train, val or test; None reads all and needs no partition file.
        problems: a list that collects what can't be used and is left out; None raises it instead.

    Returns:
        The set, one face an image. Boxes are derived from the points: they serve for crops, not for
        scores of boxes.

    Raises:
        DatasetError: if something is missing or malformed.
    """
    root = Path(folder)
    if split is not None and split not in SPLITS:
        raise DatasetError(f"CelebA has the splits {', '.join(SPLITS)}, got {split!r}.")
    wanted = None if split is None else _partition(root, SPLITS[split])
    images = root / IMAGES
    if (images / IMAGES).is_dir():  # layout of Kaggle's archive
        images = images / IMAGES
    names: list[Path] = []
    points: list[list[float]] = []
    for where, cells in _table(root, LANDMARKS, 1 + 2 * len(POINT_NAMES), problems):
        if wanted is None or cells[0] in wanted:
            with collect_problem(problems, MALFORMED):
                check_count(len(names) + 1, MAX_IMAGES, "images", root)
                path = inside(images, cells[0], where)
                points.append([number(cell, "a landmark", where) for cell in cells[1:]])
                names.append(path)
    if not names:
        raise DatasetError(f"{root / LANDMARKS} lists no face of the split {split or 'all'}.")
    return AnnotationSet(_faces(names, np.array(points, np.float32)), ("face",), POINT_NAMES)


def _faces(paths: list[Path], flat: FloatArray) -> tuple[AnnotatedImage, ...]:
    """Build the images from (N, 10) landmarks; their arrays are views, to save memory."""
    # CelebA counts whole pixels: the centre of pixel 0 is at 0.5
    points = flat.reshape(-1, len(POINT_NAMES), 2) + np.float32(0.5)
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


def _partition(root: Path, code: str) -> set[str]:
    """Return the names of the images of a split."""
    return {cells[0] for _, cells in _table(root, PARTITION, 2) if cells[1] == code}


def _table(
    root: Path, stem: str, width: int, problems: list[Problem] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Yield the location and the cells (name, then values) of each row of ``stem``.txt or .csv."""
    path = next((root / f"{stem}{end}" for end in (".txt", ".csv")
                 if (root / f"{stem}{end}").is_file()), None)  # fmt: skip
    if path is None:
        raise DatasetError(
            f"{root} must hold {stem}.txt or {stem}.csv, and has neither. Is it CelebA's folder?"
        )
    text = decode_text(read_bounded(path, LIMIT_MB), path, "replace")
    for line, row in enumerate(text.splitlines(), 1):
        cells = row.replace(",", " ").split()
        if not cells or "." not in cells[0]:  # the count, and the line of column names
            continue
        where = f"{path}, line {line}"
        with collect_problem(problems, MALFORMED):
            if len(cells) != width:
                raise DatasetError(
                    f"{where}: a row must be an image's name and {width - 1} values, got "
                    f"{shorten(row)}. Is the file complete?"
                )
        if len(cells) == width:
            yield where, cells
