"""Pictures on disk as a film: a folder, a glob or one file."""

from __future__ import annotations

import mimetypes
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kpviewer.annotations.problems import left_out
from kpviewer.annotations.values import PICTURE_SUFFIXES
from kpviewer.errors import SourceError
from kpviewer.sources.base import (
    LARGEST_SIDE_PX,
    Allocate,
    Captured,
    TruthProvider,
    closed_error,
    copy_into,
)
from kpviewer.sources.opencv import cv2
from kpviewer.structures import ImageArray, StreamInfo

SUFFIXES = PICTURE_SUFFIXES
_PHOTOS = ("heic", "heif", "hif", "jxl", "jp2", "j2k", "jxr", "gif", "jfif", "jpe", "tga", "exr")
_RAW = ("dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf", "pef", "srw", "dcm")
_OTHERS = ("psd", "xcf", "svg", "pbm", "pnm", "ico", "webm", "mkv", "mts")
UNREAD = frozenset(f".{ending}" for ending in (*_PHOTOS, *_RAW, *_OTHERS))
"""Images and films that not every system knows by their suffix."""
FPS = 2.0
"""Slow enough to look at each picture, and fast enough to see that there are more."""


class ImagesSource:
    """A FrameSource over picture files, each in its own size; ``info`` has that of the first.

    A file that can't be read is left out when its turn comes, and counted in ``warning``; the
    numbers of the pictures after it move down by one.

    Args:
        name: for people.
        paths: at least one.
        truth: looked up by frame number and file name.
        folder: that the files are named relative to; None names them without a folder.
        unknown: image files beside them whose format is not known: ``warning`` names them.
    """

    def __init__(
        self,
        name: str,
        paths: Sequence[Path],
        *,
        truth: TruthProvider | None = None,
        folder: Path | None = None,
        unknown: Sequence[Path] = (),
    ) -> None:
        self._name = name
        self._all_paths = tuple(paths)
        self._truth = truth
        self._folder = folder
        self._unknown = tuple(unknown)
        self._unreadable: list[Path] = []
        self._paths: list[Path] = []
        self._info: StreamInfo | None = None
        self._next_index = 0

    @property
    def info(self) -> StreamInfo:
        """Number of pictures, and the size of the first."""
        if self._info is None:
            raise closed_error(self._name)
        return self._info

    @property
    def next_index(self) -> int:
        """Index of the picture that the next ``read`` gives."""
        return self._next_index

    @property
    def warning(self) -> str | None:
        """What is left out so far, with the name of the first; it outlasts ``close``."""
        notes = []
        if self._unreadable:
            notes.append(
                left_out(
                    len(self._unreadable),
                    len(self._all_paths),
                    "images",
                    "can't be read",
                    self._unreadable[0].name,
                )
            )
        if self._unknown:
            notes.append(unknown_note(self._unknown, len(self._all_paths)))
        return "; ".join(notes) or None

    def open(self) -> StreamInfo:
        """Find the first picture that can be read.

        Raises:
            SourceError: if there is none.
        """
        self._paths, self._next_index = list(self._all_paths), 0
        self._unreadable = []
        if self._truth is not None:
            self._truth.meet(self._all_paths)
        picture = self._load_next()
        if picture is None:
            raise SourceError(
                f"{self._name}: none of {len(self._all_paths)} pictures can be read. "
                f"Known are {', '.join(sorted(SUFFIXES))}, up to {LARGEST_SIDE_PX} px a side."
            )
        height, width = picture.shape[:2]
        self._info = StreamInfo(
            self._name, width, height, FPS, len(self._paths), is_live=False, is_seekable=True
        )
        return self._info

    def read(self, allocate: Allocate) -> Captured | None:
        """Give the next readable picture, upright; None after the last.

        Raises:
            SourceError: if the source is closed.
        """
        if self._info is None:
            raise closed_error(self._name)
        picture = self._load_next()
        if picture is None:
            return None
        index, self._next_index = self._next_index, self._next_index + 1
        bgr = copy_into(picture, allocate)
        truth, path = None, self._paths[index]
        if self._truth is not None:
            size_wh = (bgr.shape[1], bgr.shape[0])
            truth = self._truth.for_frame(index, str(path), size_wh)
        return Captured(bgr, time.monotonic_ns(), index / FPS, truth, self._file_name(path))

    def seek(self, index: int) -> None:
        """Make picture ``index`` the next one. Raises SourceError if the source is closed."""
        if self._info is None:
            raise closed_error(self._name)
        self._next_index = min(max(index, 0), len(self._paths))

    def close(self) -> None:
        """Nothing is held open but the list."""
        self._info = None

    def _file_name(self, path: Path) -> str:
        if self._folder is not None and path.is_relative_to(self._folder):
            return path.relative_to(self._folder).as_posix()
        return path.name

    def _load_next(self) -> ImageArray | None:
        while self._next_index < len(self._paths):
            picture = load_picture(self._paths[self._next_index])
            if picture is not None:
                return picture
            self._unreadable.append(self._paths.pop(self._next_index))
        return None


def load_picture(path: Path) -> ImageArray | None:
    """Read a picture file as (H, W, 3) uint8 BGR, turned as its EXIF data says; None if it can't.

    Pictures over LARGEST_SIDE_PX a side are refused.
    """
    try:
        data = np.fromfile(path, np.uint8)  # cv2.imread can't take every name on Windows
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    if picture is None or max(picture.shape) > LARGEST_SIDE_PX:
        return None
    return np.asarray(picture, np.uint8)


def is_picture(path: Path) -> bool:
    """Tell by its name whether a file is a picture."""
    return path.suffix.lower() in SUFFIXES


def is_unknown_picture(path: Path) -> bool:
    """Return whether a file beside images holds images or film, in a format that isn't read."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or path.name.startswith("."):
        return False
    kind = mimetypes.guess_type(f"x{suffix}")[0] or ""
    return suffix in UNREAD or kind.startswith(("image/", "video/"))


def unknown_note(unknown: Sequence[Path], known: int) -> str:
    """Return the note on files of unknown formats, at least one, beside ``known`` images."""
    names = sorted(path.name for path in unknown)
    reason = "not an image format that kpviewer reads; convert to JPEG or PNG"
    return left_out(len(names), len(names) + known, "files", reason, names[0])


def natural_order(paths: Sequence[Path]) -> list[Path]:
    """Sort paths as people count: img2 before img10, whatever the case."""
    return sorted(paths, key=lambda path: (_natural_key(str(path)), str(path)))


def _natural_key(text: str) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", text.casefold())
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]
