"""Checks of data sets before a training run: all problems and their locations.

Images are decoded: a truncated file has a valid header, but would stop the training later. Files
that might be copies of each other are hashed.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kpviewer.annotations.derived.classes import normalised_name
from kpviewer.annotations.derived.keypoints import in_names_of
from kpviewer.annotations.finishing.pixels import (
    describe_object,
    is_later_page,
    is_outside,
    size_problem,
)
from kpviewer.annotations.problems import (
    BOX_OUTSIDE,
    BOX_REACHES_OUT,
    COPY,
    HOW_READ,
    MISSING,
    NO_IMAGES,
    NO_OBJECTS,
    NO_OBJECTS_OF_CLASS,
    NO_SET,
    OTHER_NAMES,
    POINT_OUTSIDE,
    SAME_SET,
    SEVERAL,
    SHARES,
    UNKNOWN_CLASS,
    UNREADABLE,
    Problem,
    Problems,
)
from kpviewer.annotations.reading.values import listed
from kpviewer.annotations.spec import LoadedSpec, read_annotations
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.image_files import (
    IMAGE_SUFFIXES,
    OTHER_IMAGE_SUFFIXES,
    ImageFileError,
    may_hold_several,
    read_image_header,
)
from kpviewer.structures import BoolArray
from kpviewer.system.paths import file_digest

SLACK_PX = 1.0
"""Distance by which a box may exceed the image, px; tools that count from 1 exceed it by 1."""

CanDecode = Callable[[Path], bool]


@dataclass(frozen=True, slots=True)
class CheckedSet:
    """A data set and its problems."""

    spec: str
    problems: tuple[Problem, ...]
    annotations: AnnotationSet | None
    """Usable images, objects and points; None if the set can't be read at all."""
    images: int
    """Number of images before any were left out."""

    @property
    def errors(self) -> int:
        """Number of problems that stop training from starting."""
        return sum(problem.is_error for problem in self.problems)

    @property
    def usable_spec(self) -> str:
        """Specification that reads as the set without its bad entries.

        Raises:
            DatasetError: if nothing in it is usable.
        """
        if self.annotations is None or not self.annotations.images:
            raise DatasetError(f"{self.spec} has no usable image left. Fix the data.")
        return LoadedSpec(self.spec, self.annotations)


def check_sets(
    training: Sequence[str],
    validation: str | None = None,
    *,
    can_decode: CanDecode | None = None,
    progress: Callable[[], object] = lambda: None,
) -> list[CheckedSet]:
    """Check the training and validation data of a run.

    Args:
        training: specifications of the sets (``annotations.spec``), at least one.
        validation: specification of the validation set.
        can_decode: return whether a file can be decoded; None checks only its header.
        progress: called after each image.

    Returns:
        The sets in order, the validation set last.
    """
    specs = [*training, *([validation] if validation is not None else [])]
    checked = [_check_set(spec, can_decode, progress) for spec in specs]
    parts = checked[: len(training)]
    validation_set = checked[-1] if validation is not None else None
    parts[1:] = [_in_names_of(one, parts[0].annotations) for one in parts[1:]]
    parts[0] = _with(parts[0], *_without_objects(parts))
    if validation_set is None:
        return parts
    names = [one.annotations.class_names for one in parts if one.annotations is not None]
    validation_set = _known_classes(validation_set, {name for own in names for name in own})
    lacking = [each for each in _without_objects([validation_set]) if each.is_error]
    validation_set = _with(validation_set, *lacking)
    if validation in training:  # on purpose: tests whether a network can learn its data
        return [
            *parts,
            _with(validation_set, Problem(SAME_SET, validation_set.spec, is_error=False)),
        ]
    if validation_set.annotations is not None:
        copies = _copies([one.annotations for one in parts], validation_set.annotations)
        parts = [_without_copies(one, copies) for one in parts]
    return [*parts, validation_set]


