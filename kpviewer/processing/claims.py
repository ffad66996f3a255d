"""Claims on the names of a source's files while it is processed.

A claim is a locked file, ``STEM.processing``. It shows other runs that the names are taken. If its
process is killed, the lock is gone but the file remains: files of these names are incomplete, and
the next attempt replaces them, also that of another command. The claim lists their endings.
"""

import os
import random
import secrets
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from kpviewer.errors import RecordingError
from kpviewer.processing.names import EVERY_ENDING
from kpviewer.recording.disk import disk_call
from kpviewer.recording.files import MOST_NAMES, PART_SUFFIX, no_name_error, stem_for_endings
from kpviewer.recording.reasons import reason_of
from kpviewer.system.locks import is_held, lock
from kpviewer.system.paths import remove

SUFFIX = ".processing"
_BETWEEN, _MAX_BYTES = b"\0", 64 * 1024
"""Separator of work and endings in a claim, and the part of it that is read."""
_TRIES, _PAUSE_S = 100, (0.001, 0.01)
"""Number of tries to get a claim that other processes are looking at, and the time between them."""


class ClaimedElsewhereError(Exception):
    """Another process is processing the same source with the same settings."""


class Claim:
    """Right of this process to write the files of a stem; ``claim`` makes it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over the open and locked file."""
        self.path, self._descriptor = path, descriptor

    @property
    def stem(self) -> str:
        """Name of the files without their endings."""
        return self.path.name.removesuffix(SUFFIX)

    def leave(self) -> None:
        """Release the lock; the next attempt replaces the files."""
        os.close(self._descriptor)

    def end(self) -> None:
        """Remove the claim, once the outcome is written down."""
        with suppress(OSError), disk_call():
            self.path.unlink()
        os.close(self._descriptor)
        if sys.platform == "win32":  # which doesn't remove an open file
            forget(self.path.parent, self.stem)


def forget(folder: Path, stem: str) -> None:
    """Remove the file of a claim that was left, and that no process has."""
    path = folder / (stem + SUFFIX)
    with suppress(OSError), disk_call():
        if not is_held(path):
            path.unlink()


def claim(
    folder: Path,
    stem: str,
    endings: Iterable[str],
    replaced: Mapping[str, int] | None = None,
    work: str = "",
) -> Claim:
    """Claim a stem under which no file lies, and return the claim.

    Files of a killed attempt are removed, and those of these endings that a failed one left. No
    other file is replaced: ``clip`` is followed by ``clip_2``.

    Args:
        folder: folder of the files; made if it doesn't exist.
        stem: name without endings.
        endings: text after the stem in the name of each file or folder.
        replaced: bytes of files that a failed attempt left, by name.
        work: what is done: the source and the settings; empty if no other process does the same.

    Raises:
        ClaimedElsewhereError: if another process does the same work under this stem.
        RecordingError: if the folder can't be written.
    """
    ends = list(endings)
    try:
        with disk_call():
            folder.mkdir(parents=True, exist_ok=True)
            for name, size in (replaced or {}).items():
                if name.endswith(tuple(ends)) and bytes_of(folder / name) == size:
                    remove(folder / name)
            if work:
                _check_second(folder, stem_for_endings(stem, 2), ends, work)
            for number in range(1, MOST_NAMES + 1):
                name = stem if number == 1 else stem_for_endings(stem, number)
                if (taken := _taken(folder, name, ends, work)) is not None:
                    return taken
    except OSError as error:
        raise RecordingError(
            f"{folder} must be a folder that can be written, got: {reason_of(error)}"
        ) from error
    raise no_name_error(folder, stem)


def _check_second(folder: Path, stem: str, endings: list[str], work: str) -> None:
    """Remove what an attempt at the same work left under a second name, as the first was taken.

    Raises:
        ClaimedElsewhereError: if another process still does that work there.
    """
    path = folder / (stem + SUFFIX)
    with suppress(FileNotFoundError):  # mostly there is none; another process may end meanwhile
        if not stat.S_ISREG(path.lstat().st_mode) or _work_of(path) != _content(work):
            return
        if is_held(path):
            raise ClaimedElsewhereError
        for each in files_of(folder, stem, endings):
            remove(each)
        forget(folder, stem)


def clear(folder: Path, stem: str, endings: Iterable[str]) -> None:
    """Remove the files under a claimed stem, which a killed worker left.

    Raises:
        RecordingError: if they can't be removed.
    """
    try:
        with disk_call():
            for each in files_of(folder, stem, endings):
                remove(each)
    except OSError as error:
        raise RecordingError(f"{folder / stem} can't be replaced: {reason_of(error)}") from error


def unclaimed_stem(folder: Path, stem: str, endings: Iterable[str]) -> str:
    """Return a stem that is free for all files together, if they are written without a claim.

    Under a claim that a killed process left, the next attempt would replace them.
    """
    taken, ends = claimed_stems(folder), list(endings)
    names = (stem_for_endings(stem, number) for number in range(1, MOST_NAMES + 1))
    with disk_call():
        free = (
            name for name in names if name not in taken and not any(files_of(folder, name, ends))
        )
        return next(free, stem)


