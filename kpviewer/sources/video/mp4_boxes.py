"""Boxes of an MP4, to find where a file that was cut off can still be read.

FFmpeg opens no fragmented MP4 whose last fragment has an incomplete index (``moof``), although the
fragments before are whole: a recording that was killed, or that still grows.
"""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER_BYTES, _LONG_HEADER_BYTES = 8, 16


def readable_bytes(path: Path) -> int:
    """Return the size of an MP4 without an incomplete box at its end; incomplete media stay.

    Raises:
        OSError: if the file can't be read.
    """
    end, position = path.stat().st_size, 0
    with path.open("rb") as file:
        while position < end:
            file.seek(position)
            head = file.read(_LONG_HEADER_BYTES)
            if len(head) < _HEADER_BYTES:
                return position
            size, kind = struct.unpack_from(">I4s", head)
            if size == 1 and len(head) == _LONG_HEADER_BYTES:
                (size,) = struct.unpack_from(">Q", head, _HEADER_BYTES)
            if kind == b"mdat" and position + size > end:
                return end
            if size < _HEADER_BYTES:  # 0 is a box up to the end of the file
                return end
            if position + size > end:
                return position
            position += size
    return end
