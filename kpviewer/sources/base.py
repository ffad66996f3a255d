"""Protocol that all sources of frames implement: cameras, videos, folders and the demos.

A source is used by one thread at a time. It starts no thread, except to look up a host name. The
capture thread of the pipeline handles queues, pacing and reconnecting.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from kpviewer.errors import SourceError
from kpviewer.structures import GroundTruth, ImageArray, StreamInfo

OPEN_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 3.0
LARGEST_SIDE_PX = 8192
"""Maximum side of an image: a small hostile file could otherwise require gigabytes of memory."""
_NS = 1_000_000_000

Allocate: TypeAlias = Callable[[int, int], ImageArray]
"""Function from (height, width) to a (height, width, 3) uint8 buffer to fill."""


@dataclass(frozen=True, slots=True, eq=False)
class Captured:
    """Image from a source."""

    bgr: ImageArray
    """(H, W, 3) uint8: the filled buffer of ``allocate``."""
    captured_ns: int
    """Time on the monotonic clock when the image was available, ns."""
    position_s: float | None
    """Media time in seconds; None if the source has none."""
    ground_truth: GroundTruth | None = None
    file: str | None = None
    """File of the frame, relative to the opened folder, with ``/``; None if there is no file."""
    frame_in_file: int | None = None
    """Frame number within ``file``, from 0; None if the file holds a single image."""


class FrameSource(Protocol):
    """Source of frames. ``open`` may be called again after ``close``."""

    @property
    def info(self) -> StreamInfo:
        """Description of the open source. Raises SourceError before ``open``."""

    def open(self) -> StreamInfo:
        """Open the source at its first frame.

        Raises:
            SourceError: within OPEN_TIMEOUT_S, if it can't be opened.
        """

    def read(self, allocate: Allocate) -> Captured | None:
        """Read the next frame into a buffer from ``allocate``; return None at the end.

        Further calls at the end return None again. A call blocks at most READ_TIMEOUT_S.

        Raises:
            SourceError: if the source is closed, broken or lost.
        """

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one; an index beyond the last frame seeks to the end.

        Raises:
            SourceError: if the source is closed or ``info.is_seekable`` is False.
        """

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` returns."""

    @property
    def warning(self) -> str | None:
        """Problem for the user that didn't stop the source; None if there is none.

        Example: "ended early: 23 of 51 frames could be read".
        """

    def close(self) -> None:
        """Release the resources of ``open``. May be called at any time, also twice."""


class OpenedSource:
    """What most sources keep in the same way, for ``FrameSource``."""

    _name: str
    """Display name."""
    _info: StreamInfo | None = None
    """Description while the source is open."""
    _next_index = 0
    _warning: str | None = None

    @property
    def info(self) -> StreamInfo:
        """Description of the open source. Raises SourceError before ``open``."""
        if self._info is None:
            raise closed_error(self._name)
        return self._info

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` returns."""
        return self._next_index

    @property
    def warning(self) -> str | None:
        """Problem for the user that didn't stop the source; None if there is none."""
        return self._warning


class LiveSource(OpenedSource):
    """What most sources that aren't seekable keep in the same way."""

    def seek(self, index: int) -> None:
        """Raise SourceError: a live source is not seekable."""
        raise seek_error(self.info.name)


class PolledSource(LiveSource):
    """Live source whose images are made when it is read, at a rate of its own.

    Args:
        fps: rate of the images.
        sleep: function that waits for seconds; for tests.
    """

    def __init__(self, fps: float, sleep: Callable[[float], None]) -> None:
        self._interval_ns, self._sleep = round(_NS / fps), sleep
        self._due_ns = 0

    def _begin(self, info: StreamInfo) -> StreamInfo:
        """Open the source: its first image is due at once."""
        self._next_index = self._due_ns = 0
        self._info = info
        return info

    def _wait(self) -> int:
        """Wait for the time of the next image; return that on the monotonic clock, ns."""
        now_ns = time.monotonic_ns()
        if self._due_ns > now_ns:
            self._sleep((self._due_ns - now_ns) / _NS)
        self._due_ns = max(self._due_ns, now_ns) + self._interval_ns
        return time.monotonic_ns()


