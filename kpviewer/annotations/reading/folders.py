"""Folders of data sets: the files below one, folders by their usual names, and counterparts."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kpviewer.annotations.limits import MAX_FILES, check_count

IMAGE_FOLDERS = ("images", "jpegimages", "image", "imgs", "img", "pictures", "photos", "frames")
LABEL_FOLDERS = (
    "annotations", "labels", "annotation", "label", "anns", "ann", "annots", "xmls", "xml",
    "labels_yolo", "yolo", "txt", "json", "coco", "bbox", "bboxes", "ground_truth", "groundtruth",
)  # fmt: skip
"""Lower-case names of folders that hold only images, or only labels."""
MAX_DEPTH = 8
_PARTS_OF_TREE = 4
"""Number of folders above an image that are checked for the name ``images``."""


def files_below(folder: Path, suffixes: Iterable[str], deepest: int = MAX_DEPTH) -> list[Path]:
    """Return the files below a folder with one of the endings, sorted, without hidden ones.

    Raises:
        LimitError: if there are too many entries.
    """
    wanted = frozenset(suffixes)
    found = (
        path
        for path in walk(folder, deepest, MAX_FILES)
        if os.path.splitext(path)[1].lower() in wanted
    )
    return sorted(map(Path, found))


def walk(folder: Path, deepest: int, most: int) -> Iterator[str]:
    """Yield the regular files below a folder.

    Args:
        folder: folder to list.
        deepest: largest depth of folders.
        most: largest number of entries.

    Raises:
        LimitError: if there are more entries than ``most``.
    """
    pending = [(str(folder), 0)]
    seen: set[tuple[int, int]] = set()
    with contextlib.suppress(OSError):
        _is_new(str(folder), seen)
    count = 0
    while pending:
        current, depth = pending.pop()
        try:
            entries = list(os.scandir(current))
        except OSError:
            continue
        count += len(entries)
        check_count(count, most, "files", folder)
        for entry in sorted(entries, key=lambda each: each.is_symlink()):
            with contextlib.suppress(OSError):
                if entry.name.startswith("."):
                    continue
                if entry.is_file():
                    yield entry.path
                elif depth < deepest and entry.is_dir() and _is_new(entry.path, seen):
                    pending.append((entry.path, depth + 1))


def _is_new(folder: str, seen: set[tuple[int, int]]) -> bool:
    """Return whether a folder is seen for the first time, and remember it; links resolve."""
    about = os.stat(folder)
    key = about.st_dev, about.st_ino
    is_new = key not in seen
    seen.add(key)
    return is_new


def folders_named(folder: Path, names: Sequence[str]) -> list[Path]:
    """Return the subfolders with one of the names, in the order of the names."""
    try:
        inside = sorted(each for each in folder.iterdir() if each.name.lower() in names)
    except OSError:
        return []
    return sorted((each for each in inside if each.is_dir()),
                  key=lambda each: names.index(each.name.lower()))  # fmt: skip


def counterparts(folder: Path, names: tuple[str, ...], others: tuple[str, ...]) -> Iterator[Path]:
    """Yield existing folders that differ in one part of the path: images/train, labels/train."""
    parts = folder.absolute().parts
    for row in range(len(parts) - 1, max(len(parts) - 1 - _PARTS_OF_TREE, 0), -1):
        if parts[row].lower() in names:
            above = Path(*parts[:row])
            for other in folders_named(above, others):
                found = other.joinpath(*parts[row + 1 :])
                if other.name != parts[row] and found.is_dir():
                    yield found if folder.is_absolute() else Path(os.path.relpath(found))