def _check_set(
    spec: str, can_decode: CanDecode | None, progress: Callable[[], object]
) -> CheckedSet:
    problems = Problems()
    try:
        data = read_annotations(spec, problems)
    except DatasetError as error:
        return CheckedSet(spec, (*problems, Problem(NO_SET, str(error))), None, 0)
    problems += [Problem(HOW_READ, note, is_error=False) for note in data.notes]
    if not data.images:
        problems.append(Problem(NO_IMAGES, spec))
    if any(problem.what == SHARES for problem in problems):  # nothing to train on is left
        return CheckedSet(spec, tuple(problems), None, len(data.images))
    kept = []
    for image in data.images:
        good = _checked_image(image, can_decode, problems)
        kept += [good] if good is not None else []
        progress()
    good_set = replace(data, images=tuple(kept))
    return CheckedSet(spec, tuple(problems), good_set, len(data.images))


def _checked_image(
    image: AnnotatedImage, can_decode: CanDecode | None, problems: list[Problem]
) -> AnnotatedImage | None:
    """Collect the problems of one image; return it without them, or None if unusable."""
    if not os.path.isfile(image.path):
        problems.append(Problem(MISSING, str(image.path)))
        return None
    size = image.size_wh
    suffix = image.path.suffix.lower()
    if suffix in IMAGE_SUFFIXES | OTHER_IMAGE_SUFFIXES:  # videos are left to the decoder
        header = header_size_wh(image.path)
        if not (header is not None if can_decode is None else can_decode(image.path)):
            problems.append(Problem(UNREADABLE, str(image.path)))
            return None
        if header is not None:
            problems += size_problem(image, header)
            problems += _several(image.path)
            if is_later_page(image):
                problems.append(Problem(UNREADABLE, f"{image.path}, image {image.frame_index}"))
                return None
        size = header or size
    return image if size == (0, 0) else _checked_objects(image, size, problems)


def _checked_objects(
    image: AnnotatedImage, size_wh: tuple[int, int], problems: list[Problem]
) -> AnnotatedImage:
    """Leave out boxes outside the image; unlabel points outside it."""
    ground_truth, limit = image.targets, np.array(size_wh, np.float32)
    low, high = ground_truth.xyxy[:, :2], ground_truth.xyxy[:, 2:]
    gone = is_outside(ground_truth.xyxy, size_wh)
    reaches = ((low < -SLACK_PX) | (high > limit + SLACK_PX)).any(1) & ~gone
    for what, rows in ((BOX_OUTSIDE, gone), (BOX_REACHES_OUT, reaches)):
        for row in np.flatnonzero(rows).tolist():
            where = describe_object(image, row, ground_truth.xyxy[row])
            problems.append(Problem(what, where, what is BOX_OUTSIDE))
    xy = ground_truth.keypoints_xy
    far = np.asarray(((xy < -SLACK_PX) | (xy > limit + SLACK_PX)).any(-1), np.bool_)  # (N, K)
    far &= image.keypoints_labelled
    for row, point in np.argwhere(far & ~gone[:, None]).tolist():
        # a covered point may lie beyond the edge; a visible one can't
        seen = bool(ground_truth.keypoints_visible[row, point])
        problems.append(Problem(POINT_OUTSIDE, describe_object(image, row, xy[row, point]), seen))
    if not (gone.any() or (far & ground_truth.keypoints_visible).any()):
        return image
    return _without(image, gone, far & ground_truth.keypoints_visible)


def _without(image: AnnotatedImage, gone: BoolArray, unknown: BoolArray) -> AnnotatedImage:
    """Return the image without (N,) objects and with (N, K) points unlabelled."""
    known = replace(
        image,
        targets=replace(
            image.targets, keypoints_visible=image.targets.keypoints_visible & ~unknown
        ),
        keypoints_labelled=image.keypoints_labelled & ~unknown,
    )
    return known.take(~gone)


def _several(path: Path) -> list[Problem]:
    pages = len(read_image_header(path).pages) if may_hold_several(path) else 1
    return [Problem(SEVERAL, f"{path}: {pages} images", is_error=False)] if pages > 1 else []


