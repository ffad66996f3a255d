"""Reader of YOLO text labels: boxes, and keypoints in the pose format.

A line an object: its class, then middle and sides of its box in shares of the picture's sides, then
``x y`` or ``x y v`` for each point where ``data.yaml`` has ``kpt_shape``. Polygons become boxes.
Format: https://docs.ultralytics.com/datasets/pose/
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kpviewer.annotations.label_files import paired
from kpviewer.annotations.limits import check_keypoints, read_bounded
from kpviewer.annotations.pictures import size_of_picture
from kpviewer.annotations.problems import MALFORMED, Problem, box_problem, told
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.annotations.values import number, shorten
from kpviewer.annotations.yolo_yaml import YoloNames, read_yolo_yaml
from kpviewer.errors import DatasetError
from kpviewer.image_files import is_image
from kpviewer.structures import FloatArray, Targets

LIMIT_MB = 16
_SLACK = 0.01
"""How far beyond the picture a share may lie, as others allow too."""
_COVERED, _VISIBLE = 1, 2
_NAMES = ("data.yaml", "data.yml", "dataset.yaml")
_LISTS = ("classes.txt", "labels/classes.txt", "obj.names")


@dataclass(frozen=True, slots=True)
class _Object:
    class_id: int
    shares: tuple[float, float, float, float]
    """Left, top, right, bottom."""
    points: tuple[tuple[float, float, float], ...]
    """x, y in shares, and visibility: 0 unknown, 1 covered, 2 in sight."""


def read_yolo(
    folder: Path | str, split: str | None = None, problems: list[Problem] | None = None
) -> AnnotationSet:
    """Read a folder of YOLO labels.

    Args:
        folder: with ``images`` and ``labels`` inside (or ``SPLIT/images`` and ``SPLIT/labels``),
            where a picture without a file of labels shows nothing; or one that holds text files
            beside their pictures, as LabelImg leaves it, where such a picture isn't in the set.
        split: a folder in ``images``, or one that holds ``images``; None reads all.
        problems: with a list, what can't be used is told there and left out.

    Returns:
        The set; classes in the order of ``data.yaml`` or ``classes.txt``, else named by number.

    Raises:
        DatasetError: if something is missing or malformed. Boxes without area are left out and
            counted in ``notes``.
    """
    root = Path(folder)
    pictures = _pictures(root, split)
    if not pictures:
        raise DatasetError(
            f"{root} must hold images and labels, or .txt files beside pictures; got none. "
            "Check the folder."
        )
    names = _names(root)
    skipped: Counter[str] = Counter()
    images: list[AnnotatedImage] = []
    most, count = -1, 0
    for picture, labels in paired(pictures, problems):
        with told(problems, MALFORMED):
            size_wh = size_of_picture(picture, labels)
            objects = _read_objects(labels, names, (skipped, problems), len(images))
            most = max([most, *(found.class_id for found in objects)])
            count += len(objects)
            check_keypoints(count, _points_of(names), root)
            images.append(_annotated(picture, size_wh, objects, _points_of(names)))
    class_names = names.class_names or tuple(str(number) for number in range(most + 1))
    count = _points_of(names)
    points = names.keypoint_names or tuple(str(index + 1) for index in range(count))
    counted = skipped.items() if problems is None else ()  # else the problems have them
    notes = tuple(f"{count} objects left out: {why}" for why, count in counted)
    return AnnotationSet(tuple(images), class_names, points, notes=notes)


def _points_of(names: YoloNames) -> int:
    return names.kpt_shape[0] if names.kpt_shape else 0


def _pictures(root: Path, split: str | None) -> list[tuple[Path, Path]]:
    """Pair pictures with the files of their labels, which may be missing."""
    if split is not None:
        known = {each.name for each in (root / "images").glob("*") if each.is_dir()}
        known |= {each.parent.name for each in root.glob("*/images")}
        if split not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise DatasetError(f"{root} has no split {split!r}; it has: {listed}.")
        places = [root / "images" / split, root / split / "images"]
    else:
        places = [root / "images", *sorted(root.glob("*/images"))]
    found = []
    for place in (each for each in places if each.is_dir()):
        images = next(each for each in (place, *place.parents) if each.name == "images")
        for picture in _files(place.rglob("*")):
            inside = picture.relative_to(images)
            found.append((picture, (images.parent / "labels" / inside).with_suffix(".txt")))
    if found or split is not None:
        return found
    beside = [(path, path.with_suffix(".txt")) for path in _files(root.glob("*"))]
    return [(picture, labels) for picture, labels in beside if labels.is_file()]


def _files(paths: Iterable[Path]) -> list[Path]:
    return sorted(path for path in paths if is_image(path))


def _names(root: Path) -> YoloNames:
    """Read the names from the first file that has them, in the folder or above a split."""
    for name in _NAMES:
        if (root / name).is_file():
            names = read_yolo_yaml(root / name)
            if names.class_names:
                return names
    for name in _LISTS:
        if (root / name).is_file():
            try:
                text = read_bounded(root / name, LIMIT_MB).decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise DatasetError(f"{root / name} must be UTF-8: {error}.") from error
            return YoloNames(tuple(line.strip() for line in text.splitlines() if line.strip()))
    return YoloNames()


def _read_objects(
    labels: Path,
    names: YoloNames,
    left_out: tuple[Counter[str], list[Problem] | None],
    image: int,
) -> list[_Object]:
    """Read the file of an image; ``left_out`` counts objects without area and takes problems."""
    if not os.path.lexists(labels):
        return []
    skipped, problems = left_out
    text = read_bounded(labels, LIMIT_MB).decode("utf-8", "replace")
    if "\0" in text:
        raise DatasetError(f"{labels} must be text, got binary data. Save the labels again.")
    objects = []
    for line, words in enumerate((line.split() for line in text.splitlines()), 1):
        if not words:
            continue
        where = f"{labels}, line {line}"
        with told(problems, MALFORMED, image):
            found = _read_object(words, names, where)
            wrong = box_problem(found.shares)
            if wrong is None:
                objects.append(found)
                continue
            skipped["boxes without area"] += 1
            if problems is not None:
                problems.append(Problem(wrong, where, image=image))
    return objects


def _read_object(words: list[str], names: YoloNames, where: str) -> _Object:
    class_id = int(words[0]) if words[0].isascii() and words[0].isdigit() else -1
    limit = len(names.class_names) or 10_000
    if not 0 <= class_id < limit:
        raise DatasetError(
            f"{where}: the class must be a number below {limit}, got {shorten(words[0])}. "
            "Does the list of classes belong to these labels?"
        )
    values = [number(word, "a share", where) for word in words[1:]]
    if names.kpt_shape is not None and len(values) == 4 + names.kpt_shape[0] * names.kpt_shape[1]:
        return _Object(class_id, _box(values[:4], where), _points(values[4:], names.kpt_shape))
    if len(values) in (4, 5):  # 5: with a score, as predictions have it
        unknown = ((0.0, 0.0, 0.0),) * _points_of(names)
        return _Object(class_id, _box(values[:4], where), unknown)
    if names.kpt_shape is None and len(values) >= 6 and len(values) % 2 == 0:
        x, y = _shares(values[::2], where), _shares(values[1::2], where)
        return _Object(class_id, (min(x), min(y), max(x), max(y)), ())
    raise DatasetError(
        f"{where}: {len(words)} numbers are no box, polygon or pose. Points need their kpt_shape "
        "in data.yaml."
    )


def _shares(values: list[float], where: str) -> list[float]:
    for value in values:
        if not -_SLACK <= value <= 1 + _SLACK:
            raise DatasetError(
                f"{where}: places must be shares of the picture, from 0 to 1, got {value:g}. "
                "Are they pixels?"
            )
    return [min(max(value, 0.0), 1.0) for value in values]


def _box(values: list[float], where: str) -> tuple[float, float, float, float]:
    x, y, width, height = values
    _shares(values, where)
    edges = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return edges  # may lie a little outside: where a box is cut is the model's affair


def _points(values: list[float], shape: tuple[int, int]) -> tuple[tuple[float, float, float], ...]:
    """Give x, y and visibility; without visibility, a point at (0, 0) or outside is unknown."""
    count, size = shape
    rows = [values[row * size : (row + 1) * size] for row in range(count)]
    points = []
    for x, y, *flag in rows:
        is_there = x >= 0 and y >= 0 and (x, y) != (0, 0)
        seen = flag[0] if flag else float(_VISIBLE)
        points.append((x, y, seen if is_there else 0.0))
    return tuple(points)


def _annotated(
    picture: Path, size_wh: tuple[int, int], objects: list[_Object], points: int
) -> AnnotatedImage:
    width, height = size_wh
    count = len(objects)
    shares: FloatArray = np.array([found.shares for found in objects], np.float32)
    marks = np.array([found.points for found in objects], np.float32).reshape(count, points, 3)
    known = marks[..., 2] >= _COVERED
    sides = np.array([width, height], np.float32)
    return AnnotatedImage(
        path=picture,
        size_wh=(width, height),
        targets=Targets(
            shares.reshape(-1, 4) * np.tile(sides, 2),
            np.array([found.class_id for found in objects], np.int64),
            np.where(known[..., None], marks[..., :2] * sides, np.float32(0)),
            marks[..., 2] >= _VISIBLE,
            np.zeros(count, np.bool_),
        ),
        source="",
        pseudo=np.zeros(count, np.bool_),
        keypoints_labelled=known,
        image_id=picture.name,
    )
