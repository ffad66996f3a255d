"""Names of the classes of Open Images, whose tables have ids such as ``/m/0199g``."""

import re
from itertools import chain
from pathlib import Path

from kpviewer.annotations.formats.tables.text import open_table
from kpviewer.errors import DatasetError

_ID = re.compile(r"/[a-z]/\w+")
_FILES = ("*class-descriptions*.csv", "classes.csv")
"""Names that Open Images, and FiftyOne, give the tables of ids and names."""
_FOLDERS = (".", "metadata", "..", "../metadata")


class ClassNames:
    """Names by id, read from the tables beside an annotation table when the first id is met."""

    def __init__(self, table: Path) -> None:
        self._folder = table.parent
        self._names: dict[str, str] | None = None

    def name(self, text: str) -> str:
        """Return the name of an id; other texts, and ids without a name, as they are."""
        if not text.startswith("/") or _ID.fullmatch(text) is None:
            return text
        if self._names is None:
            folders = (self._folder / each for each in _FOLDERS)
            paths = [path for each in folders for mask in _FILES for path in each.glob(mask)]
            self._names = next(filter(None, map(_read, paths)), {})
        return self._names.get(text, text)


def _read(path: Path) -> dict[str, str]:
    """Return the names of a table of ids and names; none of another one."""
    try:
        table = open_table(path)
        rows = chain([table.header], (row for _, row in table.rows))
        named = ((row[0], row[1].strip()) for row in rows if len(row) > 1)
        return {each: name for each, name in named if name and _ID.fullmatch(each)}
    except DatasetError:
        return {}
