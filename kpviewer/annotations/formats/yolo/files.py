"""The images and labels of a YOLO set, in the layouts of common tools."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kpviewer.annotations.formats.voc.files import spellings
from kpviewer.annotations.formats.yolo.description import (
    LISTS,
    find_description,
    is_yolo_description,
    read_description,
    several_lists,
)
from kpviewer.annotations.formats.yolo.label_files import OTHER_TEXTS
from kpviewer.annotations.formats.yolo.listed import ListedImages
from kpviewer.annotations.formats.yolo.pairing import Pair, Pairing, files_of_set, folders_inside
from kpviewer.annotations.limits import MAX_IMAGES, check_count
from kpviewer.annotations.reading.folders import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    counterparts,
    files_below,
    folders_named,
)
from kpviewer.annotations.reading.values import listed
from kpviewer.annotations.yolo_yaml import YoloNames
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES, OTHER_IMAGE_SUFFIXES

_MAX_FOLDERS = 50
"""Largest number of folders of labels that are searched for lists of names."""


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
            names = replace(names, class_names=listed.class_names)
    else:
        others = [folder for folder in (images,) if folder is not None]
        names, holder = find_description(root, [*others, *(each.parent for each in others)])
    layout = _Layout(root, names, holder)
    if images is not None:
        pairs = layout.pairs.of_folders(images)
    elif split is not None:
        pairs = layout.of_split(split)
    else:
        pairs = layout.described() if root != path else []
        if not pairs or not needs_images:  # a source may show other images of the folder
            pairs = list({**dict(pairs), **dict(layout.all())}.items())
    alone = [] if pairs else layout.labels()
    if alone and needs_images:
        _refuse_other_images(root, alone)
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
        names = _names_inside(root, alone or [each for _, each in pairs]) or names
    notes = names.notes if alone else (*names.notes, *layout.notes)
    return YoloFiles(pairs, replace(names, notes=notes), alone)


def _refuse_other_images(root: Path, labels: Iterable[Path]) -> None:
    """Raise DatasetError if the images of labels are in a format that can't be read."""
    stems = {path.stem for path in labels}
    for path in files_of_set(root, OTHER_IMAGE_SUFFIXES):
        if path.stem in stems:
            raise DatasetError(
                f"{root} holds images in a format that isn't read, such as {path.name}. Convert "
                "them to JPEG or PNG."
            )


def _names_inside(root: Path, labels: Iterable[Path]) -> YoloNames | None:
    """Return the description of the labels' folders inside a set; None if there is none.

    Of lists that begin alike, as LabelImg writes them while classes are added, the longest counts.

    Raises:
        DatasetError: if two folders list different names, as two sets in one folder do.
    """
    found: dict[tuple[str, ...], tuple[YoloNames, Path]] = {}
    for folder in _holders(labels, root):
        names, holder = find_description(folder)
        if names.class_names:
            found.setdefault(names.class_names, (names, holder))
    longest = max(found, key=len, default=())
    for other, (_, holder) in found.items():
        if longest[: len(other)] != other:
            first, second = (os.path.relpath(each, root) for each in (found[longest][1], holder))
            cure = f"Name one of the two: yolo:{root / second}"
            raise several_lists(root, first, second, cure)
    return found[longest][0] if found else None


def _holders(labels: Iterable[Path], root: Path) -> list[Path]:
    """Return the folders of the set that may hold a list of names: those above the labels."""
    folders = list(dict.fromkeys(path.parent for path in labels))[:_MAX_FOLDERS]
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
    """Choice among the places of images in one set."""

    def __init__(self, root: Path, names: YoloNames, holder: Path) -> None:
        self._root, self._names, self._holder = root, names, holder
        self._listed = ListedImages(root, names, holder)
        self.pairs = Pairing(root)
        self.notes = self._listed.notes

    def all(self) -> list[Pair]:
        """Pair the images of all splits."""
        pairs = self.pairs.of(_images_in(self._image_folders()))
        if not pairs:
            beside = sorted(files_below(self._root, IMAGE_SUFFIXES, 0))
            pairs = self.pairs.of(beside, alone=False)
        if not pairs:
            pairs = self.pairs.of(files_of_set(self._root, IMAGE_SUFFIXES), alone=False)
        if not pairs:
            listed = (pair for name in self._names.split_paths for pair in self._of_listed(name))
            pairs = list(dict(listed).items())
        return pairs

    def described(self) -> list[Pair]:
        """Pair the images of all entries of the description; none if nothing is there."""
        found: dict[Path, Path] = {}
        for name in self._names.split_paths:
            with contextlib.suppress(DatasetError):  # ``notes`` has it
                found |= self.of_split(name)
        return list(found.items())

    def labels(self) -> list[Path]:
        """Return the texts that may be labels, with or without images."""
        texts = files_of_set(self._root, (".txt",))
        return [path for path in texts if path.name.lower() not in (*LISTS, *OTHER_TEXTS)]

    def of_split(self, split: str) -> list[Pair]:
        """Pair the images of one split.

        Raises:
            DatasetError: if it is unknown.
        """
        described = [name for name in spellings(split) if name in self._names.split_paths]
        for name in described:
            if pairs := self._of_listed(name):
                return pairs
        names = {name.casefold() for name in spellings(split)}
        names |= {f"obj_{name}_data" for name in names}
        every = files_of_set(self._root, IMAGE_SUFFIXES)
        for wanted in ({split.casefold()}, names):
            inside = [path for path in every if wanted & set(folders_inside(path, self._root))]
            if pairs := self.pairs.of(inside):
                return pairs
        for name in spellings(split):
            if name not in described and (pairs := self._of_listed(name)):
                return pairs
        if self.notes:
            raise DatasetError(f"{self._holder}: {self.notes[0]}. Correct the path there.")
        known = {path.name for folder in self._image_folders() for path in folder.glob("*")
                 if path.is_dir()}  # fmt: skip
        known |= {path.parent.name for path in self._image_folders()
                  if path.parent != self._root}  # fmt: skip
        there = listed(sorted(known | set(self._names.split_paths)))
        raise DatasetError(f"{self._root} has no split {split!r}; it has: {there}.")

    def _of_listed(self, split: str) -> list[Pair]:
        return self.pairs.of(self._listed.of_split(split), named=self._listed.named)

    def _image_folders(self) -> list[Path]:
        """Return ``images`` and ``SPLIT/images``, or the root if it is part of such a tree."""
        own = folders_named(self._root, IMAGE_FOLDERS)
        inside = sorted(path for path in _folders_in(self._root) if path not in own)
        found = [*own, *(each for path in inside for each in folders_named(path, IMAGE_FOLDERS))]
        if not found and any(counterparts(self._root, IMAGE_FOLDERS, LABEL_FOLDERS)):
            return [self._root]
        return found


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir()
                if path.is_dir() and not path.name.startswith(".")]  # fmt: skip
    except OSError:
        return []
