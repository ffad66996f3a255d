"""Limits on annotation files, so that no file costs minutes or gigabytes.

All readers open their files and check their counts with this module. Each reader takes time in
proportion to its input, so these limits bound the time as well.
"""

import codecs
import os
import stat
from pathlib import Path

from kpviewer.errors import DatasetError

MAX_FILES = 1_000_000
"""Largest number of folder entries listed for one data set."""
MAX_IMAGES = 500_000
MAX_OBJECTS = 2_000_000
MAX_ROWS = 3_000_000
"""Largest number of rows of a table; a row is an object, or an image without one."""
MAX_CLASSES = 50_000
"""Largest number of classes; ImageNet-21k has 21,843."""
MAX_KEYPOINTS = 10_000
"""Largest number of keypoints of one object."""
MAX_TOTAL_KEYPOINTS = 20_000_000
"""Largest product of objects and keypoints; unlabelled points take memory too."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, which begins alike
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class LimitError(DatasetError):
    """The data exceed a limit; reading stops, even if bad entries are left out."""


def read_bounded(path: Path, limit_mb: float) -> bytes:
    """Read a regular file of at most ``limit_mb``.

    A pipe or a device is refused before anything blocks on it.

    Raises:
        DatasetError: if it is missing, too large, not a regular file, or unreadable.
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
    """Decode a text file: UTF-8, or the encoding of its byte order mark.

    Args:
        data: bytes of the whole file.
        where: location for the error.
        errors: as for ``bytes.decode``.

    Raises:
        DatasetError: if it isn't valid text.
    """
    mark, encoding = encoding_of(data)
    try:
        return data[mark:].decode(encoding, errors)
    except UnicodeDecodeError as error:
        raise no_text(error, where) from error


def encoding_of(data: bytes) -> tuple[int, str]:
    """Return the length of the byte order mark and its encoding; 0 and UTF-8 without a mark."""
    mark, encoding = next((each for each in _BOMS if data.startswith(each[0])), (b"", "utf-8"))
    return len(mark), encoding


def no_text(error: UnicodeDecodeError, where: Path | str) -> DatasetError:
    """Return the error for bytes that aren't text."""
    return DatasetError(
        f"{where} must be text in UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
    )


def check_count(count: int, most: int, what: str, where: Path | str) -> None:
    """Refuse a count above its limit.

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
        LimitError: if one object has too many, or all objects together.
    """
    check_count(keypoints, MAX_KEYPOINTS, "keypoints of an object", where)
    check_count(
        objects * keypoints, MAX_TOTAL_KEYPOINTS, "keypoints of all objects together", where
    )
