"""Places of scan files: beside the source, and in the user's cache folder, which is bounded."""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from kpviewer.config import files as config_files
from kpviewer.errors import ScanError
from kpviewer.scanning.fingerprint import fingerprint_of, scan_names
from kpviewer.scanning.scan_file import SUFFIX, open_scan
from kpviewer.system.locks import is_held
from kpviewer.system.paths import trim_folder

MAX_BYTES = 1024**3
"""Most bytes of all scans in the cache folder."""


def scans_folder() -> Path:
    """Return the folder of scans in the user's cache folder; it need not exist."""
    return config_files.scans_folder(config_files.cache_folder())


def cached_path(fingerprint: str, model_hash: str) -> Path:
    """Return the path of the scan of a source with a model in the cache folder."""
    name = hashlib.blake2b(f"{fingerprint}\n{model_hash}".encode(), digest_size=16).hexdigest()
    return scans_folder() / f"{name}{SUFFIX}"


def find_scan(source: str | None, model_hash: str | None, turn: str = "") -> Path | None:
    """Return the scan file of a source with a model; None if there is none.

    Looked at are ``STEM.kpv`` and ``NAME.kpv`` beside the source, then the cache folder. Of several
    that fit, the longest counts: a scan may have been cut short.
    """
    fingerprint = fingerprint_of(source, turn)
    if fingerprint is None or model_hash is None:
        return None
    cached = cached_path(fingerprint, model_hash)
    fitting = [
        path for path in (*scan_names(source), cached) if _fits(path, fingerprint, model_hash)
    ]
    found = max(fitting, key=_size, default=None)
    if found == cached:
        touch(cached)
    return found


def touch(path: Path) -> None:
    """Note that a scan is used, so that it stays in the cache longer than others."""
    with contextlib.suppress(OSError):
        os.utime(path)


def forget(path: Path) -> bool:
    """Remove a scan that no program is writing; return whether it is gone."""
    with contextlib.suppress(OSError):
        if not is_held(path):
            path.unlink()
            return True
    return False


def trim_cache(keep: Iterable[Path] = (), max_bytes: int = MAX_BYTES) -> list[Path]:
    """Remove scans from the cache folder until they fit, the least recently used first.

    Those to keep stay, and those that a program is writing. Return the removed files.
    """
    kept = set(keep)

    def is_removable(path: Path) -> bool:
        return path not in kept and not is_held(path)

    return trim_folder(scans_folder(), SUFFIX, max_bytes, is_removable)


def _fits(path: Path, fingerprint: str, model_hash: str) -> bool:
    try:
        header = open_scan(path).header
    except ScanError:
        return False
    return header is not None and header.fits(fingerprint, model_hash)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
