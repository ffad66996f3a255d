"""Reader of COCO detection and keypoint files.

Format: https://cocodataset.org/#format-data. Two keys beyond it are understood: ``source`` of an
image, and ``pseudo`` = 1 of an annotation that a detector made. Segmentations are not read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from kpviewer.annotations.problems import (
    MALFORMED,
    NO_PICTURE,
    UNKNOWN_CLASS,
    Problem,
    box_problem,
    told,
)
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.annotations.values import inside, number, picture_size, read_bounded, shorten
from kpviewer.errors import DatasetError
from kpviewer.structures import Targets

LIMIT_MB = 1024
"""instances_train2017.json has 448 MB."""
COVERED, VISIBLE = 1, 2
"""Visibility flags; 0 is a point without a known place."""

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Classes:
    """The categories of a file, in the order of their ids."""

    index: dict[int, int]
    names: tuple[str, ...]
    keypoint_names: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class _Object:
    """One annotation, checked."""

    xyxy: tuple[float, float, float, float]
    class_id: int
    points: tuple[tuple[float, float, float], ...]
    difficult: bool
    pseudo: bool


def read_coco(
    json_path: Path | str,
    images_dir: Path | str | None = None,
    problems: list[Problem] | None = None,
) -> AnnotationSet:
    """Read a COCO JSON file.

    Args:
        json_path: the file. ``iscrowd`` = 1 makes an object difficult: a region to ignore. Points
            with flag 2 are visible, those with 1 or 2 labelled.
        images_dir: folder that the file names are relative to; by default ``images`` beside the
            file, where there is one, else the folder of the file.
        problems: with a list, what can't be used is told there and left out.

    Raises:
        DatasetError: if the file is missing, is no such JSON, or contradicts itself. Objects with
            an empty box are left out and counted in ``notes``.
    """
    path = Path(json_path)
    try:
        raw = json.loads(read_bounded(path, LIMIT_MB))
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} must be JSON: {error}. Is it a COCO file?") from error
    classes = _read_classes(_records(raw, "categories", path, problems), path, problems)
    images = _records(raw, "images", path, problems)
    annotations = _records(raw, "annotations", path, problems)
    by_image, skipped = _read_objects(annotations, classes, path, problems)
    folder = Path(images_dir) if images_dir is not None else _default_folder(path)
    items, seen = [], set()
    for image in images:
        with told(problems, MALFORMED):
            item = _read_image(image, by_image, len(classes.keypoint_names), (folder, path))
            if item.image_id in seen:
                raise DatasetError(
                    f"{path}: image ids must be unique, {item.image_id!r} comes twice."
                )
            seen.add(item.image_id)
            items.append(item)
    for stranger in (image_id for image_id in by_image if image_id not in seen):
        with told(problems, NO_PICTURE):
            raise DatasetError(
                f"{path}: every annotation needs its image, image_id {shorten(stranger)} is not "
                "among the images. Is the file cut, or of another split?"
            )
    notes = _notes(skipped) if problems is None else ()  # else the problems have them
    return AnnotationSet(
        tuple(items),
        classes.names,
        classes.keypoint_names,
        classes.skeleton,
        category_ids={row: identity for identity, row in classes.index.items()},
        notes=notes,
    )


def _default_folder(path: Path) -> Path:
    images = path.parent / "images"
    return images if images.is_dir() else path.parent


def _notes(skipped: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{count} objects left out: {reason}" for reason, count in skipped.items())


def _records(raw: Any, key: str, path: Path, problems: list[Problem] | None) -> list[Record]:
    """Get a list of JSON objects."""
    found = raw.get(key) if isinstance(raw, dict) else None
    if not isinstance(found, list):
        raise DatasetError(
            f"{path} must have a list of objects under {key!r}, got {shorten(found)}. "
            "Is it a COCO file?"
        )
    records: list[Record] = []
    for place, item in enumerate(found, 1):
        with told(problems, MALFORMED):
            if not isinstance(item, dict):
                raise DatasetError(
                    f"{path} must have objects alone under {key!r}, got {shorten(item)} as no. "
                    f"{place}. Is it a COCO file?"
                )
            records.append(item)
    return records


def _read_classes(
    categories: Iterable[Record], path: Path, problems: list[Problem] | None
) -> _Classes:
    names: dict[int, str] = {}
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    for category in categories:
        with told(problems, MALFORMED):
            identity = _identity(category, "id", path)
            if identity in names or not isinstance(category.get("name"), str):
                raise DatasetError(f"{path}: categories need a name and an id of their own, "
                                   f"got {shorten(category)}.")  # fmt: skip
            names[identity] = category["name"]
            own = _names(category.get("keypoints") or [], path)
            if own and keypoint_names and own != keypoint_names:
                raise DatasetError(
                    f"{path}: all categories with keypoints must have the same ones, got "
                    f"{len(keypoint_names)} and {len(own)}. Split the file by category."
                )
            if own:
                keypoint_names = own
                skeleton = _skeleton(category.get("skeleton") or [], len(own), path)
    order = sorted(names)
    index = {identity: row for row, identity in enumerate(order)}
    return _Classes(index, tuple(names[identity] for identity in order), keypoint_names, skeleton)


def _identity(record: Record, key: str, path: Path) -> int:
    value = record.get(key)
    if not isinstance(value, int):
        raise DatasetError(f"{path}: {key} must be a whole number, got {shorten(value)}.")
    return value


def _names(raw: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        raise DatasetError(f"{path}: keypoints of a category must be names, got {shorten(raw)}.")
    return tuple(raw)


def _skeleton(raw: Any, points: int, path: Path) -> tuple[tuple[int, int], ...]:
    """Turn COCO's pairs, which count from 1, into pairs of indices."""
    allowed = range(1, points + 1)
    pairs = raw if isinstance(raw, list) else [raw]
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(end in allowed for end in pair)):
            raise DatasetError(
                f"{path}: skeleton must be pairs of keypoint numbers from 1 to {points}, "
                f"got {shorten(pair)}."
            )
    return tuple((int(start) - 1, int(end) - 1) for start, end in pairs)


