"""Images that a set lists several times, and objects that an image has several times."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kpviewer.annotations.problems import LISTED_TWICE, TWICE, Problem
from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.structures import BoolArray, FloatArray, GroundTruth


def merged(
    images: tuple[AnnotatedImage, ...], problems: list[Problem]
) -> tuple[AnnotatedImage, ...]:
    """Merge the objects of images that are listed several times."""
    rows: dict[Path, list[AnnotatedImage]] = {}
    for image in images:
        if image.frame_index is None and image.path.suffix.lower() in IMAGE_SUFFIXES:
            rows.setdefault(image.path, []).append(image)
    merged = {path: _joined(own) for path, own in rows.items() if len(own) > 1}
    problems += [Problem(LISTED_TWICE, str(path), is_error=False) for path in merged]
    found, done = [], set()
    for image in images:
        if image.path not in merged or image.frame_index is not None:
            found.append(image)
        elif image.path not in done:
            done.add(image.path)
            found.append(merged[image.path])
    return tuple(found)


def _joined(images: Sequence[AnnotatedImage]) -> AnnotatedImage:
    return replace(
        images[0],
        targets=GroundTruth.joined([image.targets for image in images]),
        pseudo=np.concatenate([image.pseudo for image in images]),
        keypoints_labelled=np.concatenate([image.keypoints_labelled for image in images]),
        is_partial=any(image.is_partial for image in images),
    )


def without_duplicates(image: AnnotatedImage, problems: list[Problem]) -> AnnotatedImage:
    """Keep the first of objects with the same class, box and points."""
    ground_truth = image.targets
    if len(ground_truth) < 2:
        return image
    outlines = ground_truth.xyxy if ground_truth.outlines_xy is None else ground_truth.outlines_xy
    columns: FloatArray = np.concatenate(
        [
            ground_truth.xyxy,
            outlines.reshape(len(ground_truth), -1),
            ground_truth.keypoints_xy.reshape(len(ground_truth), -1),
            image.keypoints_labelled,
            ground_truth.class_ids[:, None],
            ground_truth.difficult[:, None],
        ],
        axis=1,
        dtype=np.float32,
    )
    first: dict[bytes, int] = {}
    kept: BoolArray = np.array(
        [first.setdefault(line.tobytes(), row) == row for row, line in enumerate(columns)], np.bool_
    )
    if kept.all():
        return image
    for row in np.flatnonzero(~kept).tolist():
        problems.append(Problem(TWICE, f"{image.path}, object {row + 1}", is_error=False))
    return image.take(kept)
