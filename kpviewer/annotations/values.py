"""Checks that readers share: finite numbers, names within a folder."""

from __future__ import annotations

import math
import os
import re
import reprlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, TypeAlias

from kpviewer.errors import DatasetError

_MOST_PARTS = 8
_LONGEST_NAME, _SURELY_SHORT = 255, 60
"""Bytes."""
_WHOLE = re.compile(r"(-?[1-9][0-9]{0,18}|0)(?:\.0{1,9})?")
LARGEST_COORDINATE = 1e6
"""px; beyond it a number is a mistake, and float32 no longer resolves 0.1 px."""


class Place:
    """Where an entry stands; becomes a text only if something is wrong with it.

    Args:
        file: that holds the entry.
        what: kind of the entry.
        value: what tells it from others of its kind, such as its id or line.
    """

    __slots__ = ("file", "value", "what")

    def __init__(self, file: str | Path, what: str, value: Any) -> None:
        self.file, self.what, self.value = file, what, value

    def __str__(self) -> str:
        """Return file, kind and value."""
        return f"{self.file}, {self.what} {shorten(self.value)}"


Where: TypeAlias = str | Path | Place
"""The place of what is wrong, for messages."""


def identity(value: Any) -> int | str | None:
    """Return the id that a value stands for, whatever type it was written with.

    1, 1.0, "1" and "1.0" are one id; "0001" and other texts are their own. None: it is no id.
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


def number(value: Any, what: str, where: Where) -> float:
    """Turn a JSON value or a text into a finite coordinate.

    Raises:
        DatasetError: if it is none, or beyond LARGEST_COORDINATE.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        result = math.nan
    if not abs(result) <= LARGEST_COORDINATE:  # also catches NaN
        raise DatasetError(
            f"{where}: {what} must be a number within +-{LARGEST_COORDINATE:.0f}, "
            f"got {shorten(value)}. Correct the file."
        )
    return result


def numbers_of_text(text: str) -> list[str]:
    """Return the numbers of a box that stands as one text: "[1, 2, 3, 4]", "1 2 3 4"."""
    return [word for word in re.split(r"[\s,;\[\](){}]+", text[:1000]) if word]


def image_size(width: Any, height: Any, where: Where) -> tuple[int, int]:
    """Check the sides of an image, px; (0, 0) where the format leaves one open, blank or 0.

    Raises:
        DatasetError: if one is no number, or below 1.
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


def inside(folder: Path, name: Any, where: Where) -> Path:
    """Join an image's name to its folder.

    Of a path from another machine, as much of its end is taken as names a file in the folder.

    Raises:
        DatasetError: if the name leads out of the folder, and its end names nothing inside.
    """
    if not isinstance(name, str) or not name or not all(map(is_file_name, name.split("/"))):
        raise DatasetError(f"{where}: an image needs a file name, got {shorten(name)}.")
    parts = PurePosixPath(name.replace("\\", "/"))
    leaves = parts.is_absolute() or PureWindowsPath(name).drive or ".." in parts.parts
    if leaves:
        ends = [part for part in parts.parts if part not in ("/", "..") and part[1:2] != ":"]
        for start in range(max(len(ends) - _MOST_PARTS, 0), len(ends)):
            if os.path.isfile(found := folder.joinpath(*ends[start:])):
                return found
        raise DatasetError(
            f"{where}: image names must stay in {folder}, got {shorten(name)}. "
            "Make the name relative to the folder of the images."
        )
    return folder / parts


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return names for a message: the first ones, and how many more there are; "none" if none."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    shown = (name if len(name) <= 60 else name[:57] + "..." for name in every[:most])
    return ", ".join(shown) + more or "none"


def brief(error: BaseException) -> str:
    """Return the words of a library's error on one line of bounded length."""
    return " ".join(str(error).split())[:200]


def is_file_name(name: str) -> bool:
    """Return whether a file can have a name, without folders, on all systems."""
    if len(name) <= _SURELY_SHORT and "\0" not in name:
        return True
    return "\0" not in name and len(name.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME


def shorten(value: Any) -> str:
    """Quote a value of a file in at most 60 characters."""
    text = reprlib.repr(value)  # of nested values too, whatever their depth
    return text if len(text) <= 60 else text[:57] + "..."
