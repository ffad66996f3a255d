"""Comparison of annotated images with their pixels: readable files, sizes, boxes outside."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kpviewer.annotations.finishing.partial import without_partial
from kpviewer.annotations.problems import BOX_OUTSIDE, STORED_SIZE, WRONG_SIZE, Problem, left_out
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.image_files import ImageFileError, may_hold_several, read_image_header
from kpviewer.structures import BoolArray, FloatArray, ImageArray


def with_readable_images(
    data: AnnotationSet,
    read_image: Callable[[Path], ImageArray | None],
    progress: Callable[[], object] = lambda: None,
) -> AnnotationSet:
    """Leave out unreadable images and images with boxes outside; note wrong sizes.

    Args:
        data: any set.
        read_image: return the (H, W, 3) pixels of a file, or None if it is unreadable.
        progress: called after each image.

    Raises:
        DatasetError: if none of the images can be read.
    """
    kept, gone, found = [], [], []
    for image in data.images:
        pixels = None if is_later_page(image) else read_image(image.path)
        if pixels is None:
            gone.append(image)
        else:
            size_wh = (pixels.shape[1], pixels.shape[0])
            found += size_problem(image, size_wh)
            inside, outside = without_outside(image, size_wh)
            found += outside
            kept.append(inside)
        progress()
    notes = []
    if gone:
        notes.append(left_out(len(gone), len(data), "images", "can't be read", _reason(gone[0])))
    if gone and not kept:
        raise DatasetError(f"{notes[0]}. Is the folder of the images right?")
    usable = without_partial(replace(data, images=tuple(kept), notes=(), problems=tuple(found)))
    return replace(
        usable,
        notes=(*data.notes, *notes, *usable.notes),
        problems=(*data.problems, *found),
    )


def is_later_page(image: AnnotatedImage) -> bool:
    """Return whether an entry is of another page or frame of a file than the first, which is read.

    A frame of a video that was saved as an image is alone in its file.
    """
    if not image.frame_index or not may_hold_several(image.path):
        return False
    try:
        return len(read_image_header(image.path).pages) > 1
    except ImageFileError:
        return False


def _reason(image: AnnotatedImage) -> str:
    """Return an image that can't be read, and why, by the header of its file."""
    path = image.path
    if not os.path.isfile(path):
        return f"{path} is missing"
    if is_later_page(image):
        return f"image {image.frame_index} of {path}, whose first, 0, is read alone"
    try:
        read_image_header(path)
    except ImageFileError as error:
        return f"{path} {error}"
    return f"{path} is damaged"


def without_outside(
    image: AnnotatedImage, size_wh: tuple[int, int]
) -> tuple[AnnotatedImage, list[Problem]]:
    """Leave out the boxes outside an image of the given size, px."""
    gone = is_outside(image.targets.xyxy, size_wh)
    if not gone.any():
        return image, []
    problems = [
        Problem(BOX_OUTSIDE, describe_object(image, row, image.targets.xyxy[row]), image=0)
        for row in np.flatnonzero(gone).tolist()
    ]
    return replace(image.take(~gone), is_partial=True), problems


def is_outside(xyxy: FloatArray, size_wh: tuple[int, int]) -> BoolArray:
    """Return which of (N, 4) boxes lie outside an image of the given size, px: (N,)."""
    low, high = xyxy[:, :2], xyxy[:, 2:]
    is_gone: BoolArray = np.any((high <= 0) | (low >= np.array(size_wh, np.float32)), axis=1)
    return is_gone


def size_problem(image: AnnotatedImage, size_wh: tuple[int, int]) -> list[Problem]:
    """Return a problem if the annotated size of an image differs from ``size_wh``, px."""
    annotated_wh = image.size_wh
    if annotated_wh in ((0, 0), size_wh):
        return []
    annotated, actual = (f"{width}x{height}" for width, height in (annotated_wh, size_wh))
    where = f"{image.path}: annotated as {annotated}, but is {actual}"
    what = STORED_SIZE if annotated_wh == size_wh[::-1] else WRONG_SIZE
    return [Problem(what, where, is_error=False)]


def describe_object(image: AnnotatedImage, row: int, values: Sequence[float]) -> str:
    """Return a text that names an object and some of its coordinates."""
    return f"{image.path}, object {row + 1}: {', '.join(f'{value:g}' for value in values)}"
