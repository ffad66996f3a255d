"""File names of recordings, and free space.

No file is overwritten: ``clip.mp4`` is followed by ``clip_2.mp4``.
"""

import os
import re
import shutil
import threading
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePath
from typing import ClassVar

from kpviewer.errors import RecordingError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.recording.disk import disk_call
from kpviewer.sources.redact import ENDINGS
from kpviewer.sources.video.formats import VIDEO_SUFFIXES
from kpviewer.system.paths import named_path

PART_SUFFIX = ".part"
SUFFIXES = (".mp4", ".jsonl", ".csv", ".json", ".png")
"""Suffixes of the files that this package writes."""

_REMOVED = {*SUFFIXES, *VIDEO_SUFFIXES, *IMAGE_SUFFIXES, *(f".{each}" for each in ENDINGS)}
"""Suffixes that names of files made from another file don't keep."""
_ENDINGS_CHARS = 10
"""Part of the longest stem that is reserved for endings such as ``_raw.mp4``."""
_LONGEST_STEM = 80  # with "_999.jsonl.part" it stays below 100 characters
_LONGEST_BYTES = 120
"""Most bytes of a stem: letters of some scripts have four, and disks limit names to 143 or 255."""
_LONGEST_SOURCE = 40
"""Longest part of a source's name in the name of a recording."""
MOST_NAMES = 1000
"""Largest number of names that are tried for one file."""


def recording_stem(source: str = "", now: datetime | None = None) -> str:
    """Return the name of a recording, without suffix: its source's, and the time to the second."""
    stem = _stem_of(source, _LONGEST_STEM - _LONGEST_SOURCE) if source else "kpviewer"
    return f"{stem}_{now or datetime.now().astimezone():%Y-%m-%d_%H-%M-%S}"


def safe_stem(text: str, room: int = 0) -> str:
    """Turn any text into a file name without suffix; its first character isn't a dot.

    Letters and digits of every script are kept, and ``._-``. A long one is cut so that ``room``
    bytes can follow.
    """
    kept = (each if _is_harmless(each) else " " for each in unicodedata.normalize("NFC", text))
    stem = re.sub(" +", "_", "".join(kept))[: _LONGEST_STEM - room]
    stem = stem.encode()[: _LONGEST_BYTES - room].decode(errors="ignore").strip("._")
    return stem or "recording"


def _is_harmless(character: str) -> bool:
    is_mark = unicodedata.category(character).startswith("M")  # vowels in Devanagari and Thai
    return character.isalnum() or character in "._-" or is_mark


def utf8_of(text: str) -> bytes:
    r"""Encode the text of a result file as UTF-8.

    A file name may have bytes that are not text. In every format they become escapes such as
    ``\udce9``, as in JSON, which Python reads as the original name.
    """
    return text.encode("utf-8", "backslashreplace")


def source_stem(name: str, end: str = "") -> str:
    """Return the stem of files that are made from a source: ``clip`` for ``clip.mp4``.

    Args:
        name: name of the source.
        end: text that the stem ends with, however long the name is.
    """
    return _stem_of(name, len(end)) + end


def _stem_of(source: str, room: int) -> str:
    """Return the stem of a source; a pattern such as ``photos/*.jpg`` is named as its folder."""
    path = PurePath(source)
    names = map(_without_suffix, (path, *path.parents))
    named = (name for name in names if any(map(str.isalnum, name)))
    return safe_stem(next(named, ""), room)


def _without_suffix(path: PurePath) -> str:
    """Return the name without a known suffix: ``v1.2`` and ``2026.07.01`` have none."""
    return path.stem if path.suffix.lower() in _REMOVED else path.name


def stem_for_endings(text: str, number: int = 1) -> str:
    """Return the stem of several files, which leaves room for endings such as ``_raw.mp4``."""
    end = "" if number == 1 else f"_{number}"
    return safe_stem(text, _ENDINGS_CHARS + len(end)) + end


def free_stem(folder: Path, stem: str, endings: Iterable[str]) -> str:
    """Return a stem with which none of several files exists: ``clip``, ``clip_2`` and so on.

    Raises:
        RecordingError: if there is none.
    """
    claim = StemClaim(folder, stem, endings)
    claim.release()
    return claim.stem


class StemClaim:
    """Stem of files that are about to be made; no other claim of this process has it.

    Recordings that begin at once would else find the same stem free, and mix their files.

    Raises:
        RecordingError: if there is no free stem.
    """

    _claimed: ClassVar[set[Path]] = set()
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, folder: Path, stem: str, endings: Iterable[str]) -> None:
        all_endings = list(endings)
        stem = stem_for_endings(stem)
        self._held: Path | None = None
        for final in candidates(folder, stem, ""):
            if not self._hold(final):
                continue
            try:
                if _is_free(final, all_endings):
                    self.stem = final.name
                    """The stem, which no file has."""
                    return
            except BaseException:
                self.release()
                raise
            self.release()
        raise no_name_error(folder, stem)

    def release(self) -> None:
        """End the claim: the files are there, or never will be; idempotent."""
        with self._lock:
            held, self._held = self._held, None
            self._claimed.difference_update({held})

    def _hold(self, path: Path) -> bool:
        with self._lock:
            if path in self._claimed:
                return False
            self._claimed.add(path)
            self._held = path
            return True


def _is_free(stem: Path, endings: Iterable[str]) -> bool:
    names = [stem.name + ending + part for ending in endings for part in ("", PART_SUFFIX)]
    with disk_call():
        return not any(os.path.lexists(stem.parent / name) for name in names)


def no_name_error(folder: Path, stem: str) -> RecordingError:
    """Return the error for a folder in which every name that is tried is taken."""
    return RecordingError(f"{folder} has {MOST_NAMES} files named {stem}. Choose another folder.")


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
        return (path, None) if path.is_dir() else (path.parent, _without_suffix(path))


def free_bytes(folder: Path) -> int:
    """Return the free bytes on the disk where ``folder`` is, or will be."""
    with disk_call():
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        return shutil.disk_usage(existing).free


def candidates(folder: Path, stem: str, suffix: str) -> list[Path]:
    """Return the paths that are tried for a file, in order."""
    names = [stem, *(f"{stem}_{number}" for number in range(2, MOST_NAMES + 1))]
    return [folder / (name + suffix) for name in names]
