"""Reader of annotation tables: CSV, one object a row.

Columns, in any order: ``file``, ``xmin``, ``ymin``, ``xmax``, ``ymax``; optionally ``class``,
``width`` and ``height`` of the image, ``difficult``, ``source``, ``frame``, and ``NAME_x`` with
``NAME_y`` for each keypoint, both blank, 0 or -1 if its position is unknown, and ``NAME_v``: 0
unknown, 1 covered, 2 visible, or 0 and 1 alone for no and yes. Column names of other tools
(``columns``) and VIA's tables are read too. A row with a blank box names an image without objects.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from kpviewer.annotations.formats.tables.columns import (
    CENTRE,
    CORNERS,
    QUAD,
    TEXT,
    Columns,
    find_columns,
    guess_columns,
)
from kpviewer.annotations.formats.tables.open_images import ClassNames
from kpviewer.annotations.formats.tables.text import Table, cell_of, open_table
from kpviewer.annotations.formats.tables.via import is_via, rows_of_via
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems, ignored_columns
from kpviewer.annotations.reading.image_search import ImageSearch, images_of_table
from kpviewer.annotations.reading.object_columns import COVERED, VISIBLE, ImageHead, ObjectColumns
from kpviewer.annotations.reading.values import (
    EntryLocation,
    checked_flag,
    frame_number,
    image_size,
    is_set,
    number,
    numbers_of_text,
    shorten,
)
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError

NO_CLASS = "object"
_OTHER_TABLES = {"scorer": "DeepLabCut's", "track": "SLEAP's", "fnum": "Anipose's"}
"""Makers of tables of keypoints without boxes, by their first cell."""


def read_csv(
    csv_path: Path | str,
    images_dir: Path | str | None = None,
    problems: Problems = STRICT,
) -> AnnotationSet:
    """Read a table of objects; the module lists its columns.

    Args:
        csv_path: the file, in UTF-8 or with a byte order mark. Commas, semicolons, tabs or bars
            separate; decimal commas are read unless commas separate.
        images_dir: folder that ``file`` is relative to; by default ``images`` beside the table
            if it exists, else the folder of the table.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set; classes in alphabetical order, images in the order of their first rows.

    Raises:
        DatasetError: if the table is missing or malformed. Boxes without area are left out and
            counted in ``notes``.
    """
    path = Path(csv_path)
    table = open_table(path, problems)
    if is_via(table.header):
        table = rows_of_via(table)
    return _Reading(table, images_of_table(path, images_dir), problems).run()


class _Reading:
    """One reading of a table."""

    def __init__(self, table: Table, files: ImageSearch, problems: Problems) -> None:
        self._table, self._files, self._problems = table, files, problems
        self._columns, self._rows = _columns_of(table)
        self._names = ClassNames(table.path)
        self._points = tuple(name for name, *_ in self._columns.points)
        self._first_point = min((min(x, y) for _, x, y, _ in self._columns.points), default=0)
        self._most_visible = 0.0
        self._objects = ObjectColumns(table.path, len(self._points), problems)
        self._images: dict[tuple[str, int | None], int | None] = {}
        self._frames: dict[str, int | None] = {}
        """First frame of each file; rows without one belong to it."""

    def run(self) -> AnnotationSet:
        """Read all rows and return the set."""
        self._problems += ignored_columns(self._table.path, self._columns.ignored, ())
        for line, row in self._rows:
            where = EntryLocation(self._table.path, "line", line)
            image = None
            with self._problems.collected(MALFORMED):
                image = self._image(row, where)
            if image is not None:
                with self._problems.collected(MALFORMED, image):
                    self._add(image, row, where)
        if self._most_visible == COVERED:  # then 1 doesn't mean covered, but yes
            self._objects.least_visible = COVERED
        return self._objects.in_named_classes(self._points)

    def _image(self, row: Sequence[str], where: EntryLocation) -> int | None:
        """Return the index of a row's image; None if the image's first row was left out."""
        columns = self._columns
        if any(map(str.strip, row[len(self._table.header) :])):
            raise DatasetError(f"{where}: more cells than columns. Fix the line.")
        file = cell_of(row, columns.file)
        frame = frame_number(cell_of(row, columns.frame), where)
        first = self._frames.setdefault(file, frame)
        key = file, first if frame is None else frame  # each frame of a video is an image
        if key not in self._images:
            self._images[key] = None
            wide, high = (
                self._table.number_text(cell_of(row, column))
                for column in (columns.width, columns.height)
            )
            path = self._files.find(file, where)
            head = ImageHead(
                path, image_size(wide, high, where), file, cell_of(row, columns.source), frame
            )
            self._images[key] = self._objects.add_image(head)
        return self._images[key]

    def _add(self, image: int, row: Sequence[str], where: EntryLocation) -> None:
        cells = [cell_of(row, column) for column in self._columns.box]
        if not any(map(self._table.number_text, cells)):
            if len(row) <= max(self._columns.box) and cell_of(row, self._columns.class_name):
                raise DatasetError(f"{where}: the line ends before its box. Complete it.")
            return
        box, corners = self._box(cells, where)
        columns = self._columns.points
        if len(row) <= self._first_point:
            columns = ()  # the row ends before the points
        points = [value for _, *at in columns for value in self._point(row, at, where)]
        if self._objects.has_area(image, box, where):
            text = cell_of(row, self._columns.class_name) or NO_CLASS
            name = self._objects.classes.number(self._names.name(text))
            difficult = is_set(self._table.number_text(cell_of(row, self._columns.difficult)))
            self._objects.add(image, box, name, points, difficult=difficult)
            self._objects.set_outline(corners)

    def _box(
        self, cells: Sequence[str], where: EntryLocation
    ) -> tuple[tuple[float, ...], Sequence[float]]:
        """Return left, top, right and bottom, and x and y of the corners of a rotated box."""
        form = self._columns.form
        texts = [self._table.number_text(cell) for cell in cells]
        if form == TEXT:
            texts = numbers_of_text(cells[0])
        if len(texts) != (8 if form == QUAD else 4):
            raise DatasetError(f"{where}: a box must be 4 numbers, got {shorten(cells[0])}.")
        sides = [number(text, "a side of the box", where) for text in texts]
        if form == QUAD:
            xs, ys = sides[::2], sides[1::2]
            return (min(xs), min(ys), max(xs), max(ys)), sides
        a, b, c, d = sides
        if form == CENTRE:
            return (a - c / 2, b - d / 2, a + c / 2, b + d / 2), ()
        return (a, b, c, d) if form == CORNERS else (a, b, a + c, b + d), ()

    def _point(
        self, row: Sequence[str], columns: Sequence[int | None], where: EntryLocation
    ) -> tuple[float, ...]:
        """Return x, y and visibility of a keypoint from its columns."""
        *cells, seen = [self._table.number_text(cell_of(row, column)) for column in columns]
        if not any(cells):
            return 0.0, 0.0, 0.0
        x, y = (number(cell, "a keypoint", where) for cell in cells)
        flag = float(VISIBLE)
        if seen:
            words = {"true": "1", "false": "0"}
            flag = checked_flag(number(words.get(seen.lower(), seen), "visibility", where), where)
            self._most_visible = max(self._most_visible, flag)
        is_there = (x, y) not in ((0, 0), (-1, -1))  # other tools write these where it is unknown
        return (x, y, flag) if is_there and flag > 0 else (0.0, 0.0, 0.0)


def _columns_of(table: Table) -> tuple[Columns, chain[tuple[int, list[str]]]]:
    """Return the columns of a table and its rows, with the first line if it isn't a header."""
    columns = find_columns(table.header)
    if columns is not None:
        return columns, chain(table.rows)
    columns = guess_columns(table.header)
    if columns is not None:
        return columns, chain([(1, table.header)], table.rows)
    if maker := _OTHER_TABLES.get(table.header[0] if table.header else ""):
        raise DatasetError(
            f"{table.path} is in {maker} format, which isn't read: convert it to COCO, as sleap-io "
            "does for SLEAP and DeepLabCut."
        )
    raise DatasetError(
        f"{table.path} must have columns file, xmin, ymin, xmax, ymax, each once; got "
        f"{shorten(', '.join(table.header))}. Rename them in the first line, or name what a table "
        "of one point or of labels for each image is: points:FILE, labels:FILE."
    )
