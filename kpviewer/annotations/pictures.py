"""Sizes of picture files, read from their headers: some formats tell places in shares of them."""

from __future__ import annotations

from pathlib import Path

from kpviewer.errors import DatasetError

_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
"""Values of EXIF's orientation that swap the sides."""


def size_of_picture(path: Path, where: str | Path) -> tuple[int, int]:
    """Give width and height in px, turned as the EXIF data says; the pixels stay unread.

    Args:
        path: the picture.
        where: the place that names it, for the error.

    Raises:
        DatasetError: if it can't be read as a picture.
    """
    from PIL import Image  # noqa: PLC0415 - most formats don't need it

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            is_turned = picture.getexif().get(_ORIENTATION) in _TURNED
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(
            f"{where}: {path} can't be read as a picture. Is the folder of the pictures right?"
        ) from error
    return (height, width) if is_turned else (width, height)
