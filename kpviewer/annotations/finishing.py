"""Post-processing of data sets after reading, independent of their format.

Names are matched to existing files, duplicates are removed, and problems of the set as a whole are
reported.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from kpviewer.annotations.fitting import fit_names
from kpviewer.annotations.problems import (
    BOX_OUTSIDE,
    FITTED,
    LISTED_TWICE,
    NO_AREA,
    PER_CENT,
    SHARES,
    TINY,
    TWICE,
    UNLISTED,
    WRONG_SIZE,
    Problem,
    is_left_out,
    left_out,
    problem_notes,
)
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.structures import BoolArray, FloatArray, ImageArray

_SHARE_LIMIT = 1.5
"""Distance from the top left corner within which no box of a real object lies, px."""
_PER_CENT_LIMIT, _MIN_SIDE_PX, _MIN_OBJECTS = 100.0, 200, 3
"""Coordinates up to the first may be per cent, given images and object counts this large."""
_LEVELS_UP = 12
"""Number of folders above a missing image; the nearest that exists is searched."""


def finish(
    data: AnnotationSet, problems: list[Problem] | None, *, is_whole: bool = True
) -> AnnotationSet:
    """Match names to files and remove duplicates.

    Args:
        data: the set that a reader returned.
        problems: a list that collects changes and suspected mistakes; None discards them.
        is_whole: whether the set should list all images of its folders.
    """
    found: list[Problem] = []
    files = _Folders()
    images = _with_files(_marked(data.images, problems or ()), files, found)
    images = _merged(images, found)
    images = tuple(_without_duplicates(image, found) for image in images)
    data = replace(data, images=images)
    if problems is not None:
        alone = list(_unlisted(images, files)) if is_whole else []
        if len(alone) <= sum(problem.is_error for problem in problems):
            alone = []  # these images have unusable entries
        problems += [*found, *_units(data), *alone]
    return data


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
        pixels = read_image(image.path)
        if pixels is None:
            gone.append(image.path)
        else:
            size_wh = (pixels.shape[1], pixels.shape[0])
            found += size_problem(image, size_wh)
            inside, outside = without_outside(image, size_wh)
            found += outside
            kept.append(inside)
        progress()
    notes = []
    if gone:
        first = f"{gone[0]} is missing" if not os.path.isfile(gone[0]) else f"{gone[0]} is damaged"
        notes.append(left_out(len(gone), len(data), "images", "can't be read", first))
    if gone and not kept:
        raise DatasetError(f"{notes[0]}. Is the folder of the images right?")
    usable = without_partial(replace(data, images=tuple(kept), notes=(), problems=tuple(found)))
    return replace(
        usable,
        notes=(*data.notes, *notes, *usable.notes),
        problems=(*data.problems, *found),
    )


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


def describe_object(image: AnnotatedImage, row: int, values: Sequence[float]) -> str:
    """Return a text that names an object and some of its coordinates."""
    return f"{image.path}, object {row + 1}: {', '.join(f'{value:g}' for value in values)}"


def size_problem(image: AnnotatedImage, size_wh: tuple[int, int]) -> list[Problem]:
    """Return a problem if the annotated size of an image differs from ``size_wh``, px."""
    annotated_wh = image.size_wh
    if annotated_wh in ((0, 0), size_wh):
        return []
    annotated, actual = (f"{width}x{height}" for width, height in (annotated_wh, size_wh))
    where = f"{image.path}: annotated as {annotated}, but is {actual}"
    return [Problem(WRONG_SIZE, where, is_error=False)]


class _Folders:
    """Images by folder; each folder is listed once."""

    def __init__(self) -> None:
        self._listed: dict[Path, list[Path]] = {}

    def images(self, folder: Path) -> list[Path]:
        """Return the images of a folder; none if it can't be listed."""
        if folder not in self._listed:
            try:
                inside = sorted(folder.iterdir())
            except OSError:
                inside = []
            self._listed[folder] = [
                path for path in inside
                if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
            ]  # fmt: skip
        return self._listed[folder]


def _marked(
    images: tuple[AnnotatedImage, ...], problems: Iterable[Problem]
) -> tuple[AnnotatedImage, ...]:
    """Mark the images that lost objects; a box without area hides no visible object."""
    partial = {each.image for each in problems if each.image is not None and each.what != NO_AREA}
    if not partial:
        return images
    return tuple(
        replace(image, is_partial=True) if row in partial else image
        for row, image in enumerate(images)
    )


