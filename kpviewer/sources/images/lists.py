"""Images of a folder or of a pattern, and notes on the other files."""

import glob
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kpviewer.annotations.problems import left_out
from kpviewer.image_files import is_image
from kpviewer.sources.video.formats import VIDEO_SUFFIXES
from kpviewer.system.paths import identity_of
from kpviewer.system.progress import noting_progress

_EXPECTED_SUFFIXES = frozenset(
    (
        *("", ".txt", ".json", ".jsonl", ".xml", ".csv", ".tsv", ".yaml", ".yml", ".toml", ".pts"),
        *(".md", ".rst", ".html", ".htm", ".log", ".ini", ".cfg", ".db", ".cache", ".part", ".tmp"),
        *(".py", ".ipynb", ".sh", ".bat", ".mat", ".npy", ".npz", ".pkl", ".parquet", ".xmp"),
        *(".kpv", ".aae", ".lnk", ".url", ".md5", ".sha256", ".lock", ".bak"),
    )
)
"""Suffixes of files that need no note: labels, texts, and files of cameras and systems."""


@dataclass(frozen=True, slots=True)
class ImageList:
    """Images of a list of files."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...]
    """Notes on the files that are left out, with counts and first names."""
    videos: tuple[Path, ...] = ()
    """Videos, which are left out."""


NOT_A_FILE = "broken links or pipes"
"""Reason to leave out an entry of a folder that is neither a file nor a folder."""
_MOST_FOLDERS = 100
"""Most folders that are looked into for images."""


def images_among(files: Sequence[Path]) -> ImageList:
    """Return the images among files, in their order; folders are left out without a note."""
    images, hidden, foreign, others = list[Path](), list[Path](), list[Path](), list[Path]()
    videos = list[Path]()
    for path in noting_progress(files):
        name, is_shown = path.name, is_image(path)
        if not path.is_file():
            if is_shown and not path.is_dir():
                others.append(path)
        elif name.startswith("."):
            if is_shown:
                hidden.append(path)
        elif is_shown:
            images.append(path)
        elif path.suffix.lower() in VIDEO_SUFFIXES:
            videos.append(path)
        elif path.suffix.lower() not in _EXPECTED_SUFFIXES:
            foreign.append(path)
    kinds = (
        (others, "images", NOT_A_FILE),
        (videos, "files", "videos, each a source of its own"),
        (foreign, "files", "not an image format that can be shown"),
        (hidden, "images", "their names start with a dot"),
    )
    notes = [
        left_out(len(found), len(found) + len(images), unit, why, found[0].name)
        for found, unit, why in kinds
        if found
    ]
    return ImageList(tuple(images), tuple(notes), tuple(videos))


def folder_with_images(files: Sequence[Path]) -> Path | None:
    """Return the first folder among files, or below them, that has images; None if none is near."""
    near = [path for path in files if path.is_dir()][:_MOST_FOLDERS]
    for folder in near:  # which grows by the folders below
        with suppress(OSError):
            inside = sorted(folder.iterdir())
            if any(is_image(path) and path.is_file() for path in inside):
                return folder
            near += [path for path in inside if path.is_dir()][: _MOST_FOLDERS - len(near)]
    return None


def matching(pattern: Path) -> list[Path]:
    """Return the files and folders that match a pattern.

    A part of the pattern that exists literally is taken literally, for folders such as
    ``photos [2023]``. ``**`` matches any depth of folders, including the folder itself.
    """
    found = [Path(pattern.anchor)]
    parts = pattern.parts[1 if pattern.anchor else 0 :]
    for position, part in enumerate(parts, start=1):
        is_last = position == len(parts)
        matches = (path for folder in found for path in _matches(folder, part, is_last))
        found = [*noting_progress(matches)]
    return list(dict.fromkeys(found))


def fixed_folder(pattern: Path) -> Path:
    """Return the folder above the first part of a pattern that isn't taken literally."""
    folder = Path(pattern.anchor)
    for part in pattern.parts[1 if pattern.anchor else 0 : -1]:
        if glob.has_magic(part) and not _exists(folder / part):
            break
        folder /= part
    return folder


def _matches(folder: Path, part: str, is_last: bool) -> Iterator[Path]:
    if _exists(folder / part):
        yield folder / part
    elif part == "**" and not is_last:
        yield from _tree(folder)
    elif part == "**":
        for each in _tree(folder):
            for path in glob.iglob("*", root_dir=each):
                yield each / path
    elif glob.has_magic(part):
        for path in glob.iglob(part, root_dir=folder):
            yield folder / path


def _tree(folder: Path) -> Iterator[Path]:
    """Yield a folder and those below it, each once: a link may lead back to one above."""
    seen: set[tuple[int, int] | None] = {None}
    waiting = [folder]
    for each in waiting:  # which grows by the folders below
        with suppress(OSError):
            if (identity := identity_of(each)) not in seen:
                seen.add(identity)
                yield each
                names = (name for name in sorted(os.listdir(each)) if not name.startswith("."))
                waiting += [
                    each / name for name in names if os.path.isdir(os.path.join(each, name))
                ]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # not a valid name, as a pattern may be
        return False
