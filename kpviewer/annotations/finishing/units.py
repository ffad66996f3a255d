"""Units of coordinates: boxes in shares or per cent of the image, where px are expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from kpviewer.annotations.finishing.pixels import describe_object
from kpviewer.annotations.problems import PER_CENT, SHARES, TINY, Problem
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.structures import FloatArray

_SHARE_LIMIT = 1.5
"""Distance from the top left corner within which no box of a real object lies, px."""
_PER_CENT_LIMIT, _MIN_SIDE_PX, _MIN_OBJECTS = 100.0, 200, 3
"""Coordinates up to the first may be per cent, given images and object counts this large."""


def unit_problems(data: AnnotationSet) -> Iterable[Problem]:
    """Yield problems of coordinates that can't be px."""
    shown = [image for image in data.images if len(image.targets)]
    if not shown:
        return
    coordinates = np.concatenate([_coordinates(image) for image in shown])
    largest = float(np.abs(coordinates).max(initial=0.0))
    objects = sum(len(image.targets) for image in shown)
    image = shown[0]
    values = ", ".join(f"{value:g}" for value in _coordinates(image)[:2].ravel())
    where = f"{objects} object{'s' * (objects > 1)}, the first at ({values}) in {image.path.name}"
    if len(coordinates) and largest <= _SHARE_LIMIT:
        yield Problem(SHARES, where)
    else:
        yield from _tiny(shown)
    sides = [side for image in shown for side in image.size_wh]
    if (
        objects >= _MIN_OBJECTS
        and _SHARE_LIMIT < largest <= _PER_CENT_LIMIT
        and min(sides) >= _MIN_SIDE_PX
    ):
        yield Problem(PER_CENT, where, is_error=False)


def _tiny(shown: Iterable[AnnotatedImage]) -> Iterator[Problem]:
    """Yield problems of boxes in shares of the image among others in px."""
    for image in shown:
        xyxy = image.targets.xyxy
        for row in np.flatnonzero(np.abs(xyxy).max(axis=1) <= _SHARE_LIMIT).tolist():
            yield Problem(TINY, describe_object(image, row, xyxy[row]), is_error=False)


def _coordinates(image: AnnotatedImage) -> FloatArray:
    """Return the (N, 2) coordinates of a file: corners, or points if the box is the image."""
    ground_truth = image.targets
    corners = ground_truth.xyxy.reshape(-1, 2)
    is_whole = bool(ground_truth.keypoints_xy.size) and bool(
        (ground_truth.xyxy == np.array([0, 0, *image.size_wh], np.float32)).all()
    )
    return ground_truth.keypoints_xy[image.keypoints_labelled] if is_whole else corners
