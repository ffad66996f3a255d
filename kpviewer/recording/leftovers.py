"""What a crash left of recordings: parts that nobody writes any more, and how they are finished."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from kpviewer.errors import RecordingError
from kpviewer.recording.disk import asking_disk
from kpviewer.recording.files import PART_SUFFIX, SUFFIXES
from kpviewer.recording.locks import is_held
from kpviewer.recording.parts import publish

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST_LIST = 512 * 1024 * 1024
"""Bytes of a JSON file that is read to be closed."""
_PNG_END = b"IEND\xaeB`\x82"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The parts in a folder that had no writer."""

    finished: tuple[Path, ...] = ()
    """Files that got their name, oldest first."""
    broken: tuple[Path, ...] = ()
    """Parts that can't be read; they are left as they are."""


def find_leftovers(folder: Path) -> list[Path]:
    """List the part files of ours in a folder that no process writes, oldest first.

    Empty ones are left out: nothing was recorded.
    """
    found = []
    with asking_disk():
        paths = list(folder.glob("*" + PART_SUFFIX)) if folder.is_dir() else []
    for path in paths:
        if not path.name.removesuffix(PART_SUFFIX).endswith(SUFFIXES):
            continue
        with suppress(OSError), asking_disk():  # it may be renamed meanwhile
            status = path.stat()
            if status.st_size and not is_held(path):
                found.append((status.st_mtime, path))
    return [path for _, path in sorted(found)]


def finish_leftovers(folder: Path) -> Leftovers:
    """Give the parts that no process writes their names; all but the last moments is in them.

    A line that was cut off is removed, and a JSON list is closed.
    """
    finished, broken = [], []
    for part in find_leftovers(folder):
        try:
            with asking_disk():
                is_sound = _mend(part)
            if is_sound:
                finished.append(publish(part))
            else:
                broken.append(part)
        except (OSError, RecordingError, ValueError):
            broken.append(part)
    return Leftovers(tuple(finished), tuple(broken))


def _mend(part: Path) -> bool:
    """Cut what is incomplete off the end; return whether the file can be read then."""
    suffix = part.with_name(part.name.removesuffix(PART_SUFFIX)).suffix
    if suffix in (".jsonl", ".csv"):
        return _cut_line(part)
    if suffix == ".json":
        return _close_list(part)
    if suffix == ".png":
        return part.read_bytes().endswith(_PNG_END)
    try:
        with av.open(str(part), metadata_errors="replace") as container:
            return next(container.demux(video=0)).size > 0
    except (av.FFmpegError, StopIteration, IndexError):
        return False


def _cut_line(part: Path) -> bool:
    with part.open("r+b") as file:
        end = file.seek(0, 2)
        while end:
            start = max(end - 65536, 0)
            file.seek(start)
            place = file.read(end - start).rfind(b"\n")
            if place >= 0:
                file.truncate(start + place + 1)
                return True
            end = start
    return False


def _close_list(part: Path) -> bool:
    if part.stat().st_size > _LARGEST_LIST:
        return False
    text = part.read_bytes()
    with suppress(ValueError):
        json.loads(text)
        return True
    end = max(text.rfind(b"}\n"), text.rfind(b"},\n"), len(text) - 1 if text.endswith(b"}") else -1)
    closed = text[: end + 1] + b"\n]\n"
    json.loads(closed)
    part.write_bytes(closed)
    return True
