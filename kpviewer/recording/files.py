"""Files that are written as NAME.part and get their name once they are complete.

A name is never taken twice: ``clip.mp4`` is followed by ``clip_2.mp4``. What a killed program
leaves is a ``.part`` file, which ``leftover_recordings`` lists.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePath

from kpviewer.errors import RecordingError

PART_SUFFIX = ".part"
SUFFIXES = (".mp4", ".jsonl", ".csv", ".json", ".png")
"""Of the files that this package writes."""

_ENDINGS_CHARS = 10
"""What endings such as ``_raw.mp4`` may take of the longest stem."""
_LONGEST_STEM = 80  # with "_999.jsonl.part" it stays below 100 characters
_MOST_TRIES = 1000
_STILL_WRITTEN_S = 10.0
"""A recorder writes several times a second; a part that is older has no writer."""


def recording_stem(now: datetime | None = None) -> str:
    """Give the name of a recording that starts now, without suffix: local time to the second."""
    return (now or datetime.now().astimezone()).strftime("kpviewer_%Y-%m-%d_%H-%M-%S")


def safe_stem(text: str) -> str:
    """Turn any text into a file name without suffix: letters, digits, ``._-``, no leading dot."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:_LONGEST_STEM].strip("._")
    return stem or "recording"


def source_stem(name: str) -> str:
    """Give a name for what is made of a source: ``clip`` for ``clip.mp4``."""
    return safe_stem(PurePath(name).stem)


def reserve(folder: Path, stem: str, suffix: str) -> Path:
    """Create an empty part file whose final name is free.

    Args:
        folder: made if it isn't there.
        stem: any text; see ``safe_stem``.
        suffix: with its dot.

    Returns:
        Path of the part: ``folder/stem.suffix.part``, or ``stem_2``, ``stem_3`` and so on.

    Raises:
        RecordingError: if nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for final in _candidates(folder, safe_stem(stem), suffix):
            part = final.with_name(final.name + PART_SUFFIX)
            if final.exists():
                continue
            try:
                os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            except FileExistsError:
                continue
            return part
    except OSError as error:
        raise RecordingError(
            f"{folder} must be a folder that can be written, got: {error.strerror or error}. "
            "Choose another folder."
        ) from error
    raise RecordingError(f"{folder} has {_MOST_TRIES} files named {stem}. Choose another folder.")


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
    for final in _candidates(folder, stem, ""):
        names = [final.name + ending + part for ending in wanted for part in ("", PART_SUFFIX)]
        if not any(os.path.lexists(folder / name) for name in names):
            return final.name
    raise RecordingError(f"{folder} has {_MOST_TRIES} files named {stem}. Choose another folder.")


def publish(part: Path) -> Path:
    """Give a complete part its final name; if that was taken meanwhile, the next free one.

    Raises:
        RecordingError: if the file can't be renamed; it is left as it is.
    """
    final = part.with_name(part.name.removesuffix(PART_SUFFIX))
    try:
        for name in (final, *_candidates(part.parent, final.stem, final.suffix)):
            if not name.exists() and _rename(part, name):
                return name
    except OSError as error:
        raise RecordingError(
            f"{part} is complete but can't be renamed: {error.strerror or error}. "
            f"Rename it to {final.name} yourself."
        ) from error
    raise RecordingError(f"No free name for {part}. Rename it to end in {final.suffix} yourself.")


def leftover_recordings(folder: Path) -> list[Path]:
    """List the part files in a folder that nobody writes any more, oldest first.

    Videos and line-wise results among them are good up to their last second; ``publish`` gives
    them a name.
    """
    found = []
    for path in folder.glob("*" + PART_SUFFIX) if folder.is_dir() else ():
        try:
            changed_s = path.stat().st_mtime
        except OSError:
            continue  # renamed meanwhile
        is_ours = path.name.removesuffix(PART_SUFFIX).endswith(SUFFIXES)
        if is_ours and time.time() - changed_s > _STILL_WRITTEN_S:
            found.append((changed_s, path))
    return [path for _, path in sorted(found)]


def free_bytes(folder: Path) -> int:
    """Give the space left for us where ``folder`` is, or will be."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def _candidates(folder: Path, stem: str, suffix: str) -> list[Path]:
    names = [stem, *(f"{stem}_{number}" for number in range(2, _MOST_TRIES + 1))]
    return [folder / (name + suffix) for name in names]


def _rename(part: Path, final: Path) -> bool:
    """Rename without replacing; False if the name was taken meanwhile."""
    try:
        os.link(part, final)  # unlike rename, it fails on a name that is taken
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        part.rename(final)
        return True
    part.unlink()
    return True
