"""Entries of a data set by the files or the frames of a source: rows, and notes on the match."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kpviewer.annotations.finishing.frame_labels import (
    is_frame_of,
    match_frame_labels,
    names_a_video,
    number_in,
)
from kpviewer.annotations.problems import and_more, left_out
from kpviewer.annotations.reading.fitting import fit_names
from kpviewer.annotations.reading.values import listed
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.image_files import IMAGE_SUFFIXES

_MAX_NAMED = 3
"""Largest number of other videos that a note names."""


@dataclass(frozen=True, slots=True)
class FileRows:
    """Rows of a set by the images of a source."""

    by_file: Mapping[str, int]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrameRows:
    """Rows of a set by the frames of a video, from 0."""

    by_frame: Mapping[int, int | None]
    """None for a frame whose labels can't be used."""
    notes: tuple[str, ...] = ()
    others_are_empty: bool = False
    """Whether a frame without a row shows nothing; otherwise it isn't annotated."""


def match_images(data: AnnotationSet, files: Sequence[Path]) -> FileRows:
    """Match a set to images by their names; YOLO labels without images have any suffix."""
    paths = [image.path for image in data.images]
    if data.label_files and files:
        paths = [path.with_suffix(files[0].suffix) for path in paths]
    rows = fit_names(paths, files)
    by_file = {str(files[file_row]): row for row, file_row in rows.items()}
    if not rows and paths and files:
        note = (
            f"ground truth fits 0 of {len(files)} images: they are named "
            f"{files[0].name!r}, its entries {paths[0].name!r}. Rename one of the two"
        )
        return FileRows(by_file, (note,))
    notes = list(_other_folder(paths, files, rows))
    fitted = set(rows.values())
    alone = [path for file_row, path in enumerate(files) if file_row not in fitted]
    if alone:
        notes.append(
            f"ground truth fits {len(fitted)} of {len(files)} images: "
            f"none for {and_more(alone[0].name, len(alone))}"
        )
    similar = [(paths[row].name, files[file_row].name) for row, file_row in rows.items()
               if paths[row].name != files[file_row].name]  # fmt: skip
    if similar:
        first = f"{similar[0][0]!r} is {similar[0][1]!r}"
        notes.append(f"names differ a little and were fitted: {and_more(first, len(similar))}")
    return FileRows(by_file, tuple(notes))


def _other_folder(
    paths: Sequence[Path], files: Sequence[Path], rows: Mapping[int, int]
) -> Iterator[str]:
    """Yield a note if entries have images of their own, which aren't those of the source."""
    for row, file_row in list(rows.items())[:1]:
        own, file = paths[row], files[file_row]
        with contextlib.suppress(OSError):  # one of the two isn't there
            if not os.path.samefile(own, file):
                yield (
                    f"ground truth is of the images in {own.parent}, and is compared with those of "
                    f"the same names in {file.parent}"
                )


def match_video(data: AnnotationSet, video: Path, frames: int | None) -> FrameRows:
    """Match a set to the frames of a video.

    Args:
        data: the set: entries with numbers (``match_entries``), or YOLO labels without images
            (``match_frame_labels``).
        video: path of the video.
        frames: its number of frames; None if unknown.
    """
    match = _match_label_files if data.label_files else _match_own_entries
    found = match(data, video, frames)
    gone = [number for number in found.by_frame if frames is not None and number >= frames]
    if not gone:
        return found
    reason, first = f"{video.name} has only {frames} frames", f"frame {min(gone)}"
    note = left_out(len(gone), len(found.by_frame), "entries", reason, first)
    return FrameRows(found.by_frame, (*found.notes, note), found.others_are_empty)


def _match_label_files(data: AnnotationSet, video: Path, frames: int | None) -> FrameRows:
    empty = {image.path for image in data.images if not len(image.targets)}
    found = match_frame_labels(data.label_files, empty, video, frames)
    rows = {image.path: row for row, image in enumerate(data.images)}
    by_frame = {number: rows.get(file) for number, file in found.by_frame.items()}
    return FrameRows(by_frame, found.notes, found.are_all)