def claimed_stems(folder: Path) -> tuple[str, ...]:
    """Return the stems of all claims in a folder, held or left by a killed process."""
    with suppress(OSError), disk_call():
        return tuple(path.name.removesuffix(SUFFIX) for path in folder.glob("*" + SUFFIX))
    return ()


def bytes_of(path: Path) -> int | None:
    """Return the size of a file, or of all files in a folder; None if it can't be reached.

    Hidden files don't count: a file manager puts them into each folder that it shows.
    """
    try:
        with disk_call():
            if not path.is_dir():
                return path.stat().st_size
            files = (each for each in path.rglob("[!.]*") if each.is_file())
            return sum(each.stat().st_size for each in files)
    except OSError:
        return None


def _taken(folder: Path, stem: str, endings: list[str], work: str) -> Claim | None:
    """Return the claim on a stem; None if another process has it, or a file lies there.

    Raises:
        ClaimedElsewhereError: if another process has it for the same work.
    """
    path = folder / (stem + SUFFIX)
    for _ in range(_TRIES):
        descriptor = _created(path, _content(work, endings))
        is_new = descriptor is not None
        try:
            if descriptor is None:
                descriptor, endings = _left(path, work, endings)
        except FileNotFoundError:  # another process has ended meanwhile
            continue
        except BlockingIOError:  # another process looks at it, or takes it over
            time.sleep(random.uniform(*_PAUSE_S))
            continue
        break
    else:
        return None
    if descriptor is None:
        return None
    found = list(dict.fromkeys(files_of(folder, stem, endings)))
    is_written = any(each.name.endswith(PART_SUFFIX) and is_held(each) for each in found)
    if found and (is_new or is_written):
        if is_new:
            path.unlink()
        os.close(descriptor)
        return None
    for each in found:
        remove(each)
    return Claim(path, descriptor)


def _created(path: Path, content: bytes) -> int | None:
    """Make the file of a claim, and return its descriptor; None if there is one.

    Others see it once it is locked and whole: else they would take the name, or the next one.
    """
    if os.path.lexists(path):
        return None
    if sys.platform != "win32":  # which removes no open file
        beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = _locked(beside, content)
        try:
            os.link(beside, path)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, FileExistsError):
                return None
        else:
            return descriptor
        finally:
            beside.unlink()
    try:  # also on a file system without hard links
        return _locked(path, content)
    except FileExistsError:
        return None


def _locked(path: Path, content: bytes) -> int:
    """Make a locked file, and return its descriptor."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
    try:
        lock(descriptor)
        os.write(descriptor, content)
    except OSError:
        os.close(descriptor)
        path.unlink()
        raise
    return descriptor


def _left(path: Path, work: str, endings: list[str]) -> tuple[int | None, list[str]]:
    """Take over the claim that a killed process left.

    Args:
        path: the file of the claim.
        work: what is done under it; empty if no other process does the same.
        endings: text after the stem in the name of each file.

    Returns:
        Its descriptor, None if another process holds it; and the endings with those of the process
        that left it.

    Raises:
        ClaimedElsewhereError: if another process does the same work under it.
        BlockingIOError: if it can't be locked right now.
        FileNotFoundError: if it is gone.
    """
    if not stat.S_ISREG(path.lstat().st_mode):  # a link would lead to another file
        return None, endings
    if is_held(path):
        if work and _work_of(path) == _content(work):
            raise ClaimedElsewhereError
        return None, endings
    descriptor = os.open(path, os.O_RDWR)
    try:
        if not lock(descriptor) or not _leads_to(path, descriptor):
            raise BlockingIOError
        left = os.read(descriptor, _MAX_BYTES).split(_BETWEEN)[1:]
        endings = [*endings, *(each for each in EVERY_ENDING if each.encode() in left)]
        content = _content(work, endings)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, content)
        os.truncate(descriptor, len(content))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor, endings


def _work_of(path: Path) -> bytes:
    """Return what is done under a claim."""
    return path.read_bytes().partition(_BETWEEN)[0]


def _content(work: str, endings: Iterable[str] = ()) -> bytes:
    """Return the content of a claim."""
    return _BETWEEN.join([each.encode("utf-8", "surrogateescape") for each in (work, *endings)])


def _leads_to(path: Path, descriptor: int) -> bool:
    """Return whether a path still leads to an open file, as another process may have removed it."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def files_of(folder: Path, stem: str, endings: Iterable[str]) -> Iterator[Path]:
    """Yield the files and folders under a stem, whole and incomplete ones."""
    for ending in endings:
        for part in ("", PART_SUFFIX):
            path = folder / (stem + ending + part)
            if os.path.lexists(path):
                yield path
