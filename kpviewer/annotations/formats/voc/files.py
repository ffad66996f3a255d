"""Location of the XML files and images of a Pascal VOC set, in the layouts of common tools."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.reading.folders import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    counterparts,
    files_below,
    folders_named,
)
from kpviewer.annotations.reading.image_search import ImageSearch
from kpviewer.annotations.reading.values import is_file_name, listed, shorten
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES

_LIST_MB = 32
_LISTS = ("ImageSets/Main", "ImageSets", "imagesets/main", "imagesets", ".", "splits")
"""Folders that may hold the lists of splits."""
_FLAGS = ("-1", "0", "1")
"""Second word of a line in a list of one class: not in the image, only difficult objects, in it."""
SAME_SPLITS = (("train", "training"), ("val", "valid", "validation"), ("test", "testing"))


def spellings(split: str) -> tuple[str, ...]:
    """Return the names that tools use for a split, the given one first."""
    same = next((names for names in SAME_SPLITS if split.lower() in names), ())
    return tuple(dict.fromkeys((split, *same)))


@dataclass(frozen=True, slots=True)
class VocFiles:
    """The XML files of a set, and its images."""

    xml: list[Path]
    holder: Path
    """Folder that the XML files' paths are relative to."""
    images: ImageSearch
    default: Path
    """Folder assumed for missing images."""
    _places: dict[Path, list[tuple[str, ...]]] = field(default_factory=dict, init=False)

    def image_of(self, xml: Path, name: str) -> Path:
        """Return the image of an XML file: by the file's name, else by the name in the file.

        A copied file may still name another file's image, which is then not used.
        """
        inside = xml.relative_to(self.holder) if xml.is_relative_to(self.holder) else Path(xml.name)
        places = (inside.parent.parts, *self._image_places(xml.parent))
        found = next(
            filter(None, (self.images.look_up((*each, xml.stem)) for each in places)), None
        )
        if name and not is_file_name(name):
            raise DatasetError(f"{xml}: an image needs a file name, got {shorten(name)}.")
        if found is None and name:
            found = self.images.look_up((name,))
            if found is not None and self._is_of_other(xml, inside, found):
                return self.default / inside.parent / f"{xml.stem}.jpg"
        return found or self.default / (name or f"{xml.stem}.jpg")

    def _is_of_other(self, xml: Path, inside: Path, image: Path) -> bool:
        """Return whether an image has an XML file of its own: beside this one, or as deep."""
        *folders, stem = image.with_suffix("").parts[-len(inside.parts) :]
        others = xml.with_name(f"{stem}.xml"), self.holder.joinpath(*folders, f"{stem}.xml")
        return any(other != xml and other.is_file() for other in others)

    def _image_places(self, folder: Path) -> list[tuple[str, ...]]:
        """Return the image folders beside a folder of XML files, as parts of paths in ``holder``.

        They distinguish images of one name in several sets: A/JPEGImages, B/JPEGImages.
        """
        if folder not in self._places:
            self._places[folder] = [
                each.relative_to(self.holder).parts
                for each in counterparts(folder, LABEL_FOLDERS, IMAGE_FOLDERS)
                if each.is_relative_to(self.holder)
            ]
        return self._places[folder]


def find_voc_files(root: Path, split: str | None) -> VocFiles:
    """Find the XML files of a set and the folders of its images.

    Args:
        root: folder with folders of annotations and images, as in VOC and on Kaggle, or with both
            side by side at any depth.
        split: name of a list or of a folder of XML files, or path of the image folder; None: all.

    Raises:
        DatasetError: if there are none, or the split is unknown.
    """
    holders = folders_named(root, LABEL_FOLDERS)
    holder, files = root, []
    for holder in (*holders, root):
        files = files_below(holder, (".xml",))
        if files:
            break
    around = root.parent if root.name.lower() in LABEL_FOLDERS else root
    folders = [*folders_named(around, IMAGE_FOLDERS), around, holder]
    images, default = ImageSearch(folders, [around], split or ""), folders[0]
    image_folder = _image_folder(split, root)
    if image_folder is not None:
        images, default = ImageSearch([image_folder], [image_folder]), image_folder
    elif split is not None:
        files = _of_split(files, root, holder, split, images)
    if not files:
        named = holders[0] if holders else root
        raise DatasetError(f"{named} must hold XML files, got none. Check the folder.")
    is_beside = holder == root and image_folder is None
    return VocFiles(files, holder, images, root if is_beside else default)


