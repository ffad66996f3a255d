"""File names of recordings, and free space.

No file is overwritten: ``clip.mp4`` is followed by ``clip_2.mp4``.
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
from kpviewer.recording.disk import disk_call

PART_SUFFIX = ".part"
SUFFIXES = (".mp4", ".jsonl", ".csv", ".json", ".png")
"""Suffixes of the files that this package writes."""

_ENDINGS_CHARS = 10
"""Part of the longest stem that is reserved for endings such as ``_raw.mp4``."""
_LONGEST_STEM = 80  # with "_999.jsonl.part" it stays below 100 characters
_LONGEST_SOURCE = 40
"""Longest part of a source's name in the name of a recording."""
MOST_NAMES = 1000
"""Largest number of names that are tried for one file."""


def recording_stem(source: str = "", now: datetime | None = None) -> str:
    """Return the name of a recording, without suffix: its source's, and the time to the second.

    Args:
        source: name of the source, such as clip.mp4; empty if there is none.
        now: local time; None is the present.
    """
    stem = source_stem(source)[:_LONGEST_SOURCE].strip("._") if source else "kpviewer"
    return f"{stem}_{now or datetime.now().astimezone():%Y-%m-%d_%H-%M-%S}"


def safe_stem(text: str) -> str:
    """Turn any text into a file name without suffix: letters, digits, ``._-``, no leading dot."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:_LONGEST_STEM].strip("._")
    return stem or "recording"


def utf8_of(text: str) -> bytes:
    r"""Encode the text of a result file as UTF-8.

    A file name may have bytes that are not text. In every format they become escapes such as
    ``\udce9``, as in JSON, which Python reads as the original name.
    """
    return text.encode("utf-8", "backslashreplace")


def source_stem(name: str) -> str:
    """Return the stem of files that are made from a source: ``clip`` for ``clip.mp4``."""
    return safe_stem(PurePath(name).stem)


def stem_for_endings(text: str, number: int = 1) -> str:
    """Return the stem of several files, which leaves room for endings such as ``_raw.mp4``.

    Args:
        text: any text; see ``safe_stem``.
        number: 1 for the stem itself, 2 for ``clip_2`` and so on.
    """
    end = "" if number == 1 else f"_{number}"
    return safe_stem(safe_stem(text)[: _LONGEST_STEM - _ENDINGS_CHARS - len(end)]) + end


def free_stem(folder: Path, stem: str, endings: Iterable[str]) -> str:
    """Return a stem with which none of several files exists: ``clip``, ``clip_2`` and so on.

    Args:
        folder: folder of the files; it need not exist.
        stem: any text; see ``safe_stem``.
        endings: endings of the file names, such as ``.mp4`` and ``_raw.mp4``.

    Raises:
        RecordingError: if there is none.
    """
    all_endings = list(endings)
    stem = stem_for_endings(stem)
    for final in candidates(folder, stem, ""):
        names = [final.name + ending + part for ending in all_endings for part in ("", PART_SUFFIX)]
        with disk_call():
            if not any(os.path.lexists(folder / name) for name in names):
                return final.name
    raise RecordingError(f"{folder} has {MOST_NAMES} files named {stem}. Choose another folder.")


def recording_target(file: str, folder: Path) -> tuple[Path, str | None]:
    """Return the folder of a recording, and its file name without suffix.

    Args:
        file: as typed: a file, or a folder that exists; empty means ``folder``.
        folder: default folder of recordings.

    Returns:
        The name is None if only a folder is known: it is then made from the time.

    Raises:
        RecordingError: if a file can't have this name.
    """
    if not file:
        return folder, None
    with disk_call():
        path = named_path(file, RecordingError)
        return (path, None) if path.is_dir() else (path.parent, path.stem)


def free_bytes(folder: Path) -> int:
    """Return the free bytes on the disk where ``folder`` is, or will be."""
    with disk_call():
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        return shutil.disk_usage(existing).free


def candidates(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Return the paths that are tried for a file, in order."""
    names = [stem, *(f"{stem}_{number}" for number in range(2, MOST_NAMES + 1))]
    return [folder / (name + suffix) for name in names]
