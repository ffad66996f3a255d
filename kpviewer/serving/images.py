"""Images of requests: JPEG, PNG and WebP, refused by their headers before they are decoded."""

import io
import re

from kpviewer.image_files import ImageFileError, ImageTooLargeError, header_of
from kpviewer.serving.limits import RequestError
from kpviewer.sources.base import LARGEST_SIDE_PX
from kpviewer.sources.images.decoding import decode_still
from kpviewer.structures import ImageArray

_FIRST_BYTES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
_KINDS = frozenset(("JPEG", "MPO", "PNG", "WEBP"))
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")
"""Marker of a JPEG that begins a segment or ends the image; between pixels there are others."""
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_UNCHANGED = "as it is, as by curl --data-binary"
"""Cure of ``curl -d``, which removes line breaks and null bytes of a file."""
_MOST_SCANS = 50
"""A progressive JPEG has about 10 scans, and each costs a pass over all pixels."""


def decoded(data: bytes, max_pixels: int) -> ImageArray:
    """Decode an image, upright.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        RequestError: 415 if it is no JPEG, PNG or WebP, 413 if it is too large, 422 if it is
            damaged.
    """
    if not data:
        raise RequestError(422, "The request has no image. Send a JPEG, PNG or WebP as its body.")
    if not data.startswith(_FIRST_BYTES):
        raise RequestError(415, f"The body is no JPEG, PNG or WebP. Send one {_UNCHANGED}.")
    file = io.BytesIO(data)
    try:
        header = header_of(file)
        if header.kind not in _KINDS:
            raise RequestError(415, f"The image is {header.kind}. Send a JPEG, PNG or WebP.")
        if len(header.pages) > 1:
            raise RequestError(415, "The image is an animation. Send its frames one by one.")
        _check_size(header.size_wh, max_pixels)
        if header.kind in ("JPEG", "MPO") and _has_many_scans(data):
            raise RequestError(422, "The image has too many scans. Save it as a plain JPEG.")
        # OpenCV inflates a PNG's data to the end, gigabytes of them behind the last pixel.
        return decode_still(file, header, by_pillow=header.kind == "PNG")
    except ImageTooLargeError as error:
        raise RequestError(413, f"The image {error}. Send a smaller one.") from error
    except ImageFileError as error:
        raise RequestError(422, f"The image {error}. Send it again {_UNCHANGED}.") from error
    except MemoryError as error:
        raise RequestError(413, "The image needs more memory than there is.") from error


def _has_many_scans(jpeg: bytes) -> bool:
    """Return whether a JPEG has too many scans.

    Bytes that look like one don't count: in thumbnails, and behind the image, as the video of a
    phone's motion photo.
    """
    at, count = 2, 0
    while count <= _MOST_SCANS and (marker := _MARKER.search(jpeg, at)) is not None:
        kind, at = jpeg[marker.end() - 1], marker.end()
        if kind == _END_OF_IMAGE:
            return False
        at += int.from_bytes(jpeg[at : at + 2])
        count += kind == _START_OF_SCAN
    return count > _MOST_SCANS


def _check_size(size_wh: tuple[int, int], max_pixels: int) -> None:
    width, height = size_wh
    if width * height > max_pixels or max(size_wh) > LARGEST_SIDE_PX:
        raise RequestError(
            413,
            f"The image has {width} x {height} px; at most {max_pixels / 1e6:g} megapixels and "
            f"{LARGEST_SIDE_PX} px a side are taken. Send a smaller one.",
        )