def without_partial(data: AnnotationSet) -> AnnotationSet:
    """Leave out images with an unusable object, with a note on all that is left out.

    A detection of the unusable object would count as a false positive. These images are kept if no
    other image has objects.
    """
    whole = tuple(image for image in data.images if not image.is_partial)
    lost = [each for each in data.problems if is_left_out(each)]
    others = sum(each.image is None for each in lost)
    count, total = len(data) - len(whole) + others, len(data) + others
    if not any(len(image.targets) for image in whole):
        whole = data.images
        kept = sum(len(each.targets) or not each.is_partial for each in whole)
        count, total = len(lost), len(lost) + kept
    notes = problem_notes(data.problems, count, total)
    return replace(data, images=whole, notes=(*notes, *data.notes))


def _with_files(
    images: tuple[AnnotatedImage, ...], files: _Folders, problems: list[Problem]
) -> tuple[AnnotatedImage, ...]:
    """Replace the paths of missing images by those of the matching files."""
    gone = {path for path in {image.path for image in images} if not os.path.isfile(path)}
    missing = [row for row, image in enumerate(images) if image.path in gone]
    if not missing:
        return images
    used = {image.path for image in images}
    parents = dict.fromkeys(images[row].path.parent for row in missing)
    folders = dict.fromkeys(folder for parent in parents for folder in _likely_folders(parent))
    candidates = [path for folder in folders for path in files.images(folder) if path not in used]
    fitted = fit_names([images[row].path for row in missing], candidates)
    found = list(images)
    for missing_row, candidate_row in fitted.items():
        row, file = missing[missing_row], candidates[candidate_row]
        name = f"{images[row].path.name!r} is {file.name!r}"
        if images[row].path.name == file.name:
            name = f"{images[row].path} is {file}"
        problems.append(Problem(FITTED, name, is_error=False))
        found[row] = replace(images[row], path=file)
    return tuple(found)


def _likely_folders(parent: Path) -> Iterator[Path]:
    """Yield folders that may hold the images that are missing from a folder.

    The first is the nearest existing folder above (never the root). Folders inside it that the end
    of the path names follow.
    """
    above = [folder for folder in (parent, *parent.parents) if folder.parent != folder]
    nearest = next((folder for folder in above[:_LEVELS_UP] if folder.is_dir()), None)
    if nearest is not None:
        ends = parent.relative_to(nearest).parts
        yield nearest
        for start in range(1, len(ends)):
            if (inside := nearest.joinpath(*ends[start:])).is_dir():
                yield inside
        if (inside := nearest / "images").is_dir():
            yield inside


def _merged(
    images: tuple[AnnotatedImage, ...], problems: list[Problem]
) -> tuple[AnnotatedImage, ...]:
    """Merge the objects of images that are listed several times."""
    rows: dict[Path, list[AnnotatedImage]] = {}
    for image in images:
        if image.frame_index is None and image.path.suffix.lower() in IMAGE_SUFFIXES:
            rows.setdefault(image.path, []).append(image)
    if all(len(own) == 1 for own in rows.values()):
        return images
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
    parts = [image.targets for image in images]
    return replace(
        images[0],
        targets=replace(
            parts[0],
            xyxy=np.concatenate([part.xyxy for part in parts]),
            class_ids=np.concatenate([part.class_ids for part in parts]),
            keypoints_xy=np.concatenate([part.keypoints_xy for part in parts]),
            keypoints_visible=np.concatenate([part.keypoints_visible for part in parts]),
            difficult=np.concatenate([part.difficult for part in parts]),
        ),
        pseudo=np.concatenate([image.pseudo for image in images]),
        keypoints_labelled=np.concatenate([image.keypoints_labelled for image in images]),
        is_partial=any(image.is_partial for image in images),
    )


def _without_duplicates(image: AnnotatedImage, problems: list[Problem]) -> AnnotatedImage:
    """Keep the first of objects with the same class, box and points."""
    ground_truth = image.targets
    if len(ground_truth) < 2:
        return image
    columns: FloatArray = np.concatenate(
        [
            ground_truth.xyxy,
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


def _units(data: AnnotationSet) -> Iterable[Problem]:
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


def _unlisted(images: Sequence[AnnotatedImage], files: _Folders) -> Iterable[Problem]:
    """Yield a problem for each image beside those of a set."""
    used = {image.path for image in images}
    for folder in dict.fromkeys(image.path.parent for image in images):
        for path in files.images(folder):
            if path not in used:
                yield Problem(UNLISTED, str(path), is_error=False)
