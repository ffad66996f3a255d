"""Units of coordinates: boxes in shares or per cent of the image, where px are expected."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from kpviewer.annotations.finishing.pixels import describe_object
from kpviewer.annotations.problems import (
    FAR_AROUND,
    FAR_OUT,
    PER_CENT,
    READ_SHARES,
    SHARES,
    TINY,
    Problem,
)
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.image_files import ImageFileError, read_image_header
from kpviewer.structures import FloatArray

_SHARE_LIMIT = 1.5
"""Distance from the top left corner within which no box of a real object lies, px."""
_LEAST_SHARE = -0.5
"""Least coordinate of a set in shares that are sure to be of the images."""
_PER_CENT_LIMIT, _MIN_SIDE_PX, _MIN_OBJECTS = 100.0, 200, 3
"""Coordinates up to the first may be per cent, given images and object counts this large."""
_MAX_MEASURED = 100
"""Largest number of images whose size is read from their header, as the set doesn't specify it."""
_FAR_OUT = 1.05
"""Largest coordinate of a box in shares of its image, given that it is measured properly."""


def in_px(data: AnnotationSet) -> tuple[AnnotationSet, list[Problem]]:
    """Multiply the coordinates of a set by the sides of the images if all of them are shares.

    Returns:
        The set, and a note; an error and the same set if the size of an image isn't known.
    """
    shown = [image for image in data.images if len(image.targets)]
    if not _are_shares(shown):
        return data, []
    least = min(float(_coordinates(image).min(initial=0.0)) for image in shown)
    sizes = {id(image): _size_wh(image) for image in shown}
    if least < _LEAST_SHARE or (0, 0) in sizes.values():
        return data, [Problem(SHARES, _where(shown))]
    images = tuple(
        _multiplied(image, sizes[id(image)]) if id(image) in sizes else image
        for image in data.images
    )
    return replace(data, images=images), [Problem(READ_SHARES, _where(shown), is_error=False)]


def _size_wh(image: AnnotatedImage) -> tuple[int, int]:
    """Return the annotated size of an image, or that in its header; (0, 0) if neither is known."""
    if image.size_wh != (0, 0):
        return image.size_wh
    try:
        return read_image_header(image.path).size_wh
    except ImageFileError:
        return 0, 0


def _multiplied(image: AnnotatedImage, size_wh: tuple[int, int]) -> AnnotatedImage:
    targets, sides = image.targets, np.array(size_wh, np.float32)
    xyxy = targets.xyxy if _is_whole(image) else targets.xyxy * np.tile(sides, 2)
    keypoints_xy = targets.keypoints_xy * sides
    if (outlines_xy := targets.outlines_xy) is not None:
        outlines_xy = outlines_xy * sides
    targets = replace(
        targets, xyxy=xyxy, keypoints_xy=keypoints_xy, mask_areas=None, outlines_xy=outlines_xy
    )
    return replace(image, targets=targets)


def _are_shares(shown: Sequence[AnnotatedImage]) -> bool:
    """Return whether there are coordinates, and none can be px."""
    if any((np.abs(_coordinates(image)) > _SHARE_LIMIT).any() for image in shown):
        return False
    return any(len(_coordinates(image)) for image in shown)


def _where(shown: Sequence[AnnotatedImage]) -> str:
    """Return the number of objects, and the place of the first."""
    objects, image = sum(len(image.targets) for image in shown), shown[0]
    values = ", ".join(f"{value:g}" for value in _coordinates(image)[:2].ravel())
    return f"{objects} object{'s' * (objects > 1)}, the first at ({values}) in {image.path.name}"


def unit_problems(data: AnnotationSet) -> Iterable[Problem]:
    """Yield problems of coordinates that can't be px; ``in_px`` reports those of whole sets."""
    shown = [image for image in data.images if len(image.targets)]
    if not shown or _are_shares(shown):
        return
    yield from _tiny(shown)
    yield from _points_in_shares(shown)
    measured, sizes_wh = _measured(shown)
    if not measured:
        return
    yield from _far_out(measured, sizes_wh)
    if (
        sum(len(image.targets) for image in shown) >= _MIN_OBJECTS
        and all((np.abs(_coordinates(image)) <= _PER_CENT_LIMIT).all() for image in shown)
        and sizes_wh.min(initial=_MIN_SIDE_PX) >= _MIN_SIDE_PX
    ):
        yield Problem(PER_CENT, _where(shown), is_error=False)


def _measured(shown: Sequence[AnnotatedImage]) -> tuple[list[AnnotatedImage], FloatArray]:
    """Return images of known size, and their (N, 2) sizes; some are read from the headers."""
    known = [image for image in shown if image.size_wh != (0, 0)]
    if known:
        return known, np.array([image.size_wh for image in known], np.float32)
    measured, sizes_wh = [], []
    for image in shown[:: len(shown) // _MAX_MEASURED + 1]:
        if (size_wh := _size_wh(image)) != (0, 0):
            measured.append(image)
            sizes_wh.append(size_wh)
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
    if _is_whole(image):
        return image.targets.keypoints_xy[image.keypoints_labelled]
    return image.targets.xyxy.reshape(-1, 2)


def _is_whole(image: AnnotatedImage) -> bool:
    """Return whether the boxes are the image, as keypoints alone are annotated."""
    is_image = image.targets.xyxy == np.array([0, 0, *image.size_wh], np.float32)
    return bool(image.targets.keypoints_xy.size) and bool(is_image.all())
