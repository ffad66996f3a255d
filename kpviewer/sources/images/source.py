"""Source of image files: a folder, a glob or one file; pages and animations play by frame."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from kpviewer.annotations.problems import left_out
from kpviewer.errors import SourceError
from kpviewer.image_files import (
    ImageFileError,
    ImageTooLargeError,
    may_hold_several,
    read_image_header,
)
from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    Allocate,
    Captured,
    GroundTruthProvider,
    OpenedSource,
    closed_error,
    copy_into,
)
from kpviewer.sources.images.decoding import ImageDecoder
from kpviewer.structures import ImageArray, StreamInfo
from kpviewer.system.progress import noting_progress

FPS = 2.0
"""Frame rate of images: slow enough to view each, fast enough to show that there are more."""
SCAN_BUDGET_S = 1.0
"""Time limit for finding files with several pages; later files show their first page only."""
_SINGLE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".ppm", ".pgm", ".pnm")
"""Suffixes of files that aren't searched in a folder: their formats hold one image."""
_SECONDS_A_FILE = 1e-4
"""Longest time to list a file, s."""
_MAX_NAMED = 3
"""Number of unreadable files that are named; the others are counted."""


class _Item(NamedTuple):
    """Image to show."""

    path: Path
    page: int
    is_one_of_many: bool