def _read_objects(
    annotations: Iterable[Record],
    classes: _Classes,
    path: Path,
    problems: list[Problem] | None,
) -> tuple[dict[int | str, list[_Object]], Counter[str]]:
    """Check every annotation and sort them by image."""
    by_image: dict[int | str, list[_Object]] = {}
    skipped: Counter[str] = Counter()
    for record in annotations:
        where = f"{path}, annotation {shorten(record.get('id'))}"
        kind = UNKNOWN_CLASS if not _is_known(record, classes) else MALFORMED
        with told(problems, kind):
            image_id = record.get("image_id")
            if not isinstance(image_id, int | str):
                raise DatasetError(f"{where}: image_id must be a number, got {shorten(image_id)}.")
            found = _read_object(record, classes, where)
            objects = by_image.setdefault(image_id, [])
            wrong = box_problem(found.xyxy)
            if wrong is None:
                objects.append(found)
                continue
            skipped["boxes without area"] += 1
            if problems is not None:
                problems.append(Problem(wrong, where))
    return by_image, skipped


def _is_known(record: Record, classes: _Classes) -> bool:
    category = record.get("category_id")
    return isinstance(category, int) and category in classes.index


def _read_object(record: Record, classes: _Classes, where: str) -> _Object:
    box = record.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise DatasetError(f"{where}: bbox must be [x, y, width, height], got {shorten(box)}.")
    left, top, width, height = (number(value, "bbox", where) for value in box)
    category = record.get("category_id")
    if not _is_known(record, classes):
        raise DatasetError(
            f"{where}: category_id must be one of the categories, got {shorten(category)}."
        )
    return _Object(
        xyxy=(left, top, left + width, top + height),
        class_id=classes.index[record["category_id"]],
        points=_read_points(record.get("keypoints"), len(classes.keypoint_names), where),
        difficult=bool(record.get("iscrowd", 0)),
        pseudo=bool(record.get("pseudo", 0)),
    )


def _read_points(raw: Any, count: int, where: str) -> tuple[tuple[float, float, float], ...]:
    """Turn COCO's flat list into (x, y, flag); an object without points gets flags 0."""
    if not raw or not count:
        return ((0.0, 0.0, 0.0),) * count
    if not isinstance(raw, list) or len(raw) != 3 * count:
        got = f"{len(raw)} numbers" if isinstance(raw, list) else shorten(raw)
        raise DatasetError(f"{where}: keypoints must be {count} times x, y, flag, got {got}.")
    values = [number(value, "keypoints", where) for value in raw]
    return tuple(zip(values[0::3], values[1::3], values[2::3], strict=True))


def _read_image(
    image: Record,
    by_image: Mapping[int | str, list[_Object]],
    points: int,
    places: tuple[Path, Path],
) -> AnnotatedImage:
    """Build one picture; ``places`` is the folder of the pictures and the JSON file."""
    folder, path = places
    image_id, frame = image.get("id"), image.get("frame")
    if not isinstance(image_id, int | str):
        raise DatasetError(f"{path}: an image needs an id, got {shorten(image)}.")
    where = f"{path}, image {shorten(image_id)}"
    if frame is not None and (not isinstance(frame, int) or frame < 0):
        raise DatasetError(f"{where}: frame must count from 0, got {shorten(frame)}.")
    objects = by_image.get(image_id, [])
    flags = np.array([[point[2] for point in item.points] for item in objects])
    flags = flags.reshape(len(objects), points)
    return AnnotatedImage(
        path=inside(folder, image.get("file_name"), where),
        size_wh=picture_size(image.get("width"), image.get("height"), where),
        targets=replace(
            _targets(objects, flags == VISIBLE),
            image_id=image_id if isinstance(image_id, int) else None,
        ),
        source=str(image.get("source") or ""),
        pseudo=np.array([item.pseudo for item in objects], np.bool_),
        keypoints_labelled=flags >= COVERED,
        image_id=image_id,
        frame_index=frame,
    )


def _targets(objects: list[_Object], visible: np.ndarray[Any, np.dtype[np.bool_]]) -> Targets:
    places = [[point[:2] for point in item.points] for item in objects]
    return Targets(
        np.array([item.xyxy for item in objects], np.float32).reshape(-1, 4),
        np.array([item.class_id for item in objects], np.int64),
        np.array(places, np.float32).reshape(*visible.shape, 2),
        visible,
        np.array([item.difficult for item in objects], np.bool_),
    )
