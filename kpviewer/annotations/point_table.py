"""Reader of tables with one point a picture: CSV with columns ``file``, ``x``, ``y``.

Where there is a column ``split``, its values name the splits, so that pictures of one person can be
kept in one of them. Other columns are not read. The object is the whole picture.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from kpviewer.annotations.limits import read_bounded
from kpviewer.annotations.pictures import size_of_picture
from kpviewer.annotations.problems import MALFORMED, Problem, ignored_columns, told
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.annotations.values import inside, number, shorten
from kpviewer.errors import DatasetError
from kpviewer.structures import Targets

LIMIT_MB = 256
POINT_NAME = "centre"
CLASS_NAME = "object"
COLUMNS = ("file", "x", "y")


def read_point_table(
    csv_path: Path | str, split: str | None = None, problems: list[Problem] | None = None
) -> AnnotationSet:
    """Read a table of points.

    Args:
        csv_path: the file, UTF-8. Pictures lie in ``images`` beside it, where there is such a
            folder, else beside it.
        split: rows to read, by their ``split``; None reads all.
        problems: with a list, what can't be used is told there and left out.

    Returns:
        One object a picture, of class "object", whose box is the picture and whose one keypoint is
        "centre".

    Raises:
        DatasetError: if the table or a picture is missing or malformed, or a picture comes twice.
    """
    path = Path(csv_path)
    rows = _rows(path, split)
    if problems is not None and rows:
        problems += ignored_columns(path, rows[0][1], (*COLUMNS, "split"))
    folder = path.parent / "images"
    folder = folder if folder.is_dir() else path.parent
    images: dict[str, AnnotatedImage] = {}
    for line, row in rows:
        where = f"{path}, line {line}"
        with told(problems, MALFORMED):
            if row["file"] in images:
                raise DatasetError(
                    f"{where}: {shorten(row['file'])} comes twice; a table of points has one a "
                    "picture. Use csv: for several objects."
                )
            images[row["file"]] = _annotated(inside(folder, row["file"], where), row, where)
    return AnnotationSet(tuple(images.values()), (CLASS_NAME,), (POINT_NAME,))


def _rows(path: Path, split: str | None) -> list[tuple[int, dict[str, str]]]:
    """Read the rows of a split with their line numbers."""
    try:
        text = read_bounded(path, LIMIT_MB).decode("utf-8-sig")
        table = csv.DictReader(io.StringIO(text, newline=""), restval="", strict=True)
        columns = [column.strip() for column in table.fieldnames or []]
        table.fieldnames = columns
        rows = [(table.line_num, row) for row in table]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} must be a CSV table in UTF-8: {error}.") from error
    if any(column not in columns for column in COLUMNS):
        raise DatasetError(
            f"{path} must have columns {', '.join(COLUMNS)}; got "
            f"{shorten(', '.join(columns))}. Rename them in the first line."
        )
    if split is None:
        return rows
    known = sorted({row["split"].strip() for _, row in rows}) if "split" in columns else []
    if split not in known:
        raise DatasetError(
            f"{path} has no split {split!r}; its column split has: {', '.join(known) or 'nothing'}."
        )
    return [(line, row) for line, row in rows if row["split"].strip() == split]


def _annotated(path: Path, row: dict[str, str], where: str) -> AnnotatedImage:
    width, height = size_of_picture(path, where)
    point = number(row["x"], "x", where), number(row["y"], "y", where)
    labelled = np.ones((1, 1), np.bool_)
    return AnnotatedImage(
        path=path,
        size_wh=(width, height),
        targets=Targets(
            np.array([[0, 0, width, height]], np.float32),
            np.zeros(1, np.int64),
            np.array([[point]], np.float32),
            labelled,
            np.zeros(1, np.bool_),
        ),
        source="",
        pseudo=np.zeros(1, np.bool_),
        keypoints_labelled=labelled,
        image_id=row["file"],
    )
