"""Files of the images that a set lists: those of missing names, and those beside the others."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from kpviewer.annotations.problems import FITTED, UNLISTED, Problem
from kpviewer.annotations.reading.fitting import fit_names
from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.image_files import IMAGE_SUFFIXES

_LEVELS_UP = 12
"""Number of folders above a missing image; the nearest that exists is searched."""


class ImageFolders:
    """Images by folder; each folder is listed once."""

    def __init__(self) -> None:
        self._listed: dict[Path, list[Path]] = {}

    def images(self, folder: Path) -> list[Path]:
        """Return the images of a folder; none if it can't be listed."""
        if folder not in self._listed:
            try:
                inside = sorted(folder.iterdir())
            except OSError:
                inside = []
            self._listed[folder] = [
                path for path in inside
                if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
            ]  # fmt: skip
        return self._listed[folder]


def with_files(
    images: tuple[AnnotatedImage, ...], files: ImageFolders, problems: list[Problem]
) -> tuple[AnnotatedImage, ...]:
    """Replace the paths of missing images by those of the matching files."""
    gone = {path for path in {image.path for image in images} if not os.path.isfile(path)}
    missing = [row for row, image in enumerate(images) if image.path in gone]
    if not missing:
        return images
    used = {image.path for image in images}
    parents = dict.fromkeys(images[row].path.parent for row in missing)
    folders = dict.fromkeys(folder for parent in parents for folder in _likely_folders(parent))
    candidates = [path for folder in folders for path in files.images(folder) if path not in used]
    fitted = fit_names([images[row].path for row in missing], candidates)
    found = list(images)
    for missing_row, candidate_row in fitted.items():
        row, file = missing[missing_row], candidates[candidate_row]
        name = f"{images[row].path.name!r} is {file.name!r}"
        if images[row].path.name == file.name:
            name = f"{images[row].path} is {file}"
        problems.append(Problem(FITTED, name, is_error=False))
        found[row] = replace(images[row], path=file)
    return tuple(found)


def _likely_folders(parent: Path) -> Iterator[Path]:
    """Yield folders that may hold the images that are missing from a folder.

    The first is the nearest existing folder above (never the root). Folders inside it that the end
    of the path names follow.
    """
    above = [folder for folder in (parent, *parent.parents)
             if len(folder.absolute().parts) > 1]  # fmt: skip
    nearest = next((folder for folder in above[:_LEVELS_UP] if folder.is_dir()), None)
    if nearest is not None:
        ends = parent.relative_to(nearest).parts
        yield nearest
        for start in range(1, len(ends)):
            if (inside := nearest.joinpath(*ends[start:])).is_dir():
                yield inside
        if (inside := nearest / "images").is_dir():
            yield inside


def unlisted(images: Sequence[AnnotatedImage], files: ImageFolders) -> Iterable[Problem]:
    """Yield a problem for each image beside those of a set."""
    used = {image.path for image in images}
    for folder in dict.fromkeys(image.path.parent for image in images):
        for path in files.images(folder):
            if path not in used:
                yield Problem(UNLISTED, str(path), is_error=False)
