"""Location of the XML files and images of a Pascal VOC set, in the layouts of common tools."""

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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
            other = xml.with_name(f"{found.stem}.xml") if found is not None else xml
            if other != xml and other.is_file():
                found, name = None, ""
        return found or self.default / (name or f"{xml.stem}.jpg")

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
    image_folder = _image_folder(split, root)
    if split is not None and image_folder is None:
        files = _of_split(files, root, holder, split)
    if not files:
        named = holders[0] if holders else root
        raise DatasetError(f"{named} must hold XML files, got none. Check the folder.")
    around = root.parent if root.name.lower() in LABEL_FOLDERS else root
    if image_folder is not None:
        images = ImageSearch([image_folder], [image_folder])
        return VocFiles(files, holder, images, image_folder)
    folders = [*folders_named(around, IMAGE_FOLDERS), around, holder]
    images = ImageSearch(folders, [around], split or "")
    return VocFiles(files, holder, images, folders[0] if holder != root else root)


def _image_folder(split: str | None, root: Path) -> Path | None:
    """Return the image folder if the split is the path of one, else None."""
    if split is None or not Path(split).is_dir():
        return None
    is_below = not Path(split).is_absolute() and (root / split).is_dir()
    return None if is_below else Path(split)


def _of_split(files: Sequence[Path], root: Path, holder: Path, split: str) -> list[Path]:
    split = split.removesuffix(".txt")
    known = [name for name in spellings(split) if any(_lists(root, holder, name))]
    if known:
        return _listed(files, next(_lists(root, holder, known[0])), holder)
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


def _listed(files: Sequence[Path], listing: Path, holder: Path) -> list[Path]:
    text = decode_text(read_bounded(listing, _LIST_MB), listing, "replace")
    by_stem = {_composed(path.stem): path for path in reversed(files)}
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        words = line.split()
        is_flagged = len(words) == 2 and words[1] in _FLAGS
        # names may have blanks; a flag, or the file of a mask, may follow
        stems = [_stem(each, by_stem) for each in (line, line.rsplit(None, 1)[0], words[0])]
        known = [stem for stem in stems if _composed(stem) in by_stem]
        if is_flagged and words[1] == "-1" and _composed(stems[0]) not in by_stem:
            continue
        if ".." in line.replace("\\", "/").split("/"):
            raise DatasetError(f"{listing} must list names, got {shorten(line)}.")
        stem = known[0] if known else stems[is_flagged]
        found.append(by_stem.get(_composed(stem), holder / f"{stem}.xml"))
    return found


def _composed(text: str) -> str:
    """Return a text in one Unicode form: macOS and old tools write ``é`` as two characters."""
    return unicodedata.normalize("NFC", text)


def _stem(name: str, known: Collection[str]) -> str:
    """Return a listed name without folders, and without its suffix."""
    last = name.replace("\\", "/").rpartition("/")[2]
    is_file = Path(last).suffix.lower() in (".xml", *IMAGE_SUFFIXES)
    return Path(last).stem if is_file and _composed(last) not in known else last
