"""Files that are written as NAME.part, and get their name once they are complete.

A part is held open and locked while it grows. So another kpviewer knows that it isn't the remains
of a crash, and its content can be saved when its name is gone: removed, moved or unmounted.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from kpviewer.errors import RecordingError
from kpviewer.recording.disk import asking_disk
from kpviewer.recording.files import MOST_NAMES, PART_SUFFIX, candidates, safe_stem
from kpviewer.recording.locks import lock
from kpviewer.recording.reasons import reason_of

if TYPE_CHECKING:
    from pathlib import Path

_COPY_BYTES = 1024 * 1024


class Part:
    """A growing file, for one thread at a time; ``reserve`` makes it.

    It is a raw binary file with ``write``, ``seek`` and ``tell``, as FFmpeg wants it.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over an open file.

        Args:
            path: name that ends in ``.part``.
            descriptor: open for reading and writing.
        """
        self._path = path
        self._descriptor: int | None = descriptor
        self._identity = identity_of(path)
        self._place = self._size = 0
        self.rescue_folder = path.parent
        """Where ``publish`` saves the content when the file's name is gone."""

    @property
    def path(self) -> Path:
        """The name while it grows."""
        return self._path

    @property
    def name(self) -> str:
        """The last part of ``path``."""
        return self._path.name

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._size

    def write(self, data: bytes) -> int:
        """Write all of ``data`` where the file stands."""
        left = memoryview(data)
        while left:
            with asking_disk():
                written = os.write(self._opened, left)
            self._place += written
            self._size = max(self._size, self._place)
            left = left[written:]
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place of the file."""
        self._place = os.lseek(self._opened, offset, whence)
        return self._place

    def tell(self) -> int:
        """Return the present place."""
        return self._place

    def is_there(self) -> bool:
        """Return whether the name still leads to this file."""
        return self._identity is not None and self._identity == identity_of(self._path)

    def publish(self) -> Path:
        """Give the complete file its final name; if that was taken meanwhile, the next free one.

        A file whose name is gone is copied to ``rescue_folder``.

        Raises:
            RecordingError: if it can't be renamed, or not be saved again.
        """
        if not self.is_there():
            return self._rescue()
        if os.name == "nt":  # an open file can't be renamed there
            self._close()
        try:
            return publish(self._path)
        finally:
            self._close()

    def discard(self) -> None:
        """Remove the file."""
        is_ours = self.is_there()
        self._close()
        if is_ours:
            with contextlib.suppress(OSError), asking_disk():
                self._path.unlink()

    @property
    def _opened(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"{self.name} must be open to be written, got a closed file")
        return self._descriptor

    def _rescue(self) -> Path:
        final = self._path.name.removesuffix(PART_SUFFIX)
        try:
            stem, suffix = os.path.splitext(final)
            copy = reserve(self.rescue_folder, stem, suffix)
            try:
                _copy(self._opened, copy)
            except OSError:
                copy.discard()
                raise
            return copy.publish()
        except (OSError, RecordingError) as error:
            raise RecordingError(
                f"{self.name} was removed or moved while it was written, and can't be saved "
                f"again: {reason_of(error)}"
            ) from error
        finally:
            self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError), asking_disk():
                os.close(descriptor)

    def __del__(self) -> None:
        """Let the lock go with the last reference."""
        self._close()


def reserve(folder: Path, stem: str, suffix: str) -> Part:
    """Create an empty part file whose final name is free.

    Args:
        folder: made if it isn't there.
        stem: any text; see ``safe_stem``.
        suffix: with its dot.

    Returns:
        The part ``folder/stem.suffix.part``, or ``stem_2``, ``stem_3`` and so on.

    Raises:
        RecordingError: if nothing can be written there.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    try:
        with asking_disk():
            folder.mkdir(parents=True, exist_ok=True)
            for final in candidates(folder, safe_stem(stem), suffix):
                part = final.with_name(final.name + PART_SUFFIX)
                if final.exists():
                    continue
                try:
                    descriptor = os.open(part, flags, 0o644)
                except FileExistsError:
                    continue
                lock(descriptor)
                return Part(part, descriptor)
    except OSError as error:
        raise RecordingError(
            f"{folder} must be a folder that can be written, got: {error.strerror or error}. "
            "Choose another folder."
        ) from error
    raise RecordingError(f"{folder} has {MOST_NAMES} files named {stem}. Choose another folder.")


def save_file(folder: Path, stem: str, suffix: str, data: bytes) -> Path:
    """Write a whole file; never overwrites.

    Args:
        folder: made if it isn't there.
        stem: any text; see ``safe_stem``.
        suffix: with its dot.
        data: its content.

    Raises:
        RecordingError: if it can't be written; nothing is left then.
    """
    part = reserve(folder, stem, suffix)
    try:
        part.write(data)
    except OSError as error:
        part.discard()
        raise RecordingError(
            f"{part.name.removesuffix(PART_SUFFIX)} can't be written: {reason_of(error)}"
        ) from error
    return part.publish()


def publish(part: Path) -> Path:
    """Give a complete part its final name; if that was taken meanwhile, the next free one.

    Raises:
        RecordingError: if the file can't be renamed; it is left as it is.
    """
    final = part.with_name(part.name.removesuffix(PART_SUFFIX))
    try:
        with asking_disk():
            for name in (final, *candidates(part.parent, final.stem, final.suffix)):
                if not name.exists() and _rename(part, name):
                    return name
    except OSError as error:
        raise RecordingError(
            f"{part} is complete but can't be renamed: {error.strerror or error}. "
            f"Rename it to {final.name} yourself."
        ) from error
    raise RecordingError(f"No free name for {part}. Rename it to end in {final.suffix} yourself.")


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


def _copy(descriptor: int, target: Part) -> None:
    with asking_disk():
        os.lseek(descriptor, 0, os.SEEK_SET)
    while True:
        with asking_disk():
            data = os.read(descriptor, _COPY_BYTES)
        if not data:
            return
        target.write(data)


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return the numbers of device and file behind a name; None where nothing can be reached."""
    try:
        with asking_disk():
            status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