class GroundTruthProvider(Protocol):
    """Provider of the ground truth of a source's frames."""

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Set the files of the source, before its first frame.

        Args:
            files: the images, or the one video.
            frames: number of frames of the video; None if unknown, and for images.
        """

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of a frame; None if it has none.

        Args:
            index: number of the frame in the source, from 0.
            name: path of the image or of the video.
            size_wh: width and height of the frame, px.
        """


@runtime_checkable
class NamedGroundTruth(GroundTruthProvider, Protocol):
    """Ground truth whose classes and keypoints have names, numbered as a model does."""

    @property
    def spec(self) -> str:
        """Specification of the annotations that it was read from, or ""."""

    @property
    def category_ids(self) -> Mapping[int, int | str] | None:
        """COCO categories by class id; None for other formats."""

    @property
    def notes(self) -> Sequence[str]:
        """Sentences for the user on what is left out."""

    def use_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Use the class ids and the order of keypoints of a model.

        Raises:
            DatasetError: if no class matches; then no frame has ground truth.
        """

    def prepare_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Prepare the next ``use_names``, in any thread."""

    def copy(self) -> Self:
        """Return an independent one, for another thread or model."""


def own_ground_truth_of(source: FrameSource | None) -> NamedGroundTruth | None:
    """Return the ground truth that the frames of a source bring themselves; None if they don't."""
    own: NamedGroundTruth | None = getattr(original_of(source), "own_ground_truth", None)
    return own


def original_of(source: FrameSource | None) -> FrameSource | None:
    """Return the source that another one turns, or the source itself."""
    return getattr(source, "original", source)


def is_folder(source: FrameSource | None) -> bool:
    """Return whether a source has several files, one image each."""
    return bool(getattr(original_of(source), "is_folder", False))


def file_names(source: FrameSource | None) -> list[str]:
    """Return the file of each image of a folder; empty for every other source."""
    names: Callable[[], list[str]] = getattr(original_of(source), "file_names", list)
    return names() if is_folder(source) else []


def frame_times_s(source: FrameSource | None) -> NDArray[np.float64] | None:
    """Return the (N,) float64 positions of all frames of an open file; None if they are unknown."""
    times_s: NDArray[np.float64] | None = getattr(original_of(source), "times_s", None)
    return times_s


def first_image(source: FrameSource) -> ImageArray | None:
    """Open a source, read its first image, and close it; return None if there is none."""
    source.open()
    try:
        captured = source.read(new_image)
    finally:
        source.close()
    return captured.bgr if captured is not None else None


def new_image(height: int, width: int) -> ImageArray:
    """Return a (height, width, 3) uint8 buffer that nothing else uses: an ``Allocate``."""
    return np.empty((height, width, 3), np.uint8)


def copy_into(bgr: ImageArray, allocate: Allocate) -> ImageArray:
    """Copy an image into a buffer of its size.

    Returns:
        The filled buffer.
    """
    buffer = allocate(bgr.shape[0], bgr.shape[1])
    np.copyto(buffer, bgr)
    return buffer


def closed_error(name: str) -> SourceError:
    """Return the error for using a source that isn't open."""
    return SourceError(f"{name} must be open to be read, got a closed source. Call open() first.")


def seek_error(name: str) -> SourceError:
    """Return the error for seeking in a source that isn't seekable."""
    return SourceError(f"{name} is not seekable. Only files and the demos are.")


class Scratch:
    """Memory for one frame, which is used again for the next."""

    def __init__(self) -> None:
        self._bgr: ImageArray = np.empty((0, 0, 3), np.uint8)

    def allocate(self, height: int, width: int) -> ImageArray:
        """Return a buffer, the same one while the size stays."""
        if self._bgr.shape != (height, width, 3):
            self._bgr = np.empty((height, width, 3), np.uint8)
        return self._bgr
