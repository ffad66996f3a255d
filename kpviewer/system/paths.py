"""Paths that users name, checked where they enter the program; files written atomically."""

import hashlib
import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from kpviewer.errors import KpviewerError

LONGEST_SHOWN = 80
"""Maximum number of characters of a name in a message."""
_TOKEN_BYTES = 4
"""Random bytes in the name of a file that isn't whole yet."""


def expanded(name: str | Path) -> Path:
    """Return a path with ``~`` and ``~user`` expanded, unless it is that of a file, ``~clip.mp4``.

    Raises:
        RuntimeError: if there is no such user, nor such a file.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError:
        if os.path.exists(name):
            return Path(name)
        raise


def named_path(name: str | Path, error: type[KpviewerError]) -> Path:
    """Return the path that a user named, with ``~`` expanded; the file need not exist.

    The function accesses the disk.

    Args:
        name: the path as typed.
        error: class of the error to raise.

    Raises:
        error: if the name isn't valid for a file, or access is denied.
    """
    try:
        path = expanded(name)
        with suppress(FileNotFoundError, NotADirectoryError):
            os.stat(path)
    except (OSError, RuntimeError, ValueError) as failure:
        raise error(
            f"{shortened(str(name))} can't be a file ({_reason(str(name), failure)}). "
            "Check the name."
        ) from None
    return path


def make_folder(folder: Path, error: type[KpviewerError]) -> None:
    """Create a folder and its parents, unless they exist.

    Raises:
        error: if the folder can't be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        raise error(
            f"{shortened(str(folder))} can't be created as a folder ({reason}). Choose another."
        ) from None


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file, whole or not at all. Its folder is made.

    Args:
        path: path of the file; of a link, its target is written.
        content: all of it.
        mode: permissions, less those that the process withholds; by default the user's alone.

    Raises:
        OSError: if it can't be written; a file of this name is then as before.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(_TOKEN_BYTES)}")
    try:
        with open(beside, "xb", opener=partial(os.open, mode=mode)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # otherwise a power cut may leave an empty file
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise


def written_files(folder: Path, pattern: str) -> list[Path]:
    """Return files that ``write_atomically`` wrote, and what a killed process left of others.

    Args:
        folder: folder of the files; it need not exist.
        pattern: pattern of their names, such as ``*.json``.
    """
    return [*folder.glob(pattern), *folder.glob(f".{pattern}.{'[0-9a-f]' * 2 * _TOKEN_BYTES}")]


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds, if it is there.

    Raises:
        OSError: if it can't be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):  # a file system without write access refuses even that
        path.unlink(missing_ok=True)


def identity_of(path: Path | str) -> tuple[int, int] | None:
    """Return the device and file numbers of a path; None if it can't be reached."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def file_digest(path: Path) -> bytes:
    """Return the BLAKE2b hash of a file's content. Raises OSError if it can't be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def is_utf8(name: str) -> bool:
    """Return whether a name can be handed to libraries that take text; files' hold any bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def utf8_text(text: str) -> str:
    """Return text that UTF-8 can encode: names of files may hold bytes that aren't text."""
    return text.encode("utf-8", "backslashreplace").decode()


def trim_folder(
    folder: Path,
    suffix: str,
    max_bytes: int,
    is_removable: Callable[[Path], bool] = lambda path: True,
) -> list[Path]:
    """Remove files of a suffix until the others fit, the least recently used first.

    What killed processes left of such files counts, too.

    Args:
        folder: folder of the files.
        suffix: end of their names.
        max_bytes: most bytes that remain, unless files can't be removed: on Windows, those that
            another process reads.
        is_removable: whether a file may be removed.

    Returns:
        The removed files.
    """
    files, removed = [], []
    for path in written_files(folder, f"*{suffix}"):
        with suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime_ns, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= max_bytes:
            break
        with suppress(OSError):
            if is_removable(path):
                path.unlink()
                total -= size
                removed.append(path)
    return removed


def shortened(name: str) -> str:
    """Return a name cut to LONGEST_SHOWN characters."""
    return name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…"


def _reason(name: str, failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror.lower()
    if name.startswith("~"):
        return "there is no such user"
    return "it holds a character that file names can't have"
