"""Decoder of image files to BGR arrays, with the orientation and size of their headers.

OpenCV decodes the formats in which it agrees with Pillow, because it is faster. Pillow decodes the
rest: animations, AVIF, whose orientation OpenCV ignores, PPM, whose largest value it ignores, and
files that OpenCV can't read.
"""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from kpviewer.image_files import (
    PILLOW_FORMATS,
    ImageFileError,
    ImageHeader,
    ImageTooLargeError,
    has_whole_chunks,
    header_of,
    open_regular,
    shown_size,
)
from kpviewer.sources.base import LARGEST_SIDE_PX
from kpviewer.sources.opencv import cv2
from kpviewer.sources.orientation import turned
from kpviewer.structures import ImageArray
from kpviewer.system.paths import is_utf8

_BY_OPENCV = frozenset(("JPEG", "MPO", "PNG", "WEBP", "BMP", "DIB", "JPEG2000"))
_AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
_EIGHT_BIT = frozenset(("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"))
_SIXTEEN_BIT = frozenset(("I;16", "I;16L", "I;16B"))
_BITS_PER_SAMPLE = 258
"""Tag of a TIFF."""
_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
_LEAST_ZEROS = 64
_DAMAGED = "is damaged or cut off"
UNTIMED_MS = 100.0
"""Time of a frame that states 0 ms, as in browsers and FFmpeg."""


class ImageDecoder:
    """Decoder of image files, one after the other. An animation stays open between frames."""

    def __init__(self) -> None:
        self._animation: tuple[Path, Image.Image, BinaryIO] | None = None
        self.header: ImageHeader | None = None
        """Header of the last decoded file."""
        self.starts_ms: list[float] = []
        """Start times of the frames of the last animation that are known so far, ms; the last is
        the end of the last known frame. Empty for still images."""

    def decode(self, path: Path, page: int = 0) -> ImageArray:
        """Decode one page or frame of a file, upright.

        Args:
            path: the file.
            page: number of the page or frame within the file.

        Returns:
            (H, W, 3) uint8 BGR.

        Raises:
            ImageFileError: if it can't be shown; the text continues the file's name.
        """
        try:
            if self._animation is not None and self._animation[0] == path:
                if page >= self._animation[1].tell():
                    return self._frame(self._animation[1], page)
            else:
                self.header, self.starts_ms = None, []
            self.close()  # also to go back: Pillow can't rewind every APNG twice
            file = open_regular(path)
            try:
                return self._decode(path, file, page)
            finally:
                if self._animation is None:
                    file.close()
        except OSError as error:
            raise ImageFileError(f"can't be read ({error.strerror or error})") from error
        except MemoryError as error:
            raise ImageFileError("needs more memory than there is") from error

    def close(self) -> None:
        """Close the open animation, if there is one."""
        if self._animation is not None:
            _, image, file = self._animation
            self._animation = None
            image.close()
            file.close()

    def _decode(self, path: Path, file: BinaryIO, page: int) -> ImageArray:
        self.header = header = header_of(file)
        if max(header.size_wh) > LARGEST_SIDE_PX:
            raise ImageTooLargeError(_too_large(header.size_wh))
        if header.kind == "TIFF":
            return _tiff_page(path, file, page, header)
        if len(header.pages) > 1:
            image = _open(file)
            self._animation = (path, image, file)
            return self._frame(image, page)
        return decode_still(file, header)

    def _frame(self, image: Image.Image, page: int) -> ImageArray:
        try:
            for each in range(image.tell(), page + 1):  # what one leaves is seen in the next
                image.seek(each)
                image.load()  # only then is the time known
                if each >= len(self.starts_ms) - 1:
                    start_ms = self.starts_ms[-1] if self.starts_ms else 0.0
                    end_ms = start_ms + (image.info.get("duration") or UNTIMED_MS)
                    self.starts_ms = [*(self.starts_ms or [0.0]), end_ms]
        except Exception as error:  # Pillow's decoders raise any exception at damaged files
            raise ImageFileError(_DAMAGED) from error
        return _upright_frame(image, page)


def decode_still(file: BinaryIO, header: ImageHeader, *, by_pillow: bool = False) -> ImageArray:
    """Decode the first image of an open file, upright; any format but TIFF.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageFileError: if it is damaged; the text continues the file's name.
    """
    if header.kind in _BY_OPENCV and not by_pillow:
        bgr = _by_opencv(file, header)
        if bgr is not None:
            return bgr
    return _upright_frame(_open(file), 0)


