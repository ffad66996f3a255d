"""Files that are written as NAME.part, and get their final name once they are complete.

A part stays open and locked while it grows. The lock shows another kpviewer that it isn't the
remains of a crash. Its content can be saved even if its name is removed, moved or unmounted.
"""

import contextlib
import os
from pathlib import Path

from kpviewer.errors import RecordingError
from kpviewer.recording.disk import disk_call
from kpviewer.recording.files import PART_SUFFIX, candidates, no_name_error, safe_stem
from kpviewer.recording.reasons import reason_of
from kpviewer.system import paths
from kpviewer.system.locks import lock

_COPY_BYTES = 1024 * 1024


class Part:
    """A growing file, for one thread at a time; ``reserve`` makes it.

    It is a raw binary file with ``write``, ``seek`` and ``tell``, which FFmpeg requires.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        """Take over an open file.

        Args:
            path: path of the file; it ends in ``.part``.
            descriptor: descriptor of the file, open for reading and writing.
        """
        self.path = path
        """Path of the part file."""
        self._descriptor: int | None = descriptor
        self._identity = identity_of(path)
        self._position = 0
        self.size = 0
        """Size of the file in bytes."""
        self.rescue_folder = path.parent
        """Folder where ``publish`` saves the content if the file's name is gone."""

    @property
    def name(self) -> str:
        """The last part of ``path``."""
        return self.path.name

    def write(self, data: bytes) -> int:
        """Write all of ``data`` at the present position."""
        left = memoryview(data)
        while left:
            with disk_call():
                written = os.write(self._opened, left)
            self._position += written
            self.size = max(self.size, self._position)
            left = left[written:]
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another position in the file."""
        self._position = os.lseek(self._opened, offset, whence)
        return self._position

    def tell(self) -> int:
        """Return the present position."""
        return self._position

    def truncate(self, size: int) -> None:
        """Cut the file to ``size`` bytes, and move to its end."""
        with disk_call():
            os.ftruncate(self._opened, size)
        self.size = self.seek(size)

    def is_there(self) -> bool:
        """Return whether the path still leads to this file."""
        return self._identity is not None and self._identity == identity_of(self.path)

    def publish(self) -> Path:
        """Rename the complete file to its final name, or to the next free one.

        A file whose name is gone is copied to ``rescue_folder``.

        Raises:
            RecordingError: if it can be neither renamed nor copied.
        """
        if not self.is_there():
            return self._rescue()
        if os.name == "nt":  # an open file can't be renamed there
            self._close()
        try:
            return publish(self.path)
        finally:
            self._close()

    def discard(self) -> None:
        """Remove the file."""
        is_ours = self.is_there()
        self._close()
        if is_ours:
            with contextlib.suppress(OSError), disk_call():
                self.path.unlink()

    @property
    def _opened(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"{self.name} must be open to be written, got a closed file")
        return self._descriptor

    def _rescue(self) -> Path:
        final = self.path.name.removesuffix(PART_SUFFIX)
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
            with contextlib.suppress(OSError), disk_call():
                os.close(descriptor)

    def __del__(self) -> None:
        """Release the lock with the last reference."""
        self._close()


def reserve(folder: Path, stem: str, suffix: str) -> Part:
    """Create an empty part file whose final name is free.

    Returns:
        The part ``folder/stem.suffix.part``, or ``stem_2``, ``stem_3`` and so on.

    Raises:
        RecordingError: if the folder can't be written.
    """
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    try:
        with disk_call():
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
    raise no_name_error(folder, stem)


def save_file(folder: Path, stem: str, suffix: str, data: bytes) -> Path:
    """Write a whole file, without overwriting another.

    Raises:
        RecordingError: if it can't be written; no file remains then.
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
    """Rename a complete part to its final name, or to the next free one; return that.

    Raises:
        RecordingError: if the file can't be renamed; it stays unchanged.
    """
    final = part.with_name(part.name.removesuffix(PART_SUFFIX))
    try:
        with disk_call():
            for name in (final, *candidates(part.parent, final.stem, final.suffix)):
                if not name.exists() and _rename(part, name):
                    return name
                if name.exists() and name.samefile(part):  # ended between the steps of _rename
                    part.unlink()
                    return name
    except OSError as error:
        raise RecordingError(
            f"{part} is complete but can't be renamed: {error.strerror or error}. "
            f"Rename it to {final.name} yourself."
        ) from error
    raise RecordingError(f"No free name for {part}. Rename it to end in {final.suffix} yourself.")


def _rename(part: Path, final: Path) -> bool:
    """Rename without replacing a file; return False if the name is taken."""
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
    with disk_call():
        os.lseek(descriptor, 0, os.SEEK_SET)
    while True:
        with disk_call():
            data = os.read(descriptor, _COPY_BYTES)
        if not data:
            return
        target.write(data)


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return the device and file numbers of a path; None if it can't be reached."""
    with disk_call():
        return paths.identity_of(path)
