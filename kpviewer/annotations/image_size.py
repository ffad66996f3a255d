"""Sizes of image files, read from their headers: some formats tell places in shares of them."""

from __future__ import annotations

from pathlib import Path

from kpviewer.errors import DatasetError
from kpviewer.image_files import ImageFileError, read_image_header


def size_of_image(path: Path, where: str | Path) -> tuple[int, int]:
    """Return width and height in px, as the image is shown; the pixels stay unread.

    Args:
        path: the image.
        where: the place that names it, for the error.

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
