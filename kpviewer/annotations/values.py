"""Checks that readers share: files of bounded size, finite numbers, names within a folder."""

from __future__ import annotations

import math
import reprlib
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES

PICTURE_SUFFIXES = IMAGE_SUFFIXES
_MOST_PARTS = 8
LARGEST_COORDINATE = 1e6
"""px; beyond it a number is a mistake, and float32 no longer resolves 0.1 px."""


def read_bounded(path: Path, limit_mb: int) -> bytes:
    """Read a file of at most ``limit_mb``.

    Raises:
        DatasetError: if it is missing, too large or can't be read.
    """
    try:
        size = path.stat().st_size
        if size > limit_mb * 2**20:
            raise DatasetError(
                f"{path} must be at most {limit_mb} MB, is {size / 2**20:.0f} MB. "
                "Is it an annotation file?"
            )
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"{path} can't be read: {error.strerror or error}. Check the path."
        ) from error


def number(value: Any, what: str, where: str | Path) -> float:
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


def picture_size(width: Any, height: Any, where: str | Path) -> tuple[int, int]:
    """Check the sides of a picture, px.

    Raises:
        DatasetError: unless both are at least 1.
    """
    sides = number(width, "width", where), number(height, "height", where)
    if min(sides) < 1:
        raise DatasetError(
            f"{where}: width and height must be at least 1, got {shorten(width)} x "
            f"{shorten(height)}. Write the picture's size into the file."
        )
    return int(sides[0]), int(sides[1])


def inside(folder: Path, name: Any, where: str | Path) -> Path:
    """Join a picture's name to its folder.

    Of a path from another machine, as much of its end is taken as names a file in the folder.

    Raises:
        DatasetError: if the name leads out of the folder, and its end names nothing inside.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise DatasetError(f"{where}: a picture needs a file name, got {shorten(name)}.")
    parts = PurePosixPath(name.replace("\\", "/"))
    leaves = parts.is_absolute() or PureWindowsPath(name).drive or ".." in parts.parts
    if leaves:
        ends = [part for part in parts.parts if part not in ("/", "..") and part[1:2] != ":"]
        for start in range(max(len(ends) - _MOST_PARTS, 0), len(ends)):
            if (found := folder.joinpath(*ends[start:])).is_file():
                return found
        raise DatasetError(
            f"{where}: picture names must stay in {folder}, got {shorten(name)}. "
            "Make the name relative to the folder of the pictures."
        )
    return folder / parts


def shorten(value: Any) -> str:
    """Quote a value of a file in at most 60 characters."""
    text = reprlib.repr(value)  # of nested values too, whatever their depth
    return text if len(text) <= 60 else text[:57] + "..."
