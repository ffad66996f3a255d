"""Fingerprint of a source's content, which tells whether a scan is of the same frames."""

import glob
import hashlib
import os
from pathlib import Path

from kpviewer import __version__
from kpviewer.sources.images.lists import fixed_folder, images_among, matching
from kpviewer.sources.images.source import natural_order
from kpviewer.sources.naming import GENERATED, path_of

_PART_BYTES = 256 * 1024
"""Size of the parts of a file that are hashed: head, middle and tail."""
_STORED = frozenset((".bmp", ".dib", ".pbm", ".pgm", ".pnm", ".ppm", ".tif", ".tiff"))
"""Suffixes of images that mostly aren't compressed: their size doesn't depend on their pixels."""
_SAMPLES, _SAMPLE_BYTES = 16, 256
"""Number and size of the parts of such an image that are hashed; a whole one takes ms."""
_PARTS = 3
"""Number of parts of a fingerprint before the turn."""


def fingerprint_of(source: str | None, turn: str = "") -> str | None:
    """Return the fingerprint of a source as a user names it; the disk is read, nothing is decoded.

    - A video or an image: its size, and a hash of head, middle and tail. Its name doesn't count.
    - A folder or a glob: a hash of the names and sizes of its images, and of samples of those that
      aren't compressed.
    - A built-in scene: its name and the version of kpviewer.

    Returns:
        None for live sources, which have no frames to come back to, and for what can't be read.
    """
    text = (source or "").strip()
    if text.lower() in GENERATED:
        found: str | None = f"generated:{text.lower()}:{__version__}".lower()
    else:
        path = path_of(source)
        try:
            found = _of_path(path) if path is not None else None
        except (OSError, ValueError):
            found = None
    return ":".join([found, *turn.split()]) if found is not None else None


def is_turned_otherwise(one: str, other: str) -> bool:
    """Return whether two fingerprints are of one source that is rotated or mirrored otherwise."""
    return one != other and one.split(":")[:_PARTS] == other.split(":")[:_PARTS]


def scan_names(source: str | None) -> tuple[Path, ...]:
    """Return the paths beside a source that a scan of it may have, best first."""
    path = path_of(source)
    if path is None:
        return ()
    path = Path(os.path.abspath(path))
    stem = path.stem if path.suffix and not path.is_dir() else path.name
    names = dict.fromkeys((f"{stem}.kpv", f"{path.name}.kpv"))
    return tuple(path.with_name(name) for name in names)


def _of_path(path: Path) -> str | None:
    if path.is_dir():
        return _of_images(list(path.iterdir()), path)
    if path.is_file():
        return _of_file(path)
    return _of_images(matching(path), fixed_folder(path)) if glob.has_magic(str(path)) else None


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest = hashlib.blake2b(digest_size=16)
        for start in dict.fromkeys((0, (size - _PART_BYTES) // 2, size - _PART_BYTES)):
            file.seek(max(start, 0))
            digest.update(file.read(_PART_BYTES))
    return f"file:{size}:{digest.hexdigest()}"


def _of_images(files: list[Path], folder: Path) -> str | None:
    paths = images_among(natural_order(files)).paths
    if not paths:
        return None
    digest = hashlib.blake2b(digest_size=16)
    for path in paths:
        name = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
        size = path.stat().st_size
        digest.update(f"{name}\0{size}\0".encode("utf-8", "surrogateescape"))
        if path.suffix.lower() in _STORED:
            digest.update(_samples(path, size))
    return f"images:{len(paths)}:{digest.hexdigest()}"


def _samples(path: Path, size: int) -> bytes:
    """Return parts of a file at equal distances, the first and the last included."""
    step, samples = max(size - _SAMPLE_BYTES, 0) / (_SAMPLES - 1), b""
    with path.open("rb", buffering=0) as file:
        for number in range(_SAMPLES):
            file.seek(round(number * step))
            samples += file.read(_SAMPLE_BYTES)
    return samples
