"""Units of coordinates: boxes in shares or per cent of the image, where px are expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kpviewer.annotations.finishing.pixels import describe_object
from kpviewer.annotations.problems import FAR_AROUND, FAR_OUT, PER_CENT, SHARES, TINY, Problem
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.image_files import ImageFileError, read_image_header
from kpviewer.structures import FloatArray

_SHARE_LIMIT = 1.5
"""Distance from the top left corner within which no box of a real object lies, px."""
_PER_CENT_LIMIT, _MIN_SIDE_PX, _MIN_OBJECTS = 100.0, 200, 3
"""Coordinates up to the first may be per cent, given images and object counts this large."""
_MAX_MEASURED = 100
"""Largest number of images whose size is read from their header, as the set doesn't specify it."""
_FAR_OUT = 1.05
"""Largest coordinate of a box in shares of its image, given that it is measured properly."""


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
        return
    yield from _tiny(shown)
    yield from _points_in_shares(shown)
    measured, sizes_wh = _measured(shown)
    if not measured:
        return
    yield from _far_out(measured, sizes_wh)
    if (
        objects >= _MIN_OBJECTS
        and largest <= _PER_CENT_LIMIT
        and sizes_wh.min(initial=_MIN_SIDE_PX) >= _MIN_SIDE_PX
    ):
        yield Problem(PER_CENT, where, is_error=False)


def _measured(shown: Sequence[AnnotatedImage]) -> tuple[list[AnnotatedImage], FloatArray]:
    """Return images of known size, and their (N, 2) sizes; some are read from the headers."""
    known = [image for image in shown if image.size_wh != (0, 0)]
    if known:
        return known, np.array([image.size_wh for image in known], np.float32)
    measured, sizes_wh = [], []
    for image in shown[:: len(shown) // _MAX_MEASURED + 1]:
        try:
            sizes_wh.append(read_image_header(image.path).size_wh)
        except ImageFileError:
            continue
        measured.append(image)
    return measured, np.array(sizes_wh, np.float32).reshape(-1, 2)


def _far_out(measured: Sequence[AnnotatedImage], sizes_wh: FloatArray) -> Iterator[Problem]:
    """Yield a problem if all boxes look like two corners that were read otherwise.

    They were read as corner and sides, or as centre and sides.
    """
    counts = [len(image.targets) for image in measured]
    xyxy = np.concatenate([image.targets.xyxy for image in measured])
    left_top, right_bottom = xyxy[:, :2], xyxy[:, 2:]
    limits, sides = np.repeat(sizes_wh, counts, axis=0), right_bottom - left_top
    is_out = (right_bottom > limits * _FAR_OUT).any(axis=1)
    is_around = is_out | (left_top < limits * (1 - _FAR_OUT)).any(axis=1)
    centres = (left_top + right_bottom) / 2
    if is_out.any() and (sides > left_top).all():
        what = FAR_OUT
    elif is_around.any() and ((sides > centres) & (sides <= limits)).all():
        what, is_out = FAR_AROUND, is_around
    else:
        return
    row = int(is_out.argmax())
    at = int(np.searchsorted(np.cumsum(counts), row, side="right"))
    image, row = measured[at], row - sum(counts[:at])
    yield Problem(what, describe_object(image, row, image.targets.xyxy[row]), is_error=False)


def _tiny(shown: Iterable[AnnotatedImage]) -> Iterator[Problem]:
    """Yield problems of boxes in shares of the image among others in px."""
    for image in shown:
        xyxy = image.targets.xyxy
        for row in np.flatnonzero(np.abs(xyxy).max(axis=1) <= _SHARE_LIMIT).tolist():
            yield Problem(TINY, describe_object(image, row, xyxy[row]), is_error=False)


def _points_in_shares(shown: Iterable[AnnotatedImage]) -> Iterator[Problem]:
    """Yield a problem if all keypoints lie at the corner of their image, and none in its box."""
    count, first = 0, ""
    for image in shown:
        labelled = image.keypoints_labelled
        xy = image.targets.keypoints_xy
        if (np.abs(xy[labelled]) > _SHARE_LIMIT).any():
            return
        xyxy = image.targets.xyxy[:, None]
        is_out = ((xy < xyxy[..., :2]) | (xy > xyxy[..., 2:])).any(axis=-1) & labelled
        count += int(is_out.sum())
        if not first and is_out.any():
            row, point = np.argwhere(is_out)[0].tolist()
            first = describe_object(image, row, xy[row, point])
    if count:
        yield Problem(SHARES, f"{count} keypoint{'s' * (count > 1)}, the first of {first}")


def _coordinates(image: AnnotatedImage) -> FloatArray:
    """Return the (N, 2) coordinates of a file: corners, or points if the box is the image."""
    ground_truth = image.targets
    corners = ground_truth.xyxy.reshape(-1, 2)
    is_whole = bool(ground_truth.keypoints_xy.size) and bool(
        (ground_truth.xyxy == np.array([0, 0, *image.size_wh], np.float32)).all()
    )
    return ground_truth.keypoints_xy[image.keypoints_labelled] if is_whole else corners