def header_size_wh(path: Path) -> tuple[int, int] | None:
    """Return the displayed size of an image from its header; None if unknown."""
    try:
        return read_image_header(path).size_wh
    except ImageFileError:
        return None


def _without_objects(parts: Sequence[CheckedSet]) -> Iterator[Problem]:
    """Yield a problem if no set has an object, else a note for each class without one."""
    sets = [one.annotations for one in parts if one.annotations is not None]
    images = [image for own in sets for image in own.images]
    counted = [image.targets.class_ids[~image.targets.difficult] for image in images]
    used = {class_id for ids in counted for class_id in ids.tolist()}
    if not used:
        if sets:  # else no set can be read, which is reported
            yield Problem(NO_OBJECTS, parts[0].spec)
        return
    for class_id, name in enumerate(sets[0].class_names):
        if class_id not in used:
            yield Problem(NO_OBJECTS_OF_CLASS, name, is_error=False)


def _with(one: CheckedSet, *problems: Problem) -> CheckedSet:
    return replace(one, problems=(*one.problems, *problems))


def _in_names_of(one: CheckedSet, first: AnnotationSet | None) -> CheckedSet:
    """Number the classes and keypoints of a training set as the first; add a problem if it can't.

    Sets of VOC and tables have no classes but those of their objects, in alphabetical order.
    """
    own = one.annotations
    if first is None or own is None:
        return one
    if (same := in_names_of(own, first)) is not None:
        return replace(one, annotations=same)
    names = listed(own.class_names + own.keypoint_names)
    return _with(one, Problem(OTHER_NAMES, f"{one.spec}: {names}"))


def _known_classes(validation_set: CheckedSet, known: set[str]) -> CheckedSet:
    """Leave out validation objects whose class isn't trained; two single classes always match."""
    data = validation_set.annotations
    if data is None or len(known) == len(data.class_names) == 1:
        return validation_set
    folded = {normalised_name(name) for name in known}
    strange = [i for i, name in enumerate(data.class_names) if normalised_name(name) not in folded]
    problems, images = [], data.images
    for class_id in strange:
        count = sum(int((image.targets.class_ids == class_id).sum()) for image in data.images)
        if count:
            where = f"{validation_set.spec}: {data.class_names[class_id]!r}, {count} objects"
            problems.append(Problem(UNKNOWN_CLASS, where))
    if problems:
        images = tuple(_without_classes(image, strange) for image in images)
    return replace(_with(validation_set, *problems), annotations=replace(data, images=images))


def _without_classes(image: AnnotatedImage, class_ids: Sequence[int]) -> AnnotatedImage:
    gone = np.isin(image.targets.class_ids, class_ids)
    return _without(image, gone, np.zeros_like(image.keypoints_labelled)) if gone.any() else image


def _copies(
    parts: Sequence[AnnotationSet | None], validation_set: AnnotationSet
) -> dict[Path, Path]:
    """Return the training images that are byte-identical to a validation image."""
    by_size: dict[int, list[Path]] = {}
    for path in {image.path for image in validation_set.images}:
        by_size.setdefault(path.stat().st_size, []).append(path)
    digests: dict[int, dict[bytes, Path]] = {}
    found: dict[Path, Path] = {}
    for path in {image.path for part in parts if part is not None for image in part.images}:
        size = path.stat().st_size
        if size not in by_size:
            continue
        if size not in digests:
            digests[size] = {file_digest(other): other for other in sorted(by_size[size])}
        if (other := digests[size].get(file_digest(path))) is not None:
            found[path] = other
    return found


def _without_copies(one: CheckedSet, copies: dict[Path, Path]) -> CheckedSet:
    """Leave out training images that are also in validation."""
    if one.annotations is None or not copies:
        return one
    kept = tuple(image for image in one.annotations.images if image.path not in copies)
    twice = dict.fromkeys(i.path for i in one.annotations.images if i.path in copies)
    problems = [Problem(COPY, f"{path} = {copies[path]}") for path in twice]
    return replace(_with(one, *problems), annotations=replace(one.annotations, images=kept))
