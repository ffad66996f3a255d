"""Download of a file from an http(s) server to a temporary file, for as long as it is open."""

import contextlib
import http.client
import shutil
import tempfile
from pathlib import Path

from kpviewer.errors import SourceError
from kpviewer.sources.network.connecting import interrupted_error
from kpviewer.sources.network.http_probe import get
from kpviewer.sources.video.call_limit import CallLimit

LARGEST_BYTES = 2 * 2**30
_LEAST_FREE_BYTES = 2**29
_CHUNK_BYTES = 2**18


def copy_of(url: str, name: str, limit: CallLimit, silence_s: float) -> Path:
    """Download an address to a temporary file, which the caller deletes.

    Raises:
        SourceError: if the download fails, or the file is too large.
    """
    with tempfile.NamedTemporaryFile(prefix="kpviewer-", suffix=".mp4", delete=False) as file:
        path = Path(file.name)
        try:
            limit.set(silence_s)
            with get(url, silence_s, {}) as response:
                free = shutil.disk_usage(path.parent).free - _LEAST_FREE_BYTES
                left = min(LARGEST_BYTES, free)
                while (chunk := response.read1(_CHUNK_BYTES)) and not limit.is_cancelled:
                    left -= len(chunk)
                    if left < 0:
                        raise SourceError(_too_large(name))
                    file.write(chunk)
                    limit.set(silence_s)
                if response.length:  # bytes missing at the end
                    raise SourceError(f"{name} is lost: the server closed the connection.")
        except SourceError:
            _delete(path)
            raise
        except (OSError, ValueError, http.client.HTTPException) as error:
            _delete(path)
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SourceError(f"{name} is lost: {reason}.") from None
    if limit.is_cancelled:
        _delete(path)
        raise interrupted_error(name)
    return path


def _too_large(name: str) -> str:
    return (
        f"{name} has its index at the end, and its server sends files only from the start. "
        "It is too large for a temporary copy. Download it, and open the file."
    )


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
