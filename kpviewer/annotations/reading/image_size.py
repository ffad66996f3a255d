"""Sizes of image files from their headers, for formats with coordinates relative to the size."""

from __future__ import annotations

from pathlib import Path

from kpviewer.errors import DatasetError
from kpviewer.image_files import ImageFileError, read_image_header


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
