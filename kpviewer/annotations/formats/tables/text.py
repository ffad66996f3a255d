"""Text tables of spreadsheets and scripts, with their separators, encodings and decimal commas."""

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from kpviewer.annotations.limits import MAX_ROWS, check_count, encoding_of, no_text, read_bounded
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems
from kpviewer.annotations.reading.values import brief
from kpviewer.errors import DatasetError

LIMIT_MB = 256
_MAX_LINE_LENGTH = 2**20
_NO_NUMBER = ("nan", "na", "n/a", "null", "none")
"""Words of pandas, R and databases for an empty cell, in lower case."""
_HEAD_BYTES = 4096
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of the files of Excel and LibreOffice."""
_SEPARATORS = ",;\t|"


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose rows are read one at a time."""

    path: Path
    header: list[str]
    """Cells of the first line."""
    rows: Iterator[tuple[int, list[str]]]
    """The other non-blank lines, with their numbers from 1."""
    has_decimal_commas: bool
    """Whether a comma may be the decimal point, because the separator is another character."""

    def number_text(self, cell: str) -> str:
        """Return a number as text with a decimal point; "" for the words that mean none."""
        if cell.lower() in _NO_NUMBER:
            return ""
        return cell.replace(",", ".") if self.has_decimal_commas else cell


def open_table(path: Path, problems: Problems = STRICT) -> Table:
    """Open a table; the separator is the character that splits the first line most often.

    A first line ``sep=;``, as Excel writes it, sets the separator.

    Args:
        path: the file.
        problems: collector of lines with wrong quotes.

    Raises:
        DatasetError: if it can't be read or isn't text. ``rows`` raises it too.
    """
    data = read_bounded(path, LIMIT_MB)
    mark, encoding = encoding_of(data)
    if not mark and b"\0" in data[:_HEAD_BYTES]:
        got = "a spreadsheet" if data.startswith(_SPREADSHEETS) else "binary data"
        raise DatasetError(f"{path} must be text, got {got}. Save it as CSV in UTF-8.")
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
    rows = _rows(_Records(chain([head], lines), separator, skipped - 1), path, problems)
    _, header = next(rows, (0, []))
    return Table(path, [cell.strip() for cell in header], rows, separator != ",")


def cell_of(row: Sequence[str], column: int | None) -> str:
    """Return a cell without the blanks around it; an empty text if the row has no such column."""
    return row[column].strip() if column is not None and column < len(row) else ""


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    try:
        for count, line in enumerate(text, 1):
            check_count(count, MAX_ROWS, "lines", path)
            check_count(len(line), _MAX_LINE_LENGTH, "characters in a line", path)
            yield line
    except UnicodeDecodeError as error:
        raise no_text(error, path) from error


class _Records:
    """The records of a table; after a damaged one, reading continues at the next line.

    An unclosed quote swallows the lines after it, so the lines of a record are kept until it is
    complete.
    """

    def __init__(self, lines: Iterator[str], separator: str, skipped: int) -> None:
        self._lines, self._separator = lines, separator
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._reader = self._begin()
        self.line = skipped
        """Number of the last line of the record, from 1."""

    def next(self) -> list[str] | None:
        """Return the cells of the next record; None at the end.

        Raises:
            csv.Error: if it is damaged; its first line is left out.
        """
        self._taken.clear()
        try:
            cells = next(self._reader, None)
        except csv.Error:
            self._again.extendleft(reversed(self._taken[1:]))
            self._taken = []
            self._reader = self._begin()
            self.line += 1
            raise
        self.line += len(self._taken)
        return cells

    def _begin(self) -> Iterator[list[str]]:
        return csv.reader(
            self._recorded(), delimiter=self._separator, skipinitialspace=True, strict=True
        )

    def _recorded(self) -> Iterator[str]:
        taken = self._taken
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            taken.append(line)
            yield line


def _rows(records: _Records, path: Path, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    while True:
        row: list[str] | None = []
        with problems.collected(MALFORMED):
            try:
                row = records.next()
            except csv.Error as error:
                raise DatasetError(
                    f"{path} must be a CSV table: {brief(error)} in line {records.line}. "
                    "Fix the line."
                ) from error
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield records.line, row
