"""Reader of COCO detection and keypoint files.

Format: https://cocodataset.org/#format-data. Two more keys are read: ``source`` of an
image, and ``pseudo`` = 1 of an annotation that a detector made. An object without a box gets the
box of its polygons or mask.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kpviewer.annotations.formats.coco.areas import Areas, mask_area
from kpviewer.annotations.formats.coco.categories import CocoClasses, read_classes
from kpviewer.annotations.formats.coco.crowds import annotations_of
from kpviewer.annotations.formats.coco.masks import Box, segmentation_box
from kpviewer.annotations.formats.coco.outlines import outline_of
from kpviewer.annotations.formats.coco.records import Annotation, Image, open_coco
from kpviewer.annotations.formats.coco.some_classes import SomeClasses
from kpviewer.annotations.problems import (
    LISTED_TWICE,
    MALFORMED,
    NO_IMAGE_OF_OBJECT,
    STRICT,
    UNKNOWN_CLASS,
    UNNAMED_POINTS,
    Problem,
    Problems,
)
from kpviewer.annotations.reading.image_search import ImageSearch, images_of_table
from kpviewer.annotations.reading.object_columns import ImageHead, ObjectColumns
from kpviewer.annotations.reading.rotation import rotated_box
from kpviewer.annotations.reading.values import (
    EntryLocation,
    checked_flag,
    frame_number,
    identity,
    image_size,
    is_set,
    number,
    numbers_of_text,
    own_id,
    shorten,
)
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError


def read_coco(
    json_path: Path | str,
    images_dir: Path | str | None = None,
    problems: Problems = STRICT,
) -> AnnotationSet:
    """Read a COCO JSON file.

    Args:
        json_path: the file. ``iscrowd`` or ``ignore`` = 1 makes an object difficult: a region to
            ignore. Points with flag 2 are visible, points with flag 1 or 2 labelled.
        images_dir: folder that the file names are relative to; by default ``images`` beside the
            file if it exists, else the folder of the file. Missing files are searched for in the
            surrounding folders, where CVAT, Label Studio and COCO put them.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set; classes in the order of their ids. A category without objects that is only the
        supercategory of others is left out; Roboflow writes one named after the project.

    Raises:
        DatasetError: if the file is missing, isn't COCO JSON, or is inconsistent. Objects with an
            empty box are left out and counted in ``notes``.
    """
    path = Path(json_path)
    file = open_coco(path)
    classes = read_classes(file.categories(), path, problems)
    columns = ObjectColumns(path, len(classes.keypoint_names), problems)
    files = images_of_table(path, images_dir)
    some = SomeClasses()
    rows = _read_images(file.images(), columns, path, files, problems, some)
    annotations, crowds = annotations_of(file)
    used = _read_objects(annotations, classes, columns, rows, problems, path)
    numbers, groups = classes.in_use(used)
    new_ids = dict(zip(numbers, range(len(numbers)), strict=True))
    images = columns.images([new_ids.get(old, 0) for old in range(len(classes.names))])
    ids = {key: new_ids[old] for key, old in classes.index.items() if old in new_ids}
    return AnnotationSet(
        some.noted(images, ids, problems),
        tuple(classes.names[old] for old in numbers),
        classes.keypoint_names,
        classes.skeleton,
        category_ids={new: classes.ids[old] for old, new in new_ids.items()},
        notes=(*columns.notes, *groups, *classes.notes, *crowds),
    )


def _read_images(
    images: Iterable[Image | None],
    columns: ObjectColumns,
    path: Path,
    files: ImageSearch,
    problems: Problems,
    some: SomeClasses,
) -> dict[int | str | None, int]:
    """Add all images; return their rows by id."""
    rows: dict[int | str | None, int] = {}
    names: dict[int | str | None, Any] = {}
    for position, image in enumerate(images, 1):
        key = None if image is None else identity(image.id)
        # the objects of an id that two images have are lost for the first, too
        with problems.collected(MALFORMED, rows.get(key)):
            if image is None:
                raise DatasetError(
                    f"{path}: images must be objects in UTF-8, number {position} isn't one."
                )
            if key is None:
                raise DatasetError(f"{path}: an image needs an id, number {position} has none.")
            where = EntryLocation(path, "image", image.id)
            name = image.coco_url if image.file_name is None else image.file_name
            if key in rows and names[key] == name:
                problems.append(Problem(LISTED_TWICE, str(where), is_error=False))
                continue
            if key in rows:
                raise DatasetError(
                    f"{path}: image ids must be unique, {shorten(image.id)} is that of "
                    f"{shorten(names[key])} and {shorten(name)}."
                )
            head = ImageHead(
                path=files.find(name, where),
                size_wh=image_size(image.width, image.height, where),
                image_id=own_id(image.id),
                source=str(image.source or "")[:200],
                frame_index=frame_number(image.frame, where),
                coco_id=own_id(image.id),
                video=image.video if isinstance(image.video, str) else "",
            )
            rows[key], names[key] = columns.add_image(head), name
            some.add(rows[key], image, where)
    return rows


def _read_objects(
    annotations: Iterable[Annotation | None],
    classes: CocoClasses,
    columns: ObjectColumns,
    rows: Mapping[int | str | None, int],
    problems: Problems,
    path: Path,
) -> set[int]:
    """Add all objects to the columns; return the classes in use."""
    used: set[int] = set()
    strangers: dict[int | str, None] = {}
    areas = Areas()
    for row, record in enumerate(annotations, 1):
        known = record is not None and identity(record.category_id) in classes.index
        image = None if record is None else rows.get(identity(record.image_id))
        with problems.collected(MALFORMED if known or record is None else UNKNOWN_CLASS, image):
            if record is None:
                raise DatasetError(
                    f"{path}: annotations must be objects in UTF-8, number {row} isn't one."
                )
            where = EntryLocation(path, "annotation", record.id)
            image_id = identity(record.image_id)
            if image_id is None:
                raise DatasetError(
                    f"{where}: image_id must be a number, got {shorten(record.image_id)}."
                )
            class_id = _class_id(record, classes, where)
            box = _box(record, where)
            is_difficult = is_set(record.iscrowd) or is_set(record.ignore)
            corners = outline_of(record, where, is_region=is_difficult)
            if record.bbox:
                areas.count(box, record.area, where)
                box, corners = _upright(box, corners, record, where, problems)
            points = _points(record.keypoints, len(classes.keypoint_names), where)
            if record.keypoints and not classes.keypoint_names:
                problems.append(Problem(UNNAMED_POINTS, str(where), is_error=False))
            if not columns.has_area(image, box, where):
                continue
            if image_id not in rows:
                strangers[image_id] = None
            else:
                used.add(class_id)
                flags = {"difficult": is_difficult, "pseudo": is_set(record.pseudo)}
                columns.add(rows[image_id], box, class_id, points, **flags)
                columns.set_mask_area(mask_area(record.area, box))
                columns.set_outline(corners)
    if (problem := areas.problem()) is not None:
        problems.append(problem)
    for stranger in strangers:
        with problems.collected(NO_IMAGE_OF_OBJECT):
            raise DatasetError(
                f"{path}: every annotation needs its image, image_id {shorten(stranger)} is not "
                "among the images. Is the file cut, or of another split?"
            )
    return used


def _class_id(record: Annotation, classes: CocoClasses, where: EntryLocation) -> int:
    key = identity(record.category_id)
    if key is None or key not in classes.index:
        raise DatasetError(
            f"{where}: category_id must be one of the categories, got "
            f"{shorten(record.category_id)}."
        )
    return classes.index[key]


def _box(record: Annotation, where: EntryLocation) -> Box:
    """Return left, top, right and bottom of the box, or of the segmentation if there is no box."""
    box = numbers_of_text(record.bbox) if isinstance(record.bbox, str) else record.bbox
    if (box is None or box == []) and (around := segmentation_box(record, where)) is not None:
        return around
    if not isinstance(box, list) or len(box) != 4:
        raise DatasetError(f"{where}: bbox must be [x, y, width, height], got {shorten(box)}.")
    left, top, width, height = (number(value, "bbox", where) for value in box)
    if record.bbox_mode == 0 and type(record.bbox_mode) is int:
        return left, top, width, height
    return left, top, left + width, top + height


def _upright(
    box: Box, corners: Sequence[float], record: Annotation, where: EntryLocation, problems: Problems
) -> tuple[Box, Sequence[float]]:
    """Return the box around a rotated one, and its corners.

    A segmentation is rotated already, and its box is around it.
    """
    attributes = record.attributes if isinstance(record.attributes, dict) else {}
    if not attributes.get("rotation") or segmentation_box(record, where) is not None:
        return box, corners
    return rotated_box(box, attributes["rotation"], where, problems)


def _points(raw: Any, count: int, where: EntryLocation) -> list[float]:
    """Return x, y and flag of each keypoint as a flat list; empty if there are none."""
    if not raw or not count:
        return []
    if not isinstance(raw, list) or len(raw) != 3 * count:
        got = f"{len(raw)} numbers" if isinstance(raw, list) else shorten(raw)
        raise DatasetError(f"{where}: keypoints must be {count} times x, y, flag, got {got}.")
    values = [number(value, "keypoints", where) for value in raw]
    for flag in values[2::3]:
        checked_flag(flag, where)
    return values
