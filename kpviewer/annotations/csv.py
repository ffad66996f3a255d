"""Reader of annotation tables: CSV, one object a row.

Columns, in any order: ``file``, ``xmin``, ``ymin``, ``xmax``, ``ymax``; where known also ``class``,
``width`` and ``height`` of the picture, ``difficult``, ``source``, ``frame``, and ``NAME_x`` with
``NAME_y`` for each keypoint, both blank where its place isn't known. ``filename``, as other tools
write it, does for ``file``. A row whose box is blank names a picture without objects.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from kpviewer.annotations.problems import (
    MALFORMED,
    Problem,
    box_problem,
    ignored_columns,
    told,
)
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.annotations.values import inside, number, picture_size, read_bounded, shorten
from kpviewer.errors import DatasetError
from kpviewer.structures import BoolArray, Targets

LIMIT_MB = 256
BOX = ("xmin", "ymin", "xmax", "ymax")
NO_CLASS = "object"
COLUMNS = ("file", *BOX, "class", "width", "height", "difficult", "source", "frame")

Row: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Object:
    xyxy: tuple[float, ...]
    class_name: str
    points: tuple[tuple[float, float], ...]
    """NaN where unknown."""
    difficult: bool


def read_csv(
    csv_path: Path | str,
    images_dir: Path | str | None = None,
    problems: list[Problem] | None = None,
) -> AnnotationSet:
    """Read a table of objects with a header line; the module tells its columns.

    Args:
        csv_path: the file, UTF-8.
        images_dir: folder that ``file`` is relative to; by default ``images`` beside the table,
            where there is one, else the folder of the table.
        problems: with a list, what can't be used is told there and left out.

    Returns:
        The set; classes in alphabetical order, pictures in that of their first row.

    Raises:
        DatasetError: if the table is missing or malformed. Boxes without area are left out and
            counted in ``notes``.
    """
    path = Path(csv_path)
    rows, point_names = _read_rows(path, problems)
    if problems is not None and rows:
        problems += ignored_columns(path, rows[0][1], (*COLUMNS, *_point_columns(point_names)))
    beside = path.parent / "images"
    default = beside if beside.is_dir() else path.parent
    folder = Path(images_dir) if images_dir is not None else default
    pictures: dict[str, list[_Object]] = {}
    first: dict[str, tuple[str, Row]] = {}
    skipped: Counter[str] = Counter()
    for line, row in rows:
        where = f"{path}, line {line}"
        first.setdefault(row["file"], (where, row))
        objects = pictures.setdefault(row["file"], [])
        if not any(row[side].strip() for side in BOX):
            continue
        with told(problems, MALFORMED):
            found = _read_object(row, point_names, where)
            wrong = box_problem(found.xyxy)
            objects.extend([] if wrong else [found])
            skipped["boxes without area"] += wrong is not None
            if wrong and problems is not None:
                problems.append(Problem(wrong, where))
    names = tuple(sorted({item.class_name for items in pictures.values() for item in items}))
    images = []
    for file, (where, row) in first.items():
        with told(problems, MALFORMED):
            found_here = pictures[file], names, point_names
            images.append(_annotated(inside(folder, file, where), row, where, found_here))
    counted = skipped.items() if problems is None else ()  # else the problems have them
    notes = tuple(f"{count} objects left out: {why}" for why, count in counted if count)
    return AnnotationSet(tuple(images), names, point_names, notes=notes)


def _read_rows(
    path: Path, problems: list[Problem] | None
) -> tuple[list[tuple[int, Row]], tuple[str, ...]]:
    """Read the lines of the table with their numbers, and the names of the keypoints."""
    try:
        text = read_bounded(path, LIMIT_MB).decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
        columns = [column.strip() for column in table.fieldnames or []]
        table.fieldnames = ["file" if column == "filename" else column for column in columns]
        rows = [(table.line_num, row) for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} must be a CSV table in UTF-8: {error}.") from error
    columns = list(table.fieldnames)
    missing = [column for column in ("file", *BOX) if column not in columns]
    if missing or len(set(columns)) < len(columns):
        raise DatasetError(
            f"{path} must have columns file, xmin, ymin, xmax, ymax, each once; got "
            f"{shorten(', '.join(columns))}. Rename them in the first line."
        )
    whole = []
    for line, row in rows:
        with told(problems, MALFORMED):
            if None in row:
                raise DatasetError(f"{path}, line {line}: more cells than columns. Mend the line.")
            whole.append((line, row))
    points = tuple(
        name
        for name in (column.removesuffix("_x") for column in columns if column.endswith("_x"))
        if f"{name}_y" in columns
    )
    return whole, points


def _point_columns(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (f"{name}_x", f"{name}_y")


def _read_object(row: Row, point_names: tuple[str, ...], where: str) -> _Object:
    return _Object(
        xyxy=tuple(number(row[side], side, where) for side in BOX),
        class_name=row.get("class", "").strip() or NO_CLASS,
        points=tuple(_read_point(row, name, where) for name in point_names),
        difficult=row.get("difficult", "").strip() == "1",
    )


def _read_point(row: Row, name: str, where: str) -> tuple[float, float]:
    cells = row[f"{name}_x"].strip(), row[f"{name}_y"].strip()
    if not any(cells):
        return np.nan, np.nan
    return number(cells[0], f"{name}_x", where), number(cells[1], f"{name}_y", where)


def _annotated(
    path: Path,
    row: Row,
    where: str,
    found: tuple[list[_Object], tuple[str, ...], tuple[str, ...]],
) -> AnnotatedImage:
    """Build one picture of its first row and its objects, given the classes and points."""
    objects, names, point_names = found
    count = len(objects)
    points = np.array([item.points for item in objects], np.float32)
    points = points.reshape(count, len(point_names), 2)
    labelled: BoolArray = np.isfinite(points[..., 0])
    size = (0, 0)
    if row.get("width", "").strip():
        size = picture_size(row["width"], row.get("height"), where)
    return AnnotatedImage(
        path=path,
        size_wh=size,
        targets=Targets(
            np.array([item.xyxy for item in objects], np.float32).reshape(-1, 4),
            np.array([names.index(item.class_name) for item in objects], np.int64),
            np.nan_to_num(points),
            labelled,
            np.array([item.difficult for item in objects], np.bool_),
        ),
        source=row.get("source", "").strip(),
        pseudo=np.zeros(count, np.bool_),
        keypoints_labelled=labelled,
        image_id=row["file"],
        frame_index=_frame(row.get("frame", "").strip(), where),
    )


def _frame(text: str, where: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise DatasetError(f"{where}: frame must count from 0, got {shorten(text)}.")
    return int(text) if text else None
