"""Image files by name and header: format, displayed size and number of pages.

The decoder and the annotation readers share these functions, so they agree. Pixels aren't read.
Sizes and orientations match Pillow's ``ImageOps.exif_transpose``.
"""

import os
import stat
import struct
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO

IMAGE_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".bmp", ".dib", ".webp"),
        *(".tif", ".tiff", ".gif", ".avif", ".jp2", ".j2k", ".pbm", ".pgm", ".ppm", ".pnm"),
    )
)
OTHER_IMAGE_SUFFIXES = frozenset(
    (
        *(".heic", ".heif", ".hif", ".heics", ".jxl", ".raw", ".dng", ".cr2", ".cr3", ".crw"),
        *(".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".rw2", ".raf", ".pef", ".srw", ".x3f"),
        *(".3fr", ".erf", ".kdc", ".dcr", ".mrw", ".iiq", ".rwl", ".psd", ".psb", ".svg", ".exr"),
        *(".hdr", ".dds", ".tga", ".ico", ".xcf", ".qoi", ".dcm", ".fits", ".jxr", ".wdp", ".eps"),
    )
)
"""Suffixes of image formats that kpviewer can't show."""
ARCHIVE_SUFFIXES = (".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar")
LARGEST_BYTES = 600 * 2**20
"""Maximum size of a file with one image: above 8192 x 8192 px with four 16-bit channels."""
HEAD_BYTES = 12
"""Number of first bytes that show the format of an image."""
PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "DIB", "GIF", "JPEG2000", "PPM", "TIFF")
"""Formats that Pillow may open."""
_HEIC = "HEIC"
_MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF", b"BM": "BMP"}
_MAGIC |= dict.fromkeys((b"II*\0", b"MM\0*"), "TIFF")
_MAGIC |= dict.fromkeys((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), "JPEG 2000")
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"mif1", b"msf1"), _HEIC),
}
"""Formats of the image files that have the boxes of MP4, by their main brand."""
_SWAPPED = (5, 6, 7, 8)
_APPLE_DOUBLE = "._"
_MOST_PAGES = 100_000
_MOST_DECODED_PX = 2**26
_REDUCED_OR_MASK = 1 | 4
_WIDTH, _HEIGHT, _ORIENTATION, _SUBFILE_TYPE = 256, 257, 274, 254
_PNG_TEXTS = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")


class ImageFileError(ValueError):
    """A file can't be shown as an image; the text continues its name: "is empty"."""


class ImageTooLargeError(ImageFileError):
    """A file has more bytes or pixels than an image may have."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Description of an image file, from its header."""

    kind: str
    """Format name in Pillow, such as "JPEG"."""
    size_wh: tuple[int, int]
    """Displayed width and height of the first page or frame, px."""
    orientation: int = 1
    """EXIF orientation of the stored pixels, 1 to 8."""
    pages: tuple[int, ...] = (0,)
    """Indices within the file of the pages or frames to show."""
    previews: int = 0
    """Number of images that aren't frames: previews and depth maps of phone photographs."""


