"""Copies a file from an http(s) server to this machine, for the time it is looked at."""

from __future__ import annotations

import contextlib
import http.client
import shutil
import tempfile
from pathlib import Path

from kpviewer.errors import SourceError
from kpviewer.sources.connecting import left_error
from kpviewer.sources.http_answer import get
from kpviewer.sources.watch import Watch

LARGEST_BYTES = 2 * 2**30
_LEAST_FREE_BYTES = 2**29
_CHUNK_BYTES = 2**18


def copy_of(url: str, name: str, watch: Watch, silence_s: float) -> Path:
    """Write what an address gives to a temporary file, for the caller to delete.

    Args:
        url: with its password.
        name: without, for messages.
        watch: may be cut.
        silence_s: longest time without data.

    Raises:
        SourceError: if it can't be had, or is too large.
    """
    with tempfile.NamedTemporaryFile(prefix="kpviewer-", suffix=".mp4", delete=False) as file:
        path = Path(file.name)
        try:
            with get(url, silence_s, {}) as response:
                free = shutil.disk_usage(path.parent).free - _LEAST_FREE_BYTES
                left = min(LARGEST_BYTES, free)
                while (chunk := response.read1(_CHUNK_BYTES)) and not watch.is_cut:
                    left -= len(chunk)
                    if left < 0:
                        raise SourceError(_too_large(name))
                    file.write(chunk)
                if response.length:  # bytes that are missing at the end
                    raise SourceError(f"{name} is lost: the other side hung up.")
        except SourceError:
            _delete(path)
            raise
        except (OSError, ValueError, http.client.HTTPException) as error:
            _delete(path)
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SourceError(f"{name} is lost: {reason}.") from None
    if watch.is_cut:
        _delete(path)
        raise left_error(name)
    return path


def _too_large(name: str) -> str:
    return (
        f"{name} has its index at the end, and its server gives files only from the start. "
        "It is too large to be copied here: download it, and open the file."
    )


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