class ImagesSource(OpenedSource):
    """FrameSource of image files, each in its own size; ``info`` has the size of the first.

    A file that can't be read is left out when it is reached, and counted in ``warning``; the others
    keep their numbers.

    Args:
        name: display name.
        paths: paths of the images, at least one.
        ground_truth: ground truth by frame number and file name.
        folder: folder that files are named relative to; None names them without a folder.
        notes: notes that ``warning`` includes.
    """

    def __init__(
        self,
        name: str,
        paths: Sequence[Path],
        *,
        ground_truth: GroundTruthProvider | None = None,
        folder: Path | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._name = name
        self._paths = tuple(paths)
        self._ground_truth = ground_truth
        self._folder = folder
        self._notes = tuple(notes)
        self._decoder = ImageDecoder()
        self._items: list[_Item] = []
        self._unreadable: dict[int, str] = {}
        self._too_large: set[int] = set()
        self._first_only: dict[str, int] = {}

    @property
    def open_timeout_s(self) -> float:
        """Time limit for opening, s: longer for many files."""
        return OPEN_TIMEOUT_S + _SECONDS_A_FILE * len(self._paths)

    @property
    def warning(self) -> str | None:
        """Files and pages left out up to now; it remains after ``close``."""
        notes = [*self._notes]
        unreadable = [*self._unreadable.copy().values()]  # another thread may be reading
        if unreadable:
            more = (
                f", and {len(unreadable) - _MAX_NAMED} more" if len(unreadable) > _MAX_NAMED else ""
            )
            reason = f"{', '.join(unreadable[:_MAX_NAMED])}{more}"
            notes.append(left_out(len(unreadable), len(self._items), "images", reason))
        if several := list(self._first_only.items()):
            file, count = several[0]
            others = len(several) - 1
            more = f", and in {others} more such file{'s' * (others > 1)}" if others else ""
            notes.append(f"only the first of the {count} images in {file} is shown{more}")
        return "; ".join(notes) or None

    @property
    def is_folder(self) -> bool:
        """Whether there are several files."""
        return len(self._paths) > 1

    def file_names(self) -> list[str]:
        """Return the file of each image, as ``read`` names it. Any thread may call it."""
        return [self._file_name(item.path) for item in self._items]

    def open(self) -> StreamInfo:
        """Find the first readable image.

        Raises:
            SourceError: if no image can be read.
        """
        self._unreadable, self._first_only, self._next_index = {}, {}, 0
        self._items = list(_items(self._paths))
        if self._ground_truth is not None:
            self._ground_truth.set_source_files(self._paths)
        image = self._load_next()
        if image is None:
            why = self._explain()
            self._unreadable = {}  # the error reports it
            raise SourceError(why)
        height, width = image.shape[:2]
        self._info = StreamInfo(
            self._name,
            width,
            height,
            self._fps(),
            len(self._items),
            is_live=False,
            is_seekable=True,
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Return the next readable image, upright; None after the last."""
        if self._info is None:
            raise closed_error(self._name)
        image = self._load_next()
        if image is None:
            return None
        index, self._next_index = self._next_index, self._next_index + 1
        bgr = copy_into(image, allocate)
        path, page, is_one_of_many = self._items[index]
        ground_truth = None
        if self._ground_truth is not None and page == 0:  # annotations are those of the first page
            ground_truth = self._ground_truth.for_frame(
                index, str(path), (bgr.shape[1], bgr.shape[0])
            )
        return Captured(
            bgr,
            time.monotonic_ns(),
            self._position_s(index),
            ground_truth,
            self._file_name(path),
            page if is_one_of_many else None,
        )

    def seek(self, index: int) -> None:
        """Make image ``index`` the next one; one known to be unreadable is passed.

        A seek backwards passes it backwards, so that it isn't in the way.
        """
        if self._info is None:
            raise closed_error(self._name)
        index = min(max(index, 0), len(self._items))
        if index < self._next_index:
            good = (each for each in range(index, -1, -1) if each not in self._unreadable)
            index = next(good, index)
        self._next_index = index

    def close(self) -> None:
        """Close an open animation; the warning stays."""
        self._decoder.close()
        self._info = None

    def _file_name(self, path: Path) -> str:
        if self._folder is None:
            return path.name
        # pathlib takes 1 s for 50,000 files; paths in the current folder don't begin with ./
        text, above = str(path), "" if self._folder == Path() else os.path.join(self._folder, "")
        return text[len(above) :].replace(os.sep, "/") if text.startswith(above) else path.name

    def _load_next(self) -> ImageArray | None:
        while self._next_index < len(self._items):
            index = self._next_index
            item = self._items[index]
            try:
                image = self._decoder.decode(item.path, item.page)
            except ImageFileError as error:
                number = f" (no. {item.page + 1})" if item.is_one_of_many else ""
                self._unreadable[index] = f"{self._file_name(item.path)}{number} {error}"
                if isinstance(error, ImageTooLargeError):
                    self._too_large.add(index)
                self._next_index += 1
                continue
            self._unreadable.pop(index, None)  # it may have been copied again
            header = self._decoder.header
            if header is not None and not item.is_one_of_many:
                count = len(header.pages) + header.previews
                if count > 1:
                    self._first_only[self._file_name(item.path)] = count
            return image
        return None

    def _position_s(self, index: int) -> float:
        starts_ms = self._decoder.starts_ms
        is_timed = len(self._paths) == 1 and index < len(starts_ms)
        return starts_ms[index] / 1000 if is_timed else index / FPS

    def _fps(self) -> float:
        """Return the frame rate of a single animation by its first frame, or that of images."""
        starts_ms = self._decoder.starts_ms
        if len(self._paths) > 1 or len(starts_ms) < 2:
            return FPS
        return min(max(1000 / starts_ms[1], 1.0), 240.0)

    def _explain(self) -> str:
        first = next(iter(self._unreadable.values()))
        is_one, are_large = len(self._paths) == 1, self._too_large >= self._unreadable.keys()
        them = "it" if is_one else "them"
        cure = f"Copy {them} again, or convert {them} to JPEG or PNG."
        if are_large:
            cure = f"Scale {them} down, or cut {them} into parts."
        if is_one:
            return f"{first}. {cure}"
        return f"{self._name}: none of {len(self._items)} images can be read; {first}. {cure}"


def load_image(path: Path) -> ImageArray | None:
    """Read an image file as (H, W, 3) uint8 BGR, upright; return None if it can't be shown.

    A file with several pages or frames gives the first.
    """
    decoder = ImageDecoder()
    try:
        return decoder.decode(path)
    except ImageFileError:
        return None
    finally:
        decoder.close()


def natural_order(paths: Sequence[Path]) -> list[Path]:
    """Sort paths in natural order, ignoring case: img2 before img10."""
    texts = ((str(path), path) for path in noting_progress(paths))
    return [path for *_, path in sorted((_natural_key(text), text, path) for text, path in texts)]


def _natural_key(text: str) -> list[str | int]:
    """Return texts and numbers in turns, so that equal places compare."""
    parts: list[str | int] = [*re.split(r"([0-9]+)", text.casefold())]
    parts[1::2] = map(int, parts[1::2])
    return parts


def _items(paths: Sequence[Path]) -> Iterator[_Item]:
    """Yield every image to show, including the pages and frames of each file."""
    deadline = time.monotonic() + SCAN_BUDGET_S
    for path in paths:
        pages: tuple[int, ...] = (0,)
        is_searched = len(paths) == 1 or (
            path.suffix.lower() not in _SINGLE_SUFFIXES and time.monotonic() < deadline
        )
        if is_searched and may_hold_several(path):
            with suppress(ImageFileError):  # reported when the file is reached
                pages = read_image_header(path).pages
        yield from (_Item(path, page, len(pages) > 1) for page in pages)
