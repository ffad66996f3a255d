"""Tables of text as spreadsheets and scripts write them: separators, encodings, decimal commas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from kpviewer.annotations.limits import check_count, encoding_of, no_text, read_bounded
from kpviewer.errors import DatasetError

LIMIT_MB = 256
_LONGEST_LINE = 2**20
_SEPARATORS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are read one at a time."""

    path: Path
    header: list[str]
    """Cells of the first line."""
    rows: Iterator[tuple[int, list[str]]]
    """The other lines that aren't blank, with their numbers from 1."""
    has_decimal_commas: bool
    """Whether a comma may stand for the decimal point, as the separator is another."""

    def number_text(self, cell: str) -> str:
        """Return a number as text with a decimal point."""
        return cell.replace(",", ".") if self.has_decimal_commas else cell


def open_table(path: Path) -> Table:
    """Open a table; the separator is that which splits the first line most often.

    A first line ``sep=;``, as Excel writes it, says the separator.

    Raises:
        DatasetError: if it can't be read or is no text. ``rows`` raises it too.
    """
    data = read_bounded(path, LIMIT_MB)
    mark, encoding = encoding_of(data)
    raw = io.BytesIO(data)
    raw.seek(mark)
    lines = _lines(io.TextIOWrapper(raw, encoding, newline=""), path)
    head = next((line for line in lines if line.strip()), "")
    skipped = 1
    if head.lower().startswith("sep=") and len(head.rstrip("\r\n")) == 5:
        separator = head[4]
        head = next((line for line in lines if line.strip()), "")
        skipped = 2
    else:
        separator = max(_SEPARATORS, key=lambda each: len(_cells(head, each)))
    reader = csv.reader(
        chain([head], lines), delimiter=separator, skipinitialspace=True, strict=True
    )
    rows = _rows(reader, path, skipped - 1)
    _, header = next(rows, (0, []))
    return Table(path, [cell.strip() for cell in header], rows, separator != ",")


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    try:
        for line in text:
            check_count(len(line), _LONGEST_LINE, "characters in a line", path)
            yield line
    except UnicodeDecodeError as error:
        raise no_text(error, path) from error


def _rows(reader: Iterator[list[str]], path: Path, skipped: int) -> Iterator[tuple[int, list[str]]]:
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            line = reader.line_num + skipped  # type: ignore[attr-defined]
            raise DatasetError(
                f"{path} must be a CSV table: {error} in line {line}. Mend the line."
            ) from error
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield reader.line_num + skipped, row  # type: ignore[attr-defined]
