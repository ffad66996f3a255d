"""The names of recordings, and the space where they go.

A name is never taken twice: ``clip.mp4`` is followed by ``clip_2.mp4``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePath

from kpviewer.errors import RecordingError
from kpviewer.paths import named_path
from kpviewer.recording.disk import asking_disk

PART_SUFFIX = ".part"
SUFFIXES = (".mp4", ".jsonl", ".csv", ".json", ".png")
"""Of the files that this package writes."""

_ENDINGS_CHARS = 10
"""What endings such as ``_raw.mp4`` may take of the longest stem."""
_LONGEST_STEM = 80  # with "_999.jsonl.part" it stays below 100 characters
MOST_NAMES = 1000
"""That are tried for one file."""


def recording_stem(now: datetime | None = None) -> str:
    """Give the name of a recording that starts now, without suffix: local time to the second."""
    return (now or datetime.now().astimezone()).strftime("kpviewer_%Y-%m-%d_%H-%M-%S")


def safe_stem(text: str) -> str:
    """Turn any text into a file name without suffix: letters, digits, ``._-``, no leading dot."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:_LONGEST_STEM].strip("._")
    return stem or "recording"


def utf8_of(text: str) -> bytes:
    r"""Encode the text of a result file as UTF-8.

    A name of a file need not be text: a byte of it that isn't becomes ``\udce9``, as JSON escapes
    it, in every format. Python reads the JSON as the name that the file has.
    """
    return text.encode("utf-8", "backslashreplace")


def source_stem(name: str) -> str:
    """Give a name for what is made of a source: ``clip`` for ``clip.mp4``."""
    return safe_stem(PurePath(name).stem)


def free_stem(folder: Path, stem: str, endings: Iterable[str]) -> str:
    """Give a stem under which none of several files is taken: ``clip``, ``clip_2`` and so on.

    Args:
        folder: it need not be there.
        stem: any text; see ``safe_stem``.
        endings: of the names, such as ``.mp4`` and ``_raw.mp4``.

    Raises:
        RecordingError: if there is none.
    """
    wanted = list(endings)
    stem = safe_stem(safe_stem(stem)[: _LONGEST_STEM - _ENDINGS_CHARS])
    for final in candidates(folder, stem, ""):
        names = [final.name + ending + part for ending in wanted for part in ("", PART_SUFFIX)]
        with asking_disk():
            if not any(os.path.lexists(folder / name) for name in names):
                return final.name
    raise RecordingError(f"{folder} has {MOST_NAMES} files named {stem}. Choose another folder.")


def recording_place(file: str, folder: Path) -> tuple[Path, str | None]:
    """Return where a recording goes: the folder, and the file's name without suffix.

    Args:
        file: as typed: a file, or a folder that exists; empty is ``folder``.
        folder: where recordings go.

    Returns:
        The name is None where only a folder is known: it will be made from the time.

    Raises:
        RecordingError: if no file can be called so.
    """
    if not file:
        return folder, None
    with asking_disk():
        path = named_path(file, RecordingError)
        return (path, None) if path.is_dir() else (path.parent, path.stem)


def free_bytes(folder: Path) -> int:
    """Give the space left for us where ``folder`` is, or will be."""
    with asking_disk():
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        return shutil.disk_usage(there).free


def candidates(folder: Path, stem: str, suffix: str) -> list[Path]:
    """List the names that a file may take, in their order."""
    names = [stem, *(f"{stem}_{number}" for number in range(2, MOST_NAMES + 1))]
    return [folder / (name + suffix) for name in names]
