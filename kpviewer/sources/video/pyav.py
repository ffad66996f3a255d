"""What differs between PyAV 18, the last for Python 3.11, and 19, and what fails in both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol, TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

S = TypeVar("S", VideoStream, AudioStream)

# PyAV 18 refuses a file whose tags aren't UTF-8 unless told otherwise. PyAV 19 keeps their bytes.
_ANY_TAGS: dict[str, Any] = (
    {"metadata_errors": "replace"} if hasattr(InputContainer, "metadata_errors") else {}
)


class Ratio(Protocol):
    """``Fraction`` of PyAV 18, ``AVRational`` of PyAV 19."""

    @property
    def numerator(self) -> int:
        """Upper number."""

    @property
    def denominator(self) -> int:
        """Lower number; 0 in an ``AVRational`` that isn't set."""


def open_input(location: str, **options: Any) -> InputContainer:
    """Open a container by ``av.open``, whatever its tags hold. Raises av.error.FFmpegError."""
    container: InputContainer = av.open(location, **options, **_ANY_TAGS)
    return container


def packets_of(container: InputContainer, stream: S) -> Iterator[Packet[S]]:
    """Yield the packets of a stream up to the end. Raises av.error.FFmpegError.

    There PyAV fails with an IndexError if another stream has appeared meanwhile, as in broadcasts.
    """
    with contextlib.suppress(IndexError):
        yield from container.demux(stream)


def exact(ratio: Ratio | None) -> Fraction | None:
    """Return a time base, rate or aspect as an exact number; None if it isn't set."""
    return Fraction(ratio.numerator, ratio.denominator) if ratio else None


def size_of(container: InputContainer) -> int:
    """Return the number of bytes of a container; 0 if it is unknown."""
    return max(container.size or 0, 0)
