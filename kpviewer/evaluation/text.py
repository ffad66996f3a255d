"""Numbers and tables as plain text."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from tabulate import tabulate

T = TypeVar("T")


def number(value: float | None, digits: int = 3) -> str:
    """Return a rounded number, or a dash for None."""
    return "-" if value is None else f"{value:.{digits}f}"


def by_name(names: Iterable[str], values: Iterable[T]) -> dict[str, T]:
    """Return the values of classes by name; a name that comes again gets the class's number."""
    found: dict[str, T] = {}
    for class_id, (name, value) in enumerate(zip(names, values, strict=True)):
        found[f"{name} (class {class_id})" if name in found else name] = value
    return found


def text_table(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Lay rows out in columns.

    Args:
        rows: rows of the same number of cells; the first is the header.
        left: number of first columns that are aligned to the left.
    """
    sides = ["left"] * left + ["right"] * (len(rows[0]) - left)
    return tabulate(rows, tablefmt="plain", disable_numparse=True, colalign=sides)


class Table(NamedTuple):
    """Table of texts for people."""

    title: str
    rows: Sequence[Sequence[str]]
    """Rows of cells; the first is the header."""
    note: str = ""
    """Lines below the table."""

    def to_text(self) -> str:
        """Return rows and note, without the title."""
        return f"{text_table(self.rows)}\n{self.note}".rstrip()
