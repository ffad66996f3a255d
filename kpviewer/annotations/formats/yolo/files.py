"""Location of the images and labels of a YOLO set, in the layouts of common tools."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PureWindowsPath

from kpviewer.annotations.formats.voc.files import spellings
from kpviewer.annotations.formats.yolo.description import (
    LISTS,
    find_description,
    is_yolo_description,
    read_description,
)
from kpviewer.annotations.formats.yolo.label_files import OTHER_TEXTS
from kpviewer.annotations.limits import MAX_IMAGES, check_count, decode_text, read_bounded
from kpviewer.annotations.reading.folders import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    counterparts,
    files_below,
    folders_named,
)
from kpviewer.annotations.reading.image_search import ImageSearch
from kpviewer.annotations.reading.values import listed, shorten
from kpviewer.annotations.yolo_yaml import YoloNames
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES

_LIST_MB = 64
_MAX_SAMPLED = 50
_OTHERS = frozenset(("runs", "weights"))
"""Folders that Ultralytics writes predictions to."""

Pair = tuple[Path, Path]
"""An image and the path of its labels, which may not exist."""


@dataclass(frozen=True, slots=True)
class YoloFiles:
    """The files of a set."""

    pairs: list[Pair]
    names: YoloNames
    alone: list[Path]
    """Labels of a set without images; else empty."""


def find_yolo_files(path: Path, split: str | None, *, needs_images: bool = True) -> YoloFiles:
    """Find the description of a set, its images, and their labels.

    Args:
        path: folder of the set or of its labels, or the file that describes the set or lists its
            images.
        split: name of a folder or of an entry of the description, or path of the image folder.
        needs_images: whether labels without images are an error.

    Raises:
        DatasetError: if there are none, or the split is unknown.
    """
    if path.suffix.lower() == ".txt" and path.is_file():  # a list of images
        return find_yolo_files(path.parent, path.name)
    root = path.parent if is_yolo_description(path) else path
    images = _folder_of_images(root, split)
    if root != path:
        names, holder = read_description(path), root
        if not names.class_names:
            listed, _ = find_description(root)
            names = YoloNames(
                listed.class_names, names.kpt_shape, (), names.root, names.split_paths
            )
    else:
        others = [folder for folder in (images,) if folder is not None]
        names, holder = find_description(root, [*others, *(each.parent for each in others)])
    layout = _Layout(root, names, holder)
    if images is not None:
        pairs = layout.of_folders(images)
    else:
        pairs = layout.of_split(split) if split is not None else layout.all()
    alone = [] if pairs else layout.labels()
    if alone and needs_images:
        raise DatasetError(
            f"{path} holds YOLO labels without images, whose sizes they need. Name both: "
            "yolo:LABELS:IMAGES. For a video, convert them to COCO, or open its frames as a "
            "folder; only --ground-truth takes them as they are."
        )
    if not pairs and not alone:
        raise DatasetError(
            f"{path} must hold images and labels, or .txt files beside images; got none. "
            "Check the folder, or name both: yolo:LABELS:IMAGES."
        )
    check_count(len(pairs) + len(alone), MAX_IMAGES, "images", root)
    if not names.class_names:
        labels = alone or [each for _, each in pairs]
        inside, _ = find_description(root, _holders(labels, root))
        names = inside if inside.class_names else names
    notes = names.notes if alone else (*names.notes, *layout.notes)
    return YoloFiles(pairs, replace(names, notes=notes), alone)


def _holders(labels: list[Path], root: Path) -> list[Path]:
    """Return the folders of the set that may hold a list of names: those above the labels."""
    folders = dict.fromkeys(path.parent for path in labels[:_MAX_SAMPLED])
    inside = (each for folder in folders for each in (folder, *folder.parents))
    return [each for each in dict.fromkeys(inside) if each != root and each.is_relative_to(root)]


def _folder_of_images(root: Path, split: str | None) -> Path | None:
    """Return the image folder if it is outside the set, else None."""
    if split is not None:
        inside = root / "images" / split, root / split
        is_place = os.path.isdir(split) and not any(map(os.path.isdir, inside))
        return Path(split) if is_place or (os.path.isdir(split) and _is_path(split)) else None
    if any(True for _ in _images_in([root])):
        return None
    return next(counterparts(root, LABEL_FOLDERS, IMAGE_FOLDERS), None)


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text


def _images_in(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from files_below(folder, IMAGE_SUFFIXES)


class _Layout:
    """Pairing of the images of one set with their labels."""

    def __init__(self, root: Path, names: YoloNames, holder: Path) -> None:
        self._root, self._names, self._holder = root, names, holder
        self._folders: dict[Path, tuple[Path | None, bool]] = {}
        self._texts: dict[str, list[Path]] | None = None
        self._stems: dict[Path, set[str]] = {}
        self.notes: list[str] = []
        """Sentences on entries of the description that lead to no image."""

    def all(self) -> list[Pair]:
        """Pair the images of all splits."""
        usual = self._image_folders()
        pairs = self._pairs(_images_in(usual))
        if not pairs:
            beside = sorted(files_below(self._root, IMAGE_SUFFIXES, 0))
            pairs = self._pairs(beside, alone=False)
        if not pairs:
            inside = files_below(self._root, IMAGE_SUFFIXES)
            pairs = self._pairs(self._without_runs(inside), alone=False)
        if not pairs:
            listed = (path for split in self._names.split_paths for path in self._listed(split))
            pairs = self._pairs(listed)
        return pairs

    def labels(self) -> list[Path]:
        """Return the texts that may be labels, with or without images."""
        texts = self._without_runs(files_below(self._root, (".txt",)))
        return [path for path in texts if path.name.lower() not in (*LISTS, *OTHER_TEXTS)]

    def of_folders(self, images: Path) -> list[Pair]:
        """Pair the images of one folder with the labels in another.

        If the label folder doesn't have a usual name, images without labels count as not yet
        annotated, as in LabelImg.
        """
        is_full = self._root.absolute().name.lower() in LABEL_FOLDERS or any(
            part.lower() in LABEL_FOLDERS for part in self._root.absolute().parts[-2:]
        )
        pairs = []
        for image in files_below(images, IMAGE_SUFFIXES):
            inside = image.relative_to(images)
            found = self._beside(image, self._root / inside.parent) or self._by_stem(image)
            if found is not None or is_full:
                pairs.append((image, found or (self._root / inside).with_suffix(".txt")))
        return pairs

    def of_split(self, split: str) -> list[Pair]:
        """Pair the images of one split.

        Raises:
            DatasetError: if it is unknown.
        """
        described = [name for name in spellings(split) if name in self._names.split_paths]
        for name in described:
            if pairs := self._pairs(self._listed(name)):
                return pairs
        names = {name.casefold() for name in spellings(split)}
        names |= {f"obj_{name}_data" for name in names}
        every = self._without_runs(files_below(self._root, IMAGE_SUFFIXES))
        for wanted in ({split.casefold()}, names):
            inside = [path for path in every if wanted & set(self._parts(path))]
            if pairs := self._pairs(inside):
                return pairs
        for name in spellings(split):
            if name not in described and (pairs := self._pairs(self._listed(name))):
                return pairs
        if self.notes:
            raise DatasetError(f"{self._holder}: {self.notes[0]}. Correct the path there.")
        known = {path.name for folder in self._image_folders() for path in folder.glob("*")
                 if path.is_dir()}  # fmt: skip
        known |= {path.parent.name for path in self._image_folders()
                  if path.parent != self._root}  # fmt: skip
        there = listed(sorted(known | set(self._names.split_paths)))
        raise DatasetError(f"{self._root} has no split {split!r}; it has: {there}.")

    def _parts(self, path: Path) -> tuple[str, ...]:
        return tuple(part.casefold() for part in path.relative_to(self._root).parent.parts)

    def _without_runs(self, paths: Iterable[Path]) -> list[Path]:
        return [path for path in paths if not _OTHERS & set(self._parts(path))]

    def _image_folders(self) -> list[Path]:
        """Return ``images`` and ``SPLIT/images``, or the root if it is part of such a tree."""
        own = folders_named(self._root, IMAGE_FOLDERS)
        inside = sorted(path for path in _folders_in(self._root) if path not in own)
        found = [*own, *(each for path in inside for each in folders_named(path, IMAGE_FOLDERS))]
        if not found and any(counterparts(self._root, IMAGE_FOLDERS, LABEL_FOLDERS)):
            return [self._root]
        return found

    def _pairs(self, images: Iterable[Path], *, alone: bool = True) -> list[Pair]:
        """Pair images with labels; ``alone`` keeps images without labels in image folders."""
        pairs = []
        for image in dict.fromkeys(images):
            folder, is_tree = self._labels_of(image.parent)
            found = self._beside(image, folder) if folder is not None else None
            found = found or self._beside(image, image.parent) or self._by_stem(image)
            if found is not None:
                pairs.append((image, found))
            elif alone and is_tree and folder is not None:
                pairs.append((image, folder / f"{image.stem}.txt"))
        return pairs

    def _labels_of(self, folder: Path) -> tuple[Path | None, bool]:
        """Return the label folder of a folder, and whether all its images are in the set."""
        known = self._folders.get(folder)
        if known is None:
            tree = next(counterparts(folder, IMAGE_FOLDERS, LABEL_FOLDERS), None)
            if tree is not None:
                known = tree, True
            else:
                inside = folders_named(folder, LABEL_FOLDERS)
                known = (inside[0], False) if inside else self._missing_labels(folder)
            self._folders[folder] = known
        return known

    def _missing_labels(self, folder: Path) -> tuple[Path | None, bool]:
        """Return the expected label folder of a folder in ``images``."""
        parts = folder.relative_to(self._root).parts if folder.is_relative_to(self._root) else ()
        if "images" not in parts:
            return None, False
        row = len(parts) - 1 - parts[::-1].index("images")
        return self._root.joinpath(*parts[:row], "labels", *parts[row + 1 :]), True

    def _beside(self, image: Path, folder: Path) -> Path | None:
        for name in (f"{image.stem}.txt", f"{image.name}.txt"):
            if (folder / name).is_file():
                return folder / name
        return None

    def _by_stem(self, image: Path) -> Path | None:
        """Return the only text file with an image's name, unless it is another image's."""
        if self._texts is None:
            self._texts = {}
            for path in self._without_runs(files_below(self._root, (".txt",))):
                self._texts.setdefault(path.stem, []).append(path)
        found = self._texts.get(image.stem, [])
        return found[0] if len(found) == 1 and not self._has_image(found[0]) else None

    def _has_image(self, labels: Path) -> bool:
        """Return whether an image of the labels' name is where labels have theirs."""
        folder = labels.parent
        if folder not in self._stems:
            places = (folder, *counterparts(folder, LABEL_FOLDERS, IMAGE_FOLDERS))
            images = (path for place in places for path in files_below(place, IMAGE_SUFFIXES, 0))
            self._stems[folder] = {path.stem for path in images}
        return labels.stem in self._stems[folder]

    def _listed(self, split: str) -> list[Path]:
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
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        check_count(len(lines), MAX_IMAGES, "images", path)
        return [found for line in lines if (found := _image_of_line(line, search)) is not None]


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


def _image_of_line(line: str, search: ImageSearch) -> Path | None:
    """Return the image that a line names; None if it isn't an image."""
    if os.path.splitext(line)[1].lower() not in IMAGE_SUFFIXES or "\0" in line:
        return None
    found = search.look_up_end(line)
    if found is None and (os.path.isabs(line) or PureWindowsPath(line).drive):
        found = Path(line) if os.path.isfile(line) else None
    return found


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir()
                if path.is_dir() and not path.name.startswith(".")]  # fmt: skip
    except OSError:
        return []
