"""The labels of each image of a YOLO set."""

from collections.abc import Container, Iterable
from pathlib import Path

from kpviewer.annotations.reading.folders import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    counterparts,
    files_below,
    folders_named,
)
from kpviewer.image_files import IMAGE_SUFFIXES

_OTHERS = frozenset(("runs", "weights"))
"""Folders that Ultralytics writes predictions to."""

Pair = tuple[Path, Path]
"""An image and the path of its labels, which may not exist."""


def folders_inside(path: Path, root: Path) -> tuple[str, ...]:
    """Return the names of the folders between a file and the set, without case."""
    return tuple(part.casefold() for part in path.relative_to(root).parent.parts)


def files_of_set(root: Path, suffixes: Iterable[str]) -> list[Path]:
    """Return the files of a set, without predictions."""
    found = files_below(root, suffixes)
    return [path for path in found if not _OTHERS & set(folders_inside(path, root))]


class Pairing:
    """Pairing of the images of one set with their labels."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders: dict[Path, tuple[Path | None, bool]] = {}
        self._texts: dict[str, list[Path]] | None = None
        self._stems: dict[Path, set[str]] = {}

    def of(
        self, images: Iterable[Path], *, alone: bool = True, named: Container[Path] = ()
    ) -> list[Pair]:
        """Pair images with labels.

        Args:
            images: images to pair.
            alone: whether images without labels are kept in image folders.
            named: images that are kept without labels anywhere.
        """
        pairs = []
        for image in dict.fromkeys(images):
            folder, is_tree = self._labels_of(image.parent)
            found = self._beside(image, folder) if folder is not None else None
            found = found or self._beside(image, image.parent)
            if found is None and not (is_tree and folder is not None and folder.is_dir()):
                found = self._by_stem(image)
            if found is not None:
                pairs.append((image, found))
            elif (alone and is_tree) or image in named:
                pairs.append((image, (folder or image.parent) / f"{image.stem}.txt"))
        return pairs

    def of_folders(self, images: Path) -> list[Pair]:
        """Pair the images of one folder with labels in the root, or in a folder of labels there.

        If the label folder doesn't have a usual name, images without labels count as not yet
        annotated, as in LabelImg.
        """
        ends = self._root.absolute().parts[-2:]
        is_full = any(part.lower() in LABEL_FOLDERS for part in ends)
        holders = (self._root, *folders_named(self._root, LABEL_FOLDERS))
        pairs = []
        for image in files_below(images, IMAGE_SUFFIXES):
            inside = image.relative_to(images)
            beside = (self._beside(image, holder / inside.parent) for holder in holders)
            found = next(filter(None, beside), None) or self._by_stem(image)
            if found is not None or is_full:
                pairs.append((image, found or (self._root / inside).with_suffix(".txt")))
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
            for path in files_of_set(self._root, (".txt",)):
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
