"""Limits on annotation files: no file costs minutes or gigabytes, whatever it holds.

Every reader opens its files here and counts here. Time is bounded by these limits, as each reader
takes time in proportion to what it reads.
"""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from kpviewer.errors import DatasetError

MOST_FILES = 1_000_000
"""Entries of folders that are listed for one data set."""
MOST_IMAGES = 500_000
MOST_OBJECTS = 2_000_000
MOST_ROWS = 3_000_000
"""Of a table: each is an object, or an image without one."""
MOST_CLASSES = 50_000
"""ImageNet-21k has 21,843."""
MOST_KEYPOINTS = 10_000
"""Of one object."""
MOST_KEYPOINT_PLACES = 20_000_000
"""Objects times keypoints: each takes a place in memory, labelled or not."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class LimitError(DatasetError):
    """The data are too large; reading stops, even where bad entries are left out."""


def read_bounded(path: Path, limit_mb: float) -> bytes:
    """Read a regular file of at most ``limit_mb``.

    A pipe or a device behind the name is refused before anything waits for it.

    Raises:
        DatasetError: if it is missing, too large, no regular file, or can't be read.
    """
    limit = int(limit_mb * 2**20)
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise DatasetError(
                    f"{path} must be a regular file, is a pipe or a device. Check the path."
                )
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(f"{path} can't be read: {reason}. Check the path.") from error
    if len(data) > limit:
        size = max(about.st_size, len(data)) / 2**20
        raise DatasetError(
            f"{path} must be at most {limit_mb:g} MB, is {size:.4g} MB. Is it an annotation file?"
        )
    return data


def decode_text(data: bytes, where: Path | str, errors: str = "strict") -> str:
    """Decode a text file: UTF-8, or what its byte order mark says.

    Args:
        data: the whole file.
        where: for the error.
        errors: as for ``bytes.decode``.

    Raises:
        DatasetError: if it is no such text.
    """
    mark, encoding = encoding_of(data)
    try:
        return data[mark:].decode(encoding, errors)
    except UnicodeDecodeError as error:
        raise no_text(error, where) from error


def encoding_of(data: bytes) -> tuple[int, str]:
    """Return the length of the byte order mark, and the encoding that it says: UTF-8 without."""
    mark, encoding = next((each for each in _BOMS if data.startswith(each[0])), (b"", "utf-8"))
    return len(mark), encoding


def no_text(error: UnicodeDecodeError, where: Path | str) -> DatasetError:
    """Return the error for bytes that are no text."""
    return DatasetError(
        f"{where} must be text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
    )


def check_count(count: int, most: int, what: str, where: Path | str) -> None:
    """Refuse what is more than any data set has.

    Raises:
        LimitError: if ``count`` is above ``most``.
    """
    if count > most:
        raise LimitError(
            f"{where} must have at most {most:,} {what}, has {count:,}. Split the data set."
        )


def check_keypoints(objects: int, keypoints: int, where: Path | str) -> None:
    """Refuse keypoints that would not fit into memory.

    Raises:
        LimitError: if there are too many of an object, or of all objects together.
    """
    check_count(keypoints, MOST_KEYPOINTS, "keypoints of an object", where)
    check_count(
        objects * keypoints, MOST_KEYPOINT_PLACES, "keypoints of all objects together", where
    )
