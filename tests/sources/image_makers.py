"""Small image files in every orientation, and files of several pages."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ORIENTATIONS = range(1, 9)
_STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""Inverse of the rotation of each orientation."""


def _quadrants() -> Image.Image:
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, :24], pixels[:16, 24:] = (240, 30, 30), (30, 240, 30)
    pixels[16:, :24], pixels[16:, 24:] = (30, 30, 240), (240, 240, 30)
    return Image.fromarray(pixels)


QUADRANTS = _quadrants()
"""Image with red and green above blue and yellow."""


def laid_down(orientation: int) -> Image.Image:
    """Return the quadrants rotated so that ``orientation`` makes them upright."""
    turn = _STORED[orientation]
    return QUADRANTS if turn is None else QUADRANTS.transpose(turn)


def saved(image: Image.Image, path: Path, kind: str, **how: Any) -> Path:
    """Save an image in a format that may differ from its suffix."""
    image.save(path, kind, **how)
    return path


def with_late_chunk(path: Path, kind: bytes, data: bytes) -> None:
    """Insert a chunk behind the pixels of a PNG."""
    body = kind + data
    chunk = len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    png = path.read_bytes()
    end = png.rindex(b"IEND") - 4
    path.write_bytes(png[:end] + chunk + png[end:])


def numbered(count: int, size: tuple[int, int] = (30, 20)) -> list[Image.Image]:
    """Return images whose shade of grey is ten times their number, plus 5."""
    return [Image.new("RGB", size, (10 * number + 5,) * 3) for number in range(count)]
