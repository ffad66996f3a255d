"""The images that the description of a YOLO set lists."""

import os
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath, PureWindowsPath

from kpviewer.annotations.limits import MAX_IMAGES, check_count, decode_text, read_bounded
from kpviewer.annotations.reading.fitting import fit_names
from kpviewer.annotations.reading.folders import IMAGE_FOLDERS, files_below
from kpviewer.annotations.reading.image_search import ImageSearch
from kpviewer.annotations.reading.values import shorten
from kpviewer.annotations.yolo_yaml import YoloNames
from kpviewer.image_files import IMAGE_SUFFIXES

_LIST_MB = 64


class ListedImages:
    """Images of the splits of a description: files, folders, patterns, and lists of them."""

    def __init__(self, root: Path, names: YoloNames, holder: Path) -> None:
        self._root, self._names, self._holder = root, names, holder
        self.notes: list[str] = []
        """Sentences on entries that lead to no image, and on images of lists that aren't there."""
        self.named: set[Path] = set()
        """Images that a list names: without labels they show nothing."""

    def of_split(self, split: str) -> list[Path]:
        """Return the images of a split from the description, or from a list of that name."""
        entries = self._names.split_paths.get(split, ())
        bases = [self._holder, self._root]
        if self._names.root:
            plain = self._names.root.replace("\\", "/").rstrip("/")
            named = [base / part for base in (*bases, self._holder.parent)
                     for part in (plain, plain.rpartition("/")[2])]  # fmt: skip
            bases = [*named, *bases]
        found: list[Path] = []
        for entry in entries or (split if split.endswith(".txt") else f"{split}.txt",):
            images = self._images_of_entry(entry.replace("\\", "/"), [*bases, self._holder.parent])
            found += images
            if entries and not images:
                self.notes.append(f"{split}: {shorten(entry)} leads to no images")
        return found

    def _images_of_entry(self, entry: str, bases: list[Path]) -> list[Path]:
        plain = entry.removeprefix("./")
        while plain.startswith("../"):
            plain = plain.removeprefix("../")
        own = plain.rpartition("/")[2]
        for base in bases:
            for path in (base / entry, base / plain, *(base / own,)[: own not in IMAGE_FOLDERS]):
                if os.path.isfile(path) and path.suffix.lower() == ".txt":
                    return self._images_of_list(path, bases)
                if os.path.isfile(path) and path.suffix.lower() in IMAGE_SUFFIXES:
                    return [path]
                if os.path.isdir(path) and (images := files_below(path, IMAGE_SUFFIXES)):
                    return images
            if images := _matching(base, plain):
                return images
        return []

    def _images_of_list(self, path: Path, bases: list[Path]) -> list[Path]:
        text = decode_text(read_bounded(path, _LIST_MB), path, "replace")
        search = ImageSearch([path.parent, *bases], [self._root])
        lines = [line.strip() for line in text.splitlines() if _is_image(line.strip())]
        check_count(len(lines), MAX_IMAGES, "images", path)
        images = self._fitted(lines, [_image_of_line(line, search) for line in lines], search)
        gone = [line for line, image in zip(lines, images, strict=True) if image is None]
        if gone:
            self.notes.append(
                f"{path.name}: {len(gone)} of {len(lines)} images aren't found, the first is "
                f"{shorten(gone[0])}"
            )
        found = [image for image in images if image is not None]
        self.named.update(found)
        return found

    def _fitted(
        self, lines: Sequence[str], images: Sequence[Path | None], search: ImageSearch
    ) -> list[Path | None]:
        """Return the images, and for missing ones the only file of a similar name."""
        gone = [row for row, image in enumerate(images) if image is None]
        if not gone:
            return list(images)
        others = sorted(set(files_below(self._root, IMAGE_SUFFIXES)) - set(images))
        names = [PurePath(lines[row].replace("\\", "/")) for row in gone]
        fitted = {
            gone[row]: others[file]
            for row, file in fit_names(names, others).items()
            if not search.is_of_other(names[row].parts, others[file])
        }
        return [fitted.get(row, image) for row, image in enumerate(images)]


def _matching(folder: Path, pattern: str) -> list[Path]:
    """Return the images below a folder whose paths, or those of their folders, fit a pattern."""
    if not re.search(r"[*?[]", pattern):
        return []
    flat = pattern.replace("**/", "")  # a * of fnmatch takes in folders
    patterns = (flat, f"{flat.rstrip('/')}/*")
    return [
        path
        for path in files_below(folder, IMAGE_SUFFIXES)
        if any(fnmatchcase(path.relative_to(folder).as_posix(), each) for each in patterns)
    ]


def _is_image(line: str) -> bool:
    return os.path.splitext(line)[1].lower() in IMAGE_SUFFIXES and "\0" not in line


def _image_of_line(line: str, search: ImageSearch) -> Path | None:
    """Return the image that a line names; None if it isn't there."""
    if (os.path.isabs(line) or PureWindowsPath(line).drive) and os.path.isfile(line):
        return Path(line)
    return search.look_up_end(line)
