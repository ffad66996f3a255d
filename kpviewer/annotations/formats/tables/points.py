"""Reader of tables with one point an image: CSV with columns ``file``, ``x``, ``y``.

The values of an optional column ``split`` name the splits, so that images of one person can stay in
one of them. Other columns are ignored. The object is the whole image.
"""

from collections.abc import Iterator
from pathlib import Path

from kpviewer.annotations.formats.tables.text import Table, cell_of, open_table
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems, ignored_columns
from kpviewer.annotations.reading.image_search import ImageSearch
from kpviewer.annotations.reading.object_columns import VISIBLE, ImageHead, ObjectColumns
from kpviewer.annotations.reading.values import (
    EntryLocation,
    listed,
    number,
    shorten,
    size_of_image,
)
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError

POINT_NAME = "centre"
CLASS_NAME = "object"
COLUMNS = ("file", "x", "y")
_SPLIT = "split"
_MAX_NAMED = 100


def read_point_table(
    csv_path: Path | str, split: str | None = None, problems: Problems = STRICT
) -> AnnotationSet:
    """Read a table of points.

    Args:
        csv_path: the file, in the dialects of ``text``. Its images are in ``images`` beside it if
            that folder exists, else beside it.
        split: value of ``split`` of the rows to read; None reads all.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set: one object of class "object" an image. Its box is the image; its keypoint is
        "centre".

    Raises:
        DatasetError: if the table or an image is missing or malformed, or an image comes twice.
    """
    path = Path(csv_path)
    table = open_table(path)
    columns = _columns(table)
    problems += ignored_columns(path, table.header, (*COLUMNS, "filename", _SPLIT))
    beside = path.parent / "images"
    files = ImageSearch([beside if beside.is_dir() else path.parent], [path.parent])
    objects, names = ObjectColumns(path, 1), set[str]()
    for line, row in _rows_of_split(table, split):
        where = EntryLocation(path, "line", line)
        with problems.collected(MALFORMED):
            file, *cells = (cell_of(row, column) for column in columns)
            if file in names:
                raise DatasetError(
                    f"{where}: {shorten(file)} comes twice; a table of points has one an image. "
                    "Use csv: for several objects."
                )
            image = files.find(file, where)
            size_wh = size_of_image(image, str(where))
            x, y = (number(table.number_text(cell), name, where)
                    for cell, name in zip(cells, "xy", strict=True))  # fmt: skip
            image_row = objects.add_image(ImageHead(image, size_wh, file))
            names.add(file)
            objects.add(image_row, (0, 0, *size_wh), 0, (x, y, VISIBLE))
    return AnnotationSet(objects.images(), (CLASS_NAME,), (POINT_NAME,))


def _columns(table: Table) -> list[int]:
    """Return the columns of file, x and y."""
    header = ["file" if name == "filename" else name for name in table.header]
    if any(name not in header for name in COLUMNS):
        raise DatasetError(
            f"{table.path} must have columns {', '.join(COLUMNS)}; got "
            f"{shorten(', '.join(table.header))}. Rename them in the first line."
        )
    return [header.index(name) for name in COLUMNS]


def _rows_of_split(table: Table, split: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a split with their line numbers.

    Raises:
        DatasetError: at the end, if there is none.
    """
    if split is None:
        yield from table.rows
        return
    column = table.header.index(_SPLIT) if _SPLIT in table.header else None
    known: dict[str, None] = {}
    for line, row in table.rows:
        own = cell_of(row, column)
        if own and (own == split or len(known) < _MAX_NAMED):
            known[own] = None
        if own == split:
            yield line, row
    if split not in known:
        there = listed(sorted(known)) if known else "nothing"
        raise DatasetError(
            f"{table.path} has no split {shorten(split)}; its column split has: {there}."
        )
