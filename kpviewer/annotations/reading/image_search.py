"""Search for the image files that annotations name, in the layouts of common tools.

Names are relative paths with either slash, addresses of Label Studio, paths of another machine, or
lack their ending. No file outside the given folders is opened for them. ``fitting`` handles other
spellings, for the names that this search doesn't find.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import unquote, urlsplit

from kpviewer.annotations.limits import MAX_FILES, check_count
from kpviewer.annotations.reading.folders import LABEL_FOLDERS, MAX_DEPTH, walk
from kpviewer.annotations.reading.values import Location, is_file_name, shorten
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES

_MAX_SEARCHED = 300_000
"""Largest number of folder entries searched for a misplaced file."""
_MAX_FOLDERS = 100_000
_MAX_NAME_LENGTH = 4096
_TABLE_FOLDERS = ("data", "csv", "tables", "metadata", "meta")
_SUBSET = re.compile(
    r"(?:instances|person_keypoints|keypoints|captions|image_info|annotations?|labels|coco)"
    r"[_.-]+(\w+)"
)
"""Stem whose second part names the image folder: instances_val2017."""
_SUBSET_FIRST = re.compile(r"(\w+?)[_.-](?:labels?|annotations?|boxes|bbox|instances|coco)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


@dataclass(slots=True)
class _Listing:
    """Files of one folder."""

    exact: set[str] = field(default_factory=set)
    stems: dict[str, str | None] = field(default_factory=dict)
    """Image by its name without ending; None if there are several."""


_NOTHING = _Listing()


class ImageSearch:
    """Search for image files by their names in annotations.

    Args:
        folders: folders that names are relative to, the most likely first.
        around: folders searched recursively for names that aren't in ``folders``.
        hint: name of a folder, such as the split, that decides between files of the same name.
    """

    def __init__(
        self, folders: Sequence[Path], around: Sequence[Path] = (), hint: str = ""
    ) -> None:
        self._folders = list(dict.fromkeys(folders))
        self._around = around
        self._hint = hint.casefold()
        self._listings: dict[str, _Listing] = {}
        self._listed = 0
        self._searched: dict[str, list[Path]] | None = None
        self._ends: set[tuple[str, ...]] = set()
        """Ends of the paths of folders with images in ``around``."""
        self._given: dict[Path, str] = {}

    def find(self, name: Any, where: Location) -> Path:
        """Return the file of a name; if there is none, the path where it should be.

        Raises:
            DatasetError: if it isn't a file name, leads out of the folders, or is one of two names
                that match the same file.
        """
        if not isinstance(name, str) or "\0" in name or len(name) > _MAX_NAME_LENGTH:
            raise DatasetError(f"{where}: an image needs a file name, got {shorten(name)}.")
        parts, is_address = _parts(name)
        if not parts or not all(map(is_file_name, parts)):
            raise DatasetError(f"{where}: an image needs a file name, got {shorten(name)}.")
        found = self._up(parts) if ".." in parts else self.look_up(parts)
        if found is not None:
            return found
        is_foreign = name.startswith(("/", "\\")) or bool(PureWindowsPath(name).drive)
        if is_address or is_foreign or ".." in parts:
            found = self._by_end(tuple(part for part in parts if part != "..") or parts)
            if found is not None and self._given.setdefault(found, name) != name:
                raise DatasetError(
                    f"{where}: {shorten(name)} and {shorten(self._given[found])} both fit {found}. "
                    "Name the folder of the images."
                )
        if found is None and not is_address and (is_foreign or ".." in parts):
            raise DatasetError(
                f"{where}: image names must stay in {self._folders[0]}, got {shorten(name)}. "
                "Make the name relative to the folder of the images."
            )
        return found or self._likely().joinpath(*(parts[-1:] if is_address else parts))

    def look_up(self, parts: tuple[str, ...]) -> Path | None:
        """Return the file of a path below one of the folders; None if there is none, or several.

        The last part may lack its ending.
        """
        for folder in self._folders:
            found = self._in_folder(folder, parts)
            if found is None and len(parts) > 1 and folder.name == parts[0]:
                found = self._in_folder(folder, parts[1:])
            if found is not None:
                return found
        return self._search(parts, len(parts) - 1)

    def look_up_end(self, name: str) -> Path | None:
        """Return the file that a line of a list names: a path of this or of another machine."""
        parts = tuple(part for part in _parts(name)[0] if part != "..")
        return self._by_end(parts) if parts else None

    def _by_end(self, parts: tuple[str, ...]) -> Path | None:
        """Return the file whose path ends with as many of the parts as possible."""
        for start in sorted({0, *range(max(len(parts) - 3, 0), len(parts))}):
            for folder in self._folders:
                found = self._in_folder(folder, parts[start:])
                if found is not None:
                    return found
        return self._search(parts, 0)

    def _up(self, parts: tuple[str, ...]) -> Path | None:
        """Return the file of a path with ``..``, if it stays in the folders."""
        roots = [os.path.abspath(folder) for folder in (*self._folders, *self._around)]
        for folder in self._folders:
            path = os.path.abspath(os.path.join(folder, *parts))
            if any(path.startswith(root + os.sep) for root in roots) and os.path.isfile(path):
                return Path(os.path.normpath(os.path.join(folder, *parts)))
        return None

    def _likely(self) -> Path:
        """Return the first folder that holds images, otherwise the first one."""
        return next((each for each in self._folders if self._listing(str(each)).stems),
                    self._folders[0])  # fmt: skip

    def _in_folder(self, folder: Path, parts: tuple[str, ...]) -> Path | None:
        listing = self._listing(os.path.join(folder, *parts[:-1]))
        name: str | None = parts[-1]
        if name not in listing.exact:
            name = listing.stems.get(parts[-1]) if _is_stem(parts[-1]) else None
        return Path(folder, *parts[:-1], name) if name is not None else None

    def _listing(self, folder: str) -> _Listing:
        known = self._listings.get(folder)
        if known is not None:
            return known
        try:
            entries = list(os.scandir(folder)) if len(self._listings) < _MAX_FOLDERS else []
        except (OSError, ValueError):
            entries = []
        if not entries:
            if len(self._listings) < _MAX_FOLDERS:
                self._listings[folder] = _NOTHING
            return _NOTHING
        listing = self._listings[folder] = _Listing()
        self._listed += len(entries)
        check_count(self._listed, MAX_FILES, "files", folder)
        for name in sorted(entry.name for entry in entries if entry.is_file()):
            listing.exact.add(name)
            stem, ending = os.path.splitext(name)
            if ending.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                listing.stems[stem] = None if stem in listing.stems else name
        return listing

    def _search(self, parts: tuple[str, ...], least: int) -> Path | None:
        """Search all surrounding folders for a name; None if none or several match equally well."""
        searched = self._below()
        found = searched.get(parts[-1], [])
        if not found and _is_stem(parts[-1]):
            found = searched.get(f"{parts[-1]}/", [])
        alike = [_alike(path.parent, parts[:-1]) for path in found]
        best = max([least, *alike])
        found = [path for path, same in zip(found, alike, strict=True) if same == best]
        if len(found) > 1 and self._hint:
            found = [path for path in found if self._hint in map(str.casefold, path.parts)]
        return found[0] if len(found) == 1 and not self.is_of_other(parts, found[0]) else None

    def is_of_other(self, parts: Sequence[str], path: Path) -> bool:
        """Return whether a file is another one than that of a path: that one's folder is here.

        ``val/1.jpg`` isn't ``train/1.jpg`` if there is a folder ``val`` with other images.
        """
        self._below()
        alike = _alike(path.parent, parts[:-1])
        return alike < len(parts) - 1 and tuple(parts[-alike - 2 : -1]) in self._ends

    def _below(self) -> dict[str, list[Path]]:
        """Return the images around, by name and by name without ending."""
        if self._searched is None:
            self._searched = {}
            for folder in self._around:
                self._add_below(folder)
            holders = {path.parent for paths in self._searched.values() for path in paths}
            self._ends = {
                each.parts[-count:] for each in holders for count in range(1, MAX_DEPTH + 1)
            }
        return self._searched

    def _add_below(self, folder: Path) -> None:
        """List the images below a folder."""
        assert self._searched is not None
        try:
            for path in walk(folder, MAX_DEPTH, _MAX_SEARCHED):
                name = os.path.basename(path)
                stem, ending = os.path.splitext(name)
                if ending.lower() in IMAGE_SUFFIXES:
                    for key in (name, f"{stem}/"):
                        self._searched.setdefault(key, []).append(Path(path))
        except DatasetError:  # too many: a partial list might yield the wrong file
            self._searched.clear()


def images_of_table(path: Path, images_dir: Path | str | None) -> ImageSearch:
    """Return the search for the images of a COCO file or a table.

    Args:
        path: the file.
        images_dir: folder of the images; None searches the usual folders.
    """
    if images_dir is not None:
        return ImageSearch([Path(images_dir)], [Path(images_dir)])
    beside = path.parent
    around = beside.parent if beside.name.lower() in (*LABEL_FOLDERS, *_TABLE_FOLDERS) else beside
    subset = _SUBSET.fullmatch(path.stem) or _SUBSET_FIRST.fullmatch(path.stem)
    hint = subset.group(1) if subset else path.stem
    named = [around / "images" / hint, around / hint / "images", around / hint]
    usual = [beside / "images", beside, around / "images", around]
    folders = [folder for folder in (*named, *usual) if folder.is_dir()]
    return ImageSearch(folders or [beside], [around], hint)


def _is_stem(name: str) -> bool:
    return os.path.splitext(name)[1].lower() not in IMAGE_SUFFIXES


def _alike(folder: Path, parts: Sequence[str]) -> int:
    """Return the number of trailing parts that two folder paths share."""
    pairs = zip(reversed(folder.parts), reversed(parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _parts(name: str) -> tuple[tuple[str, ...], bool]:
    """Return the parts of a name, and whether it is a server's address."""
    is_address = _SCHEME.match(name) is not None or name.startswith("/data/")
    if is_address:
        _, mark, local = name.partition("?d=")
        try:
            plain = local.partition("&")[0] if mark else urlsplit(name).path
        except ValueError:  # such as an unbalanced bracket
            plain = name
        name = unquote(plain)
    rest = name.replace("\\", "/")
    parts = [part for part in rest.split("/") if part not in ("", ".")]
    if parts and len(parts[0]) == 2 and parts[0][1] == ":":
        parts = parts[1:]
    return tuple(parts), is_address
