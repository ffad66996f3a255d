"""What a source of images is: one protocol for cameras, videos, folders and the demo.

A source is used by one thread at a time and starts none, but for the look-up of a host name. It
knows nothing of queues, pacing or reconnecting: the capture thread of the pipeline does that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.structures import GroundTruth, ImageArray, StreamInfo

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 3.0
LARGEST_SIDE_PX = 8192
"""Larger images are refused: a small hostile file can ask for gigabytes of memory."""

Allocate: TypeAlias = Callable[[int, int], ImageArray]
"""(height, width) -> (height, width, 3) uint8 buffer to fill."""


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """One image as it comes from a source."""

    bgr: ImageArray
    """(H, W, 3) uint8: the buffer that ``allocate`` gave, filled."""
    captured_ns: int
    """Monotonic clock when the image was at hand, in ns."""
    position_s: float | None
    """Media time in seconds, where the source has one."""
    ground_truth: GroundTruth | None = None
    file: str | None = None
    """File that the frame comes from, relative to the opened folder, with ``/``; None: no file."""
    frame_in_file: int | None = None
    """Number of the frame in ``file``, from 0; None where the file holds this one image."""


class FrameSource(Protocol):
    """A stream of images. ``open`` may be called again after ``close``."""

    @property
    def info(self) -> StreamInfo:
        """What the source says of itself. Raises SourceError before ``open``."""

    def open(self) -> StreamInfo:
        """Start at the first frame.

        Raises:
            SourceError: within OPEN_TIMEOUT_S, if it can't be opened.
        """

    def read(self, allocate: Allocate) -> Captured | None:
        """Give the next frame in a buffer from ``allocate``, or None at the end, again and again.

        Blocks READ_TIMEOUT_S at most.

        Raises:
            SourceError: if the source is closed, broken or lost.
        """

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one; an index past the end means the end.

        Raises:
            SourceError: if the source is closed or ``info.is_seekable`` is False.
        """

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` gives."""

    @property
    def warning(self) -> str | None:
        """What went wrong without ending the stream in an error, for the user; None if all is well.

        Example: "ended early: 23 of 51 frames could be read".
        """

    def close(self) -> None:
        """Free what ``open`` took. May be called at any time, also twice."""


class GroundTruthProvider(Protocol):
    """Where a source finds the annotations of its frames."""

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Learn what the source holds, before its first frame.

        Args:
            files: its images, or the one video.
            frames: number of the video's frames; None where it isn't known, and for images.
        """

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of one frame, None where nothing is known.

        Args:
            index: number of the frame in the source, from 0.
            name: path of the image, or of the video.
            size_wh: of the frame, px.
        """


def copy_into(bgr: ImageArray, allocate: Allocate) -> ImageArray:
    """Copy an image into a buffer of its size.

    Args:
        bgr: (H, W, 3) uint8.
        allocate: gives the buffer.

    Returns:
        The buffer.
    """
    buffer = allocate(bgr.shape[0], bgr.shape[1])
    np.copyto(buffer, bgr)
    return buffer


def closed_error(name: str) -> SourceError:
    """Make the error for using a source that isn't open."""
    return SourceError(f"{name} must be open to be read, got a closed source. Call open() first.")


def seek_error(name: str) -> SourceError:
    """Make the error for seeking in a source that can't."""
    return SourceError(f"{name} can't be wound to another frame. Only files and the demo can.")
