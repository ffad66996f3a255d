"""Encoding and decoding of JPEG and PNG in memory."""

from PyQt6.QtCore import QBuffer, QByteArray, QIODevice
from PyQt6.QtGui import QImage

from kpviewer.overlay.images import array_of, qimage_of
from kpviewer.structures import ImageArray


def encoded(bgr: ImageArray, kind: str, quality: int) -> bytes:
    """Compress an (H, W, 3) uint8 image.

    Args:
        bgr: the image.
        kind: Qt's name of the format: "JPEG" or "PNG".
        quality: 0 to 100; for PNG, a higher value compresses less.

    Raises:
        ValueError: if the format can't store the image.
    """
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    is_saved = qimage_of(bgr).save(buffer, kind, quality)
    buffer.close()
    if not is_saved:
        raise ValueError(f"an image of shape {bgr.shape} can't be encoded as {kind}")
    return data.data()


def jpeg_of(bgr: ImageArray, quality: int) -> bytes:
    """Compress an (H, W, 3) uint8 image; quality is 0 to 100.

    Raises:
        ValueError: if the image has no pixels, or a side of more than 65,535 px.
    """
    return encoded(bgr, "JPEG", quality)


def bgr_of_jpeg(jpeg: bytes) -> ImageArray:
    """Decode a JPEG into an (H, W, 3) uint8 image that owns its pixels.

    Raises:
        ValueError: if it can't be read.
    """
    return array_of(QImage.fromData(jpeg, "JPEG"))
