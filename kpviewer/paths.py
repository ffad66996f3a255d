"""Paths as people write them: what no file can be called is refused where it comes in."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from kpviewer.errors import KpviewerError

LONGEST_SHOWN = 80
"""Characters of a name in a message."""


def named_path(name: str | Path, error: type[KpviewerError]) -> Path:
    """Return the path that a user named, ``~`` expanded; there need not be such a file.

    It asks the disk.

    Args:
        name: as typed.
        error: what to raise.

    Raises:
        error: if no file can be called so, or it may not be looked at.
    """
    try:
        path = Path(name).expanduser()
        with suppress(FileNotFoundError, NotADirectoryError):
            os.stat(path)
    except (OSError, RuntimeError, ValueError) as failure:
        raise error(
            f"{shortened(str(name))} can't be a file ({_reason(str(name), failure)}). "
            "Check the name."
        ) from None
    return path


def make_folder(folder: Path, error: type[KpviewerError]) -> None:
    """Make a folder to write to, those around it included; it may be there.

    Raises:
        error: if it can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        reason = (failure.strerror or str(failure)).lower()
        raise error(
            f"{shortened(str(folder))} can't be made a folder ({reason}). Choose another."
        ) from None


def shortened(name: str) -> str:
    """Cut a long name for a message."""
    return name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}…"


def _reason(name: str, failure: Exception) -> str:
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror.lower()
    if name.startswith("~"):
        return "there is no such user"
    return "it holds a character that no name can have"
