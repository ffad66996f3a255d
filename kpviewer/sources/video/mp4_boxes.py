"""Boxes of an MP4, which show what FFmpeg doesn't say.

FFmpeg opens no fragmented MP4 whose last fragment has an incomplete index (``moof``), although the
fragments before are whole: a recording that was killed, or that still grows. Of two MP4s in one
file it silently shows the first.
"""

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

_HEADER_BYTES, _LONG_HEADER_BYTES = 8, 16
_FRAGMENT_NUMBER_AT = 20
"""Position of a fragment's number in its index."""


def is_mp4(path: Path) -> bool:
    """Return whether a file begins as an MP4. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES)[4:] == b"ftyp"


def readable_bytes(path: Path) -> int:
    """Return the size of an MP4 without an incomplete box at its end; incomplete media stay.

    Raises:
        OSError: if the file can't be read.
    """
    total, readable = path.stat().st_size, 0
    for kind, start, stop in _boxes(path):
        is_lost = stop > total and kind != b"mdat"
        readable = start if is_lost else min(stop, total)
    return readable


def ends_inside(path: Path) -> bool:
    """Return whether an MP4 ends inside its frames or the index of a fragment. Raises OSError."""
    kind, stop = b"", 0
    for kind, _, stop in _boxes(path):  # noqa: B007 - the last one counts
        pass
    return kind == b"moof" or (kind == b"mdat" and stop > path.stat().st_size)


def holds_several(path: Path) -> bool:
    """Return whether a file is several MP4s, one behind the other.

    A live stream may repeat its beginning, but its fragments are numbered on.
    """
    beginnings = last = 0
    with contextlib.suppress(OSError), path.open("rb") as file:
        for kind, start, _ in _boxes(path):
            if start == 0 and kind != b"ftyp":
                return False
            if kind == b"moof":
                file.seek(start + _FRAGMENT_NUMBER_AT)
                before, last = last, int.from_bytes(file.read(4), "big")
                if last < before:
                    return beginnings > 1
            beginnings += kind == b"ftyp"
    return beginnings > 1 and not last


def _boxes(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of the boxes of a file, up to bytes that are no box."""
    total, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position + _HEADER_BYTES <= total:
            file.seek(position)
            head = file.read(_LONG_HEADER_BYTES)
            size, kind = struct.unpack_from(">I4s", head)
            if size == 1 and len(head) == _LONG_HEADER_BYTES:
                (size,) = struct.unpack_from(">Q", head, _HEADER_BYTES)
            stop = position + size if size else total  # 0 is a box up to the end of the file
            if stop < position + _HEADER_BYTES:
                return
            yield kind, position, stop
            position = stop