def _match_own_entries(data: AnnotationSet, video: Path, frames: int | None) -> FrameRows:
    """Number the entries that are named like the video; if none is, those of no other video.

    They count from 1 if the last one has the number of frames, and none has 0.
    """
    rows, notes = _rows_of_video([_named_path(image) for image in data.images], video)
    if not rows:
        return FrameRows({}, notes)
    found = match_entries(data, rows, frames)
    if 0 not in found.by_frame and frames == max(found.by_frame, default=None):
        by_frame = {number - 1: row for number, row in found.by_frame.items()}
        note = f"entries are taken to count from 1, as the last is of frame {frames} of {frames}"
        return FrameRows(by_frame, (*notes, *found.notes, note))
    if found.by_frame:
        return FrameRows(found.by_frame, (*notes, *found.notes))
    note = (
        f"ground truth fits no frame of {video.name}: no entry has a 'frame', and the ids "
        "don't count from 0. Give each entry the number of its frame, from 0"
    )
    return FrameRows({}, (*found.notes, note))


def _rows_of_video(paths: Sequence[Path], video: Path) -> tuple[list[int], tuple[str, ...]]:
    """Return the rows of the entries of a video, and notes.

    Entries that are named like it come first: clip.mp4, clip_0001.jpg. Those that have the name of
    another video file aren't of this one; those of images may be, and a note says so.
    """
    if rows := [row for row, path in enumerate(paths) if _is_of(path, video)]:
        return rows, ()
    rows = [row for row, path in enumerate(paths) if not _is_video(path)]
    if paths and not rows:
        others = listed(sorted({path.name for path in paths}), _MAX_NAMED)
        cure = "Give the video and its entries one name"
        note = f"ground truth fits no frame of {video.name}: its entries are of {others}. {cure}"
        return [], (note,)
    named = [paths[row].name for row in rows if names_a_video(paths[row])]
    if not named:
        return rows, ()
    first = and_more(named[0], len(named))
    return rows, (f"entries are taken for frames of {video.name}, which they don't name: {first}",)


def _named_path(image: AnnotatedImage) -> Path:
    """Return the video that an entry states, else its own path."""
    stated = Path(image.video)
    return stated if _is_video(stated) else image.path


def _is_of(path: Path, video: Path) -> bool:
    if _is_video(path):  # cam_2.mp4 is no frame of cam.mp4
        return path.stem.casefold() == video.stem.casefold()
    return is_frame_of(path, video)


def _is_video(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix[1:2].isalpha() and suffix not in IMAGE_SUFFIXES


def match_entries(
    data: AnnotationSet, rows: Sequence[int] = (), frames: int | None = None
) -> FrameRows:
    """Number entries by their ``frame``, and if none has one, by their ids or names.

    Args:
        data: the set.
        rows: rows of the entries; all if empty. Of several with one number, the first counts.
        frames: number of frames of the video; None if unknown.
    """
    rows = rows or range(len(data))
    images = [data.images[row] for row in rows]
    numbers = [image.frame_index for image in images]
    if all(number is None for number in numbers):
        numbers = _numbers(images, frames)
    by_frame: dict[int, int | None] = {}
    for number, row in zip(numbers, rows, strict=True):
        if number is not None:
            by_frame.setdefault(number, row)
    known = sum(number is not None for number in numbers)
    twice, reason = known - len(by_frame), "their frame is named twice, and the first entry counts"
    return FrameRows(by_frame, (left_out(twice, known, "entries", reason),) if twice else ())


def _numbers(images: Sequence[AnnotatedImage], frames: int | None) -> list[int | None]:
    """Return the numbers of entries without a frame: their ids, or those in their names.

    Names count before ids that number the entries, while names number every tenth frame. They may
    count from 1 if the last one is the number of frames.
    """
    ids = [each.image_id if isinstance(each.image_id, int) else None for each in images]
    named = [number_in(each.path) for each in images]
    if 0 not in ids:
        last = max((name for name in named if name is not None), default=None)
        return named if 0 in named or last == frames else [None] * len(images)
    pairs = [(name, own) for name, own in zip(named, ids, strict=True) if own is not None]
    offsets = {name - own for name, own in pairs if name is not None}
    are_named = None not in named and len(set(named)) == len(named) > 1
    return named if are_named and len(offsets) > 1 else ids
