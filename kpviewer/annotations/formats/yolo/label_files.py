"""Pairing of the images of a YOLO set with their label files; the rest is reported."""

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from kpviewer.annotations.problems import (
    FITTED,
    NO_IMAGE,
    NO_LABEL_FOLDER,
    NO_LABELS,
    OTHER_FORMAT,
    Problem,
    Problems,
)
from kpviewer.annotations.reading.fitting import fit_names
from kpviewer.annotations.reading.folders import files_below
from kpviewer.image_files import OTHER_IMAGE_SUFFIXES, is_image

OTHER_TEXTS = frozenset(("classes.txt", "train.txt", "val.txt", "test.txt", "readme.txt"))
_DIGITS = b"0123456789"


def pair_labels(pairs: Sequence[tuple[Path, Path]], problems: Problems) -> list[tuple[Path, Path]]:
    """Match label files to images whose own label file is missing.

    Args:
        pairs: images with the expected paths of their labels.
        problems: collector of images and labels without counterpart.

    Returns:
        The pairs, some with a label file whose name differs a little.
    """
    bare = [pair for pair in pairs if not os.path.lexists(pair[1])]
    used = {labels for _, labels in pairs}
    folders = dict.fromkeys(labels.parent for labels in used)
    orphans = [path for folder in folders for path in _labels_in(folder) if path not in used]
    if orphans:
        others = _other_images(pairs)
        stems = {path.stem for path in others}  # labels of another split aren't orphans
        orphans = [path for path in orphans if path.stem not in stems]
        bare += [(path, path) for path in others if path.parent in folders]  # beside their labels
    names = [path.with_suffix(bare[0][0].suffix) for path in orphans] if bare else []
    fitted = fit_names(names, [image for image, _ in bare])
    fitted = {row: at for row, at in fitted.items() if _may_hold(orphans[row].parent, bare[at][1])}
    by_image = {bare[bare_row][0]: orphans[row] for row, bare_row in fitted.items()}
    lonely = [path for row, path in enumerate(orphans) if row not in fitted]
    left = [pair for pair in bare if pair[0] not in by_image and pair[0] != pair[1]]
    problems += [
        *(Problem(FITTED, f"{labels.name!r} is of {image.name!r}", is_error=False)
          for image, labels in by_image.items()),
        *_lonely_problems(lonely, dict.fromkeys(image.parent for image, _ in pairs)),
        *_bare_problems(left),
    ]  # fmt: skip
    found = [(image, by_image.pop(image, labels)) for image, labels in pairs]
    return [*found, *by_image.items()]


def _may_hold(folder: Path, labels: Path) -> bool:
    """Return whether a folder may hold the labels of an image: its own, if that is there."""
    return labels.parent == folder or not labels.parent.is_dir()


def _other_images(pairs: Sequence[tuple[Path, Path]]) -> list[Path]:
    """Return the images in the folders of a set that don't belong to it."""
    known = {image for image, _ in pairs}
    found: list[Path] = []
    for folder in dict.fromkeys(image.parent for image in known):
        with contextlib.suppress(OSError):
            found += sorted(path for path in folder.iterdir() if is_image(path))
    return [path for path in found if path not in known]


def _lonely_problems(lonely: Sequence[Path], folders: Iterable[Path]) -> list[Problem]:
    """Return a problem for each label file whose image is missing, or can't be read."""
    others = (path for folder in folders for path in files_below(folder, OTHER_IMAGE_SUFFIXES, 0))
    by_stem = {path.stem: path for path in others} if lonely else {}
    return [
        Problem(OTHER_FORMAT, str(by_stem[path.stem]), is_error=False)
        if path.stem in by_stem
        else Problem(NO_IMAGE, str(path), is_error=False)
        for path in lonely
    ]


def _bare_problems(bare: Sequence[tuple[Path, Path]]) -> list[Problem]:
    """Return a problem for each image without labels; a whole folder counts once."""
    gone = dict.fromkeys(labels.parent for _, labels in bare if not labels.parent.is_dir())
    return [Problem(NO_LABEL_FOLDER, str(folder), is_error=False) for folder in gone] + [
        Problem(NO_LABELS, str(image), is_error=False)
        for image, labels in bare
        if labels.parent not in gone
    ]


def _labels_in(folder: Path) -> list[Path]:
    """Return the text files of a folder that begin like label files."""
    try:
        texts = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".txt")
    except OSError:
        return []
    return [
        path
        for path in texts
        if path.name.lower() not in OTHER_TEXTS and path.is_file() and _is_label(path)
    ]


def _is_label(path: Path) -> bool:
    if not path.is_file():  # reading a pipe would block
        return False
    try:
        with path.open("rb") as file:
            start = file.read(16).lstrip(b"\xef\xbb\xbf \t\r\n")
    except OSError:
        return False
    return not start or start[:1] in _DIGITS