def _image_folder(split: str | None, root: Path) -> Path | None:
    """Return the image folder if the split is the path of one, else None."""
    if split is None or not Path(split).is_dir():
        return None
    is_below = not Path(split).is_absolute() and (root / split).is_dir()
    return None if is_below else Path(split)


def _of_split(
    files: Sequence[Path], root: Path, holder: Path, split: str, images: ImageSearch
) -> list[Path]:
    split = split.removesuffix(".txt")
    known = [name for name in spellings(split) if any(_lists(root, holder, name))]
    if known:
        return _listed(files, next(_lists(root, holder, known[0])), holder, images)
    names = {name.casefold() for name in spellings(split)}
    inside = [
        path
        for path in files
        if names & {part.casefold() for part in path.relative_to(root).parent.parts}
    ]
    if inside:
        return inside
    lists = sorted({path.stem for path in _lists(root, holder, "*")} - {"classes"})
    parents = {path.parent for path in files} - {holder, root}
    there = listed(dict.fromkeys([*lists, *sorted(path.name for path in parents)]))
    raise DatasetError(f"{root} has no split {split!r}; its lists: {there}.")


def _lists(root: Path, holder: Path, name: str) -> Iterator[Path]:
    """Yield the lists of a split; ``*`` yields all."""
    plain = "".join(f"[{char}]" if char in "*?[" and name != "*" else char for char in name)
    for folder in dict.fromkeys((*(root / inside for inside in _LISTS), holder)):
        if "/" not in plain and "\\" not in plain:
            yield from sorted(folder.glob(f"{plain}.txt"))


def _listed(files: Sequence[Path], listing: Path, holder: Path, images: ImageSearch) -> list[Path]:
    text = decode_text(read_bounded(listing, _LIST_MB), listing, "replace")
    by_end = _by_end(files, holder)
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        words = line.split()
        is_flagged = len(words) == 2 and words[1] in _FLAGS
        # names may have blanks; a flag, or the file of a mask, may follow
        names = [_parts(each, by_end) for each in (line, line.rsplit(None, 1)[0], words[0])]
        if is_flagged and words[1] == "-1" and names[0][-1:] not in by_end:
            continue
        if ".." in line.replace("\\", "/").split("/"):
            raise DatasetError(f"{listing} must list names, got {shorten(line)}.")
        own = (_ending(name, by_end, images) for name in names)
        found.append(next(filter(None, own), None) or _missing(names[is_flagged], holder, images))
    return found


_Ends: TypeAlias = dict[tuple[str, ...], tuple[Path, int]]
"""XML file by each end of its path, and the number of parts of the whole path."""


def _by_end(files: Sequence[Path], holder: Path) -> _Ends:
    """Index XML files by the ends of their paths in a folder; of equal ends the first counts."""
    ends: _Ends = {}
    for path in files:
        parts = _composed_parts(path.relative_to(holder).with_suffix("").parts)
        for start in range(len(parts)):
            ends.setdefault(parts[start:], (path, len(parts)))
    return ends


def _ending(name: tuple[str, ...], by_end: _Ends, images: ImageSearch) -> Path | None:
    """Return the XML file that a listed name ends with, by as many parts as possible.

    A file in another folder than the listed one is of another image if that is there.
    """
    composed = _composed_parts(name)
    for start in range(len(name)):
        if composed[start:] in by_end:
            path, parts = by_end[composed[start:]]
            is_elsewhere = start > 0 and len(name) - start < parts
            return None if is_elsewhere and images.look_up(name) is not None else path
    return None


def _missing(name: tuple[str, ...], holder: Path, images: ImageSearch) -> Path:
    """Return the path of the XML file that a listed image should have."""
    parts = name if images.look_up(name) is not None else name[-1:]
    return holder.joinpath(*parts[:-1], f"{parts[-1]}.xml")


def _composed_parts(parts: Iterable[str]) -> tuple[str, ...]:
    """Return texts in one Unicode form: macOS and old tools write ``é`` as two characters."""
    return tuple(unicodedata.normalize("NFC", each) for each in parts)


def _parts(name: str, known: _Ends) -> tuple[str, ...]:
    """Return the parts of a listed path, the last without its suffix."""
    parts = [each for each in name.replace("\\", "/").split("/") if each] or [name]
    is_file = Path(parts[-1]).suffix.lower() in (".xml", *IMAGE_SUFFIXES)
    if is_file and _composed_parts(parts[-1:]) not in known:
        parts[-1] = Path(parts[-1]).stem
    return tuple(parts)
