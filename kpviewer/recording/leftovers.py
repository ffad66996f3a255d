"""Part files of recordings after a crash, and finishing them."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av

from kpviewer.errors import RecordingError
from kpviewer.recording.disk import disk_call
from kpviewer.recording.files import PART_SUFFIX, SUFFIXES
from kpviewer.recording.parts import publish
from kpviewer.sources.video.mp4_boxes import readable_bytes
from kpviewer.sources.video.pyav import open_input
from kpviewer.system.locks import is_held, lock

_LARGEST_LIST = 512 * 1024 * 1024
"""Largest size of a JSON list that is read and closed."""
_PNG_END = b"IEND\xaeB`\x82"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Part files of a folder that no process was writing."""

    finished: tuple[Path, ...] = ()
    """Files that got their final name, oldest first."""
    broken: tuple[Path, ...] = ()
    """Parts that can't be read and are left unchanged."""


def find_leftovers(folder: Path) -> list[Path]:
    """Return the part files in a folder that no process writes, oldest first.

    Only files of kpviewer count, and empty ones are left out.
    """
    found = []
    with disk_call():
        paths = list(folder.glob("*" + PART_SUFFIX)) if folder.is_dir() else []
    for path in paths:
        if not path.name.removesuffix(PART_SUFFIX).endswith(SUFFIXES):
            continue
        with suppress(OSError), disk_call():  # it may be renamed meanwhile
            status = path.stat()
            if status.st_size and not is_held(path):
                found.append((status.st_mtime, path))
    return [path for _, path in sorted(found)]


def finish_leftovers(folder: Path) -> Leftovers:
    """Repair the parts that no process writes, and give them their final names.

    They lack only the last moments. A truncated line is removed, and a JSON list is closed.
    """
    finished, broken = [], []
    for part in find_leftovers(folder):
        try:
            with disk_call(), part.open("rb") as file:
                if not lock(file.fileno()):  # another process is repairing it
                    continue
                is_readable = _repair(part)
            if is_readable:
                finished.append(publish(part))
            else:
                broken.append(part)
        except (OSError, RecordingError, ValueError):
            if os.path.lexists(part):  # else another process has finished it
                broken.append(part)
    return Leftovers(tuple(finished), tuple(broken))


def _repair(part: Path) -> bool:
    """Remove an incomplete end; return whether the file can be read then."""
    suffix = part.with_name(part.name.removesuffix(PART_SUFFIX)).suffix
    if suffix in (".jsonl", ".csv"):
        return _cut_line(part)
    if suffix == ".json":
        return _close_list(part)
    if suffix == ".png":
        return part.read_bytes().endswith(_PNG_END)
    end = readable_bytes(part)
    try:
        location = f"subfile,,start,0,end,{end},,:{part}"
        with open_input(location, format="mov") as container:
            is_readable = next(container.demux(video=0)).size > 0
    except (av.FFmpegError, StopIteration, IndexError):
        return False
    if is_readable:
        os.truncate(part, end)
    return is_readable


def _cut_line(part: Path) -> bool:
    with part.open("r+b") as file:
        end = file.seek(0, 2)
        while end:
            start = max(end - 65536, 0)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
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
    closed = (text[: end + 1] or text[:1]) + b"\n]\n"
    json.loads(closed)
    part.write_bytes(closed)
    return True
