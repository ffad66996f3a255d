"""Checks and conversions that readers share: finite numbers, names within a folder."""

import math
import re
import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from kpviewer.errors import DatasetError
from kpviewer.image_files import ImageFileError, read_image_header

_MAX_NAME_LENGTH, _SURELY_SHORT = 255, 60
"""Lengths of a file name: limit in bytes; characters below which nothing is encoded to check."""
_WHOLE = re.compile(r"(-?[1-9][0-9]{0,18}|0)(?:\.0{1,9})?")
_FRAME = re.compile(r"0*([0-9]{1,9})(?:\.0{1,9})?")
MAX_COORDINATE = 1e6
"""Largest coordinate, px; beyond it float32 no longer resolves 0.1 px."""


class EntryLocation:
    """Location of an entry, formatted only when a message needs it.

    Args:
        file: file that holds the entry.
        what: kind of the entry.
        value: id or line that distinguishes it from others of its kind.
    """

    __slots__ = ("file", "value", "what")

    def __init__(self, file: str | Path, what: str, value: Any) -> None:
        self.file, self.what, self.value = file, what, value

    def __str__(self) -> str:
        """Return file, kind and value."""
        return f"{self.file}, {self.what} {shorten(self.value)}"


Location: TypeAlias = str | Path | EntryLocation
"""Location that a message names."""


def identity(value: Any) -> int | str | None:
    """Return the id that a value represents, whatever its type; None if it isn't an id.

    1, 1.0, "1" and "1.0" are the same id; "0001" and other texts are kept as texts.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip()
    plain = _WHOLE.fullmatch(text)
    return int(plain.group(1)) if plain else text


def own_id(value: Any) -> int | str:
    """Return an id as its file has it, so that results can repeat it."""
    return value if isinstance(value, str) else int(value)


def is_set(value: Any) -> bool:
    """Return whether a flag is set: 1, 1.0 or True, also as texts, or "yes"."""
    return str(value).strip().lower() in ("1", "1.0", "true", "yes")


def frame_number(value: Any, where: Location) -> int | None:
    """Return the number of a frame of a video; None if there is none.

    Raises:
        DatasetError: if it isn't a whole number from 0 on.
    """
    if value in (None, ""):
        return None
    plain = _FRAME.fullmatch(str(value).strip())
    if plain is None:
        raise DatasetError(f"{where}: frame must count from 0, got {shorten(value)}.")
    return int(plain.group(1))


def number(value: Any, what: str, where: Location) -> float:
    """Convert a JSON value or a text to a finite coordinate.

    Raises:
        DatasetError: if it isn't a number, or beyond MAX_COORDINATE.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not abs(result) <= MAX_COORDINATE:  # also catches NaN
        raise DatasetError(
            f"{where}: {what} must be a number within +-{MAX_COORDINATE:.0f}, "
            f"got {shorten(value)}. Correct the file."
        )
    return result


def checked_flag(flag: float, where: Location) -> float:
    """Return the visibility of a keypoint.

    Raises:
        DatasetError: if it isn't a whole number; predictions have scores in its place.
    """
    if flag % 1:
        raise DatasetError(
            f"{where}: the visibility of a keypoint must be 0, 1 or 2, got {flag:g}. "
            "Is it a score? Write 2."
        )
    return flag


def numbers_of_text(text: str) -> list[str]:
    """Split the text of a box into its numbers: "[1, 2, 3, 4]" or "1 2 3 4"."""
    return [word for word in re.split(r"[\s,;\[\](){}]+", text[:1000]) if word]


def image_size(width: Any, height: Any, where: Location) -> tuple[int, int]:
    """Return the size of an image, px; (0, 0) if a side is missing, blank or 0.

    Raises:
        DatasetError: if a side isn't a number, or is below 1.
    """
    if _is_open(width) or _is_open(height):
        return 0, 0
    sides = number(width, "width", where), number(height, "height", where)
    if min(sides) < 1:
        raise DatasetError(
            f"{where}: width and height must be at least 1, got {shorten(width)} x "
            f"{shorten(height)}. Write the image's size into the file."
        )
    return int(sides[0]), int(sides[1])


def _is_open(value: Any) -> bool:
    return value is None or (isinstance(value, str | int) and str(value).strip() in ("", "0"))


def size_of_image(path: Path, where: str | Path) -> tuple[int, int]:
    """Return the displayed width and height, px; the pixels aren't read.

    Args:
        path: the image.
        where: location that names the image, for the error.

    Raises:
        DatasetError: if it can't be read as an image.
    """
    try:
        return read_image_header(path).size_wh
    except ImageFileError as error:
        raise DatasetError(
            f"{where}: {path} can't be read as an image: it {error}. "
            "Is the folder of the images right?"
        ) from error


def listed(names: Iterable[str], most: int = 12) -> str:
    """Join names for a message: the first ones, and the number of others; "none" if empty."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    shown = (name if len(name) <= 60 else name[:57] + "..." for name in every[:most])
    return ", ".join(shown) + more or "none"


def brief(error: BaseException) -> str:
    """Return a library's error message on one line of at most 200 characters."""
    return " ".join(str(error).split())[:200]


def is_file_name(name: str) -> bool:
    """Return whether a name without folders is valid for a file on all systems."""
    if len(name) <= _SURELY_SHORT and "\0" not in name:
        return True
    return "\0" not in name and len(name.encode("utf-8", "surrogatepass")) <= _MAX_NAME_LENGTH


def shorten(value: Any) -> str:
    """Return a value from a file, quoted, in at most 60 characters."""
    text = reprlib.repr(value)  # bounded for nested values too
    return text if len(text) <= 60 else text[:57] + "..."