def is_image(path: PurePath) -> bool:
    """Return whether a file name is that of an image; the ``._`` files of macOS aren't."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(_APPLE_DOUBLE)


def without_sidecars(paths: Iterable[Path]) -> list[Path]:
    """Return paths in order, without the ``._`` files that macOS leaves on foreign disks."""
    return sorted(path for path in paths if not path.name.startswith(_APPLE_DOUBLE))


def shown_size(size_wh: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the displayed width and height of stored pixels."""
    width, height = size_wh
    return (height, width) if orientation in _SWAPPED else (width, height)


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises:
        ImageFileError: if it is a pipe, a device, empty or not readable.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageFileError("is not a regular file")
        if status.st_size == 0:
            raise ImageFileError("is empty (0 bytes)")
        return path.open("rb")
    except (OSError, ValueError) as error:
        if isinstance(error, ImageFileError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageFileError(f"can't be opened ({reason})") from error


def read_image_header(path: Path) -> ImageHeader:
    """Read the header of an image file.

    Raises:
        ImageFileError: if it isn't an image of a known format, or is too large.
    """
    with open_regular(path) as file:
        return header_of(file)


def header_of(file: BinaryIO) -> ImageHeader:
    """Read the header of an open image file; the file's position moves.

    Raises:
        ImageFileError: if it isn't an image of a known format, or is too large.
    """
    file.seek(0)
    magic = file.read(4)
    is_tiff = magic in (b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b")
    if not is_tiff and file.seek(0, os.SEEK_END) > LARGEST_BYTES:
        raise ImageTooLargeError(f"is larger than {LARGEST_BYTES >> 20} MB")
    file.seek(0)
    try:
        header = _tiff_header(file) if is_tiff else _pillow_header(file)
    except ImageFileError:
        raise
    except Exception as error:  # Pillow's parsers raise any exception at damaged files
        file.seek(0)
        raise ImageFileError(_why_unreadable(file.read(HEAD_BYTES))) from error
    if min(header.size_wh) < 1:
        raise ImageFileError("has no pixels")
    return header


def image_format(head: bytes) -> str | None:
    """Return the format of an image by its first HEAD_BYTES; None for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12])
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def _why_unreadable(head: bytes) -> str:
    kind = image_format(head)
    if kind is None:
        return "is not an image of a known format"
    if kind == _HEIC:
        return f"is a {kind} image, which can't be shown"
    return f"is damaged or cut off, or a kind of {kind} that can't be shown"


def may_hold_several(path: Path) -> bool:
    """Return whether a file may hold several pages or frames, by what precedes its pixels."""
    try:
        with open_regular(path) as file:
            head = file.read(256)
            if head.startswith(b"\x89PNG"):
                return _is_animated_png(file)
    except (ImageFileError, OSError):
        return False
    if head.startswith(b"RIFF"):
        return head[12:16] == b"VP8X" and bool(head[20:21] and head[20] & 2)
    return head[:4] in (b"GIF8", b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b") or (
        head[4:8] == b"ftyp" and b"avis" in head[8:64]
    )


def _is_animated_png(file: BinaryIO) -> bool:
    kinds = (kind for kind, _, _ in _png_chunks(file))
    return next((kind for kind in kinds if kind in (b"acTL", b"IDAT")), b"") == b"acTL"


def _pillow_header(file: BinaryIO) -> ImageHeader:
    from PIL import Image  # noqa: PLC0415 - slow, and not needed to compare names

    # Pillow warns of odd metadata and of large images; both are checked here.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        image = Image.open(file, formats=PILLOW_FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageTooLargeError("is far too large") from error
    kind, size_wh = image.format or "", image.size
    count = int(getattr(image, "n_frames", 1))
    orientation = _orientation(image, file)
    if kind == "MPO":
        return ImageHeader(kind, shown_size(size_wh, orientation), orientation, (0,), count - 1)
    pages = tuple(range(min(count, _MOST_PAGES)))
    return ImageHeader(kind, shown_size(size_wh, orientation), orientation, pages)


def _orientation(image: object, file: BinaryIO) -> int:
    """Read the orientation as Pillow does, without decoding a PNG to find chunks behind it."""
    from PIL import Image  # noqa: PLC0415

    if not isinstance(image, Image.Image):
        return 1
    try:
        if image.format == "PNG" and "exif" not in image.info:
            late = _late_chunk(file)
            if late is not None:
                image.info["exif"] = late
            elif image.width * image.height > _MOST_DECODED_PX or not _has_late_text(file):
                return _known(Image.Image.getexif(image).get(_ORIENTATION))
        return _known(image.getexif().get(_ORIENTATION))
    except Exception:  # damaged metadata don't rotate the image
        return 1


def _known(value: object) -> int:
    """Return an orientation; 1 if the value isn't one."""
    return next((known for known in range(2, 9) if value == known), 1)


def _late_chunk(file: BinaryIO) -> bytes | None:
    """Return the EXIF block of a PNG at any position."""
    for kind, size, position in _png_chunks(file):
        if kind == b"eXIf":
            file.seek(position)
            return b"Exif\0\0" + file.read(min(size, 2**20))
    return None


def _has_late_text(file: BinaryIO) -> bool:
    """Return whether a PNG has a text behind its pixels that may hold an orientation."""
    seen_pixels = False
    for kind, size, position in _png_chunks(file):
        seen_pixels = seen_pixels or kind == b"IDAT"
        if seen_pixels and kind in (b"iTXt", b"zTXt", b"tEXt"):
            file.seek(position)
            if file.read(min(size, 64)).startswith(_PNG_TEXTS):
                return True
    return False


def has_whole_chunks(file: BinaryIO) -> bool:
    """Return whether every chunk of a PNG fits into the file; decoders trust the lengths."""
    end = file.seek(0, os.SEEK_END)
    return all(position + size <= end for _, size, position in _png_chunks(file))


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, size and position of each chunk of a PNG."""
    position = 8
    while True:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        size = int.from_bytes(head[:4], "big")
        yield head[4:], size, position + 8
        position += size + 12


def _tiff_header(file: BinaryIO) -> ImageHeader:
    """Read all pages of a TIFF except thumbnails, smaller copies and masks.

    Pillow's own reader refuses pixel formats that OpenCV decodes.
    """
    from PIL.TiffImagePlugin import ImageFileDirectory_v2  # noqa: PLC0415

    start = file.read(8)
    if start[2:3] == b"\x2b" or start[3:4] == b"\x2b":
        start += file.read(8)
    directory = ImageFileDirectory_v2(start)
    position, seen = directory.next, set[int]()
    pages: list[int] = []
    size_wh, orientation = (0, 0), 1
    while position and position not in seen and len(seen) < _MOST_PAGES:
        try:
            file.seek(position)
            directory.load(file)
            kind = int(directory.get(_SUBFILE_TYPE, 0))
            own = int(directory[_WIDTH]), int(directory[_HEIGHT])
        except (KeyError, TypeError, OSError, ValueError, struct.error):
            break  # cut off; earlier pages may still be readable
        if not pages or not kind & _REDUCED_OR_MASK:
            if not pages:
                size_wh, orientation = own, _known(directory.get(_ORIENTATION))
            pages.append(len(seen))
        seen.add(position)
        position = directory.next
    if not pages:
        raise ImageFileError(_why_unreadable(start))
    return ImageHeader("TIFF", shown_size(size_wh, orientation), orientation, tuple(pages))
