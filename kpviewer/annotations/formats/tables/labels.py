"""Reader of tables with the labels of whole images: CSV with columns ``fname``, ``labels``.

Labels are separated by blanks; by bars, semicolons or commas if some cell has one. A column
``is_valid`` (True or False) splits the images, as in fastai's PASCAL 2007:
https://docs.fast.ai/tutorial.vision.html. Each label becomes an object whose box is the image,
which multi-label models learn from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kpviewer.annotations.formats.tables.columns import file_column, label_column, plain_name
from kpviewer.annotations.formats.tables.text import Table, cell_of, open_table
from kpviewer.annotations.formats.voc.files import SAME_SPLITS, spellings
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems, ignored_columns
from kpviewer.annotations.reading.image_search import ImageSearch
from kpviewer.annotations.reading.object_columns import ImageHead, ObjectColumns
from kpviewer.annotations.reading.values import EntryLocation, shorten, size_of_image
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError

_SEPARATORS = "|;,"
_AROUND = " []'\""
"""Characters around labels, such as those of a list in Python."""
_VALID = "isvalid"
_TRUTH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_TRAIN, _VAL = SAME_SPLITS[0][0], SAME_SPLITS[1][0]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Indices of the columns, from 0."""

    file: int
    labels: int
    is_valid: int | None


def read_label_table(
    csv_path: Path | str, split: str | None = None, problems: Problems = STRICT
) -> AnnotationSet:
    """Read a table of labels.

    Args:
        csv_path: the file, in the dialects of ``text``. Its images are in a folder of its name
            (``train.csv``, ``train``) or in ``images`` beside it if that exists, else beside it.
        split: "train" reads the rows whose ``is_valid`` is False, "val" or "valid" those whose it
            is True; None reads all.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set: an object for each label of an image, whose box is the image. Classes are in
        alphabetical order.

    Raises:
        DatasetError: if the table or an image is missing or malformed, or an image comes twice.
    """
    path = Path(csv_path)
    table = open_table(path)
    columns = _columns(table)
    wants_valid = _wants_valid(split, columns, path)
    read = {columns.file, columns.labels, columns.is_valid}
    known = [name for index, name in enumerate(table.header) if index in read]
    problems += ignored_columns(path, filter(None, table.header), known)
    likely = [path.with_suffix(""), path.parent / "images"]
    files = ImageSearch([*filter(Path.is_dir, likely), path.parent], [path.parent], path.stem)
    found, names = ObjectColumns(path), set[str]()
    rows = list(table.rows)
    separator = _separator(cell_of(row, columns.labels) for _, row in rows)
    for line, row in rows:
        with problems.collected(MALFORMED):
            where = EntryLocation(path, "line", line)
            if wants_valid is not None and _is_valid(row, columns, where) != wants_valid:
                continue
            file = cell_of(row, columns.file)
            if file in names:
                raise DatasetError(
                    f"{where}: {shorten(file)} comes twice; a table of labels has one row an "
                    "image. Write all its labels into one."
                )
            image = files.find(file, where)
            size_wh = size_of_image(image, str(where))
            number = found.add_image(ImageHead(image, size_wh, file))
            names.add(file)
            words = cell_of(row, columns.labels).split(separator)
            for label in dict.fromkeys(filter(None, (word.strip(_AROUND) for word in words))):
                found.add(number, (0, 0, *size_wh), found.classes.number(label))
    return found.in_named_classes()


def _separator(cells: Iterable[str]) -> str | None:
    """Return what separates the labels of an image; None for blanks."""
    used = {separator for cell in cells for separator in _SEPARATORS if separator in cell}
    return next((separator for separator in _SEPARATORS if separator in used), None)


def _columns(table: Table) -> _Columns:
    file, labels = file_column(table.header), label_column(table.header)
    if file is None or labels is None:
        raise DatasetError(
            f"{table.path} must have columns fname and labels; got "
            f"{shorten(', '.join(table.header))}. Rename them in the first line."
        )
    names = [plain_name(name) for name in table.header]
    return _Columns(file, labels, names.index(_VALID) if _VALID in names else None)


def _wants_valid(split: str | None, columns: _Columns, path: Path) -> bool | None:
    """Return the ``is_valid`` of the rows to read; None reads all."""
    if split is None:
        return None
    names = spellings(split)
    if _TRAIN not in names and _VAL not in names:
        raise DatasetError(f"A table of labels has the splits train and val, got {shorten(split)}.")
    if columns.is_valid is None:
        raise DatasetError(
            f"{path} has no column is_valid, so it has no split {shorten(split)}. "
            "Leave the split out, or add the column."
        )
    return _VAL in names


def _is_valid(row: Sequence[str], columns: _Columns, where: EntryLocation) -> bool:
    text = cell_of(row, columns.is_valid)
    found = _TRUTH.get(text.lower())
    if found is None:
        raise DatasetError(f"{where}: is_valid must be True or False, got {shorten(text)}.")
    return found
