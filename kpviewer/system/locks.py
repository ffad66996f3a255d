"""Locks on files and folders in use, which distinguish running work from remains of a crash.

The operating system releases a lock when its process ends, however that ends.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STILL_WRITTEN_S = 10.0
"""Age in s from which on a file has no writer, on file systems without locks. A recorder writes
several times a second."""
_TURN_S, _PAUSE_S = 0.5, 0.002
"""Longest wait for a turn in a folder, and the time between tries, in s."""

if sys.platform == "win32":

    def lock(descriptor: int) -> bool:
        """Return True: Windows doesn't rename an open file, which ``is_held`` relies on."""
        return True

    def is_held(path: Path) -> bool:
        """Return whether a process has the file open."""
        try:
            os.rename(path, path)
        except OSError:
            return True
        return False

else:
    import fcntl

    def lock(descriptor: int) -> bool:
        """Lock an open file until it is closed; without effect on file systems without locks.

        Returns:
            False if another opening of the file has the lock.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def is_held(path: Path) -> bool:
        """Return whether a process writes the file; by its age on file systems without locks.

        Raises:
            OSError: if the file can't be opened.
        """
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return time.time() - os.fstat(descriptor).st_mtime < _STILL_WRITTEN_S
        finally:
            os.close(descriptor)
        return False


@contextmanager
def turn_in(folder: Path) -> Iterator[None]:
    """Keep other processes that take turns out of a folder, while its files are read and changed.

    The folder is made. Another process's turn is waited for, but only for a limited time. There are
    no turns on Windows, which opens no folders, and on file systems without locks.
    """
    descriptor = None
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        end_s = time.monotonic() + _TURN_S
        while descriptor is not None and not lock(descriptor) and time.monotonic() < end_s:
            time.sleep(_PAUSE_S)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)