def _by_opencv(file: BinaryIO, header: ImageHeader) -> ImageArray | None:
    """Decode with OpenCV; return None if that fails, or the size isn't that of the header."""
    if header.kind == "PNG" and not has_whole_chunks(file):
        return None  # OpenCV would allocate the length of a chunk, up to 4 GB
    file.seek(0)
    raw = file.read()
    if header.kind in ("JPEG", "MPO") and _ends_in_zeros(raw):
        raise ImageFileError(_DAMAGED)
    data = np.frombuffer(raw, np.uint8)
    try:
        stored = cv2.imdecode(data, _AS_STORED)
    except cv2.error:
        return None
    if stored is None or _size_of(stored) != shown_size(header.size_wh, header.orientation):
        return None
    return turned(np.asarray(stored, np.uint8), header.orientation)


def _ends_in_zeros(jpeg: bytes) -> bool:
    """Return whether the end is filled with zeros, as in an unfinished download.

    OpenCV would decode them as pixels. Zeros behind the end of the image are harmless.
    """
    filled = jpeg.rstrip(b"\0")
    return len(jpeg) - len(filled) >= _LEAST_ZEROS and (
        filled.rfind(_END_OF_IMAGE) < filled.rfind(_START_OF_SCAN)
    )


def _tiff_page(path: Path, file: BinaryIO, page: int, header: ImageHeader) -> ImageArray:
    """Decode a page of a TIFF; both libraries always apply its orientation.

    OpenCV would darken colours by their alpha, unlike in every other format, and shows CIELab as on
    an old monitor.
    """
    if _mode(file, page) in ("RGBA", "LA", "LAB"):
        return _upright_frame(_open(file), page)
    try:
        # By name, as a stack may be larger than memory.
        name = _name_for_opencv(path, file)
        found, pages = cv2.imreadmulti(name, page, 1, flags=cv2.IMREAD_COLOR)
    except cv2.error:
        found, pages = False, ()
    if found and len(pages) == 1 and max(_size_of(pages[0])) <= LARGEST_SIDE_PX:
        bgr = np.asarray(pages[0], np.uint8)
        if page or _size_of(bgr) == header.size_wh:
            return bgr
    try:
        image = _open(file)
    except ImageFileError:
        raise ImageFileError("is damaged, or has pixels of a kind that can't be shown") from None
    return _upright_frame(image, page)


def _name_for_opencv(path: Path, file: BinaryIO) -> str:
    """Return a name of an open file; OpenCV 5 crashes at one that isn't UTF-8."""
    name = str(path)
    return name if is_utf8(name) else f"/dev/fd/{file.fileno()}"


def _mode(file: BinaryIO, page: int) -> str | None:
    """Return Pillow's mode of a page; None if Pillow can't read it."""
    try:
        image = _open(file)
        image.seek(page)
    except Exception:  # Pillow's parsers raise any exception at what they don't know
        return None
    return image.mode


def _open(file: BinaryIO) -> Image.Image:
    file.seek(0)
    try:
        return Image.open(file, formats=PILLOW_FORMATS)
    except Exception as error:  # Pillow's parsers raise any exception at damaged files
        raise ImageFileError(_DAMAGED) from error


def _upright_frame(image: Image.Image, page: int) -> ImageArray:
    """Decode a page or frame upright with Pillow."""
    try:
        image.seek(page)
        if max(image.size) > LARGEST_SIDE_PX:
            raise ImageTooLargeError(_too_large(image.size))
        frame = ImageOps.exif_transpose(image)
        if frame.mode in _SIXTEEN_BIT or (frame.mode == "I" and image.format == "PPM"):
            (bits,) = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))
            grey = (np.asarray(frame) >> (bits - 8)).astype(np.uint8)
            return np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2))
        if frame.mode == "LAB":
            lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
            frame = ImageCms.profileToProfile(frame, lab, rgb, outputMode="RGB") or frame
        if frame.mode not in _EIGHT_BIT:
            raise ImageFileError(f"has pixels of a kind that can't be shown ({frame.mode})")
        return np.ascontiguousarray(np.asarray(frame.convert("RGB"), np.uint8)[..., ::-1])
    except ImageFileError:
        raise
    except Exception as error:  # as above
        raise ImageFileError(_DAMAGED) from error


def _size_of(bgr: NDArray[Any]) -> tuple[int, int]:
    return bgr.shape[1], bgr.shape[0]


def _too_large(size_wh: tuple[int, int]) -> str:
    return f"is {size_wh[0]}x{size_wh[1]} px; at most {LARGEST_SIDE_PX} px a side can be shown"
