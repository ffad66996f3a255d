"""Reader of Pascal VOC XML files: the VOC layout of folders, and the plain folders of LabelImg.

XML is untrusted: it is read by defusedxml with limits, and a picture's path in it is not followed.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from kpviewer.annotations.problems import MALFORMED, UNREADABLE_XML, Problem, box_problem, told
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.annotations.values import (
    number,
    picture_size,
    read_bounded,
    shorten,
)
from kpviewer.errors import DatasetError
from kpviewer.image_files import is_image, without_sidecars
from kpviewer.structures import Targets

LIMIT_MB = 32
LARGEST_DEPTH = 32


@dataclass(frozen=True, slots=True)
class _Picture:
    """One XML file, read."""

    path: Path
    size_wh: tuple[int, int]
    source: str
    names: tuple[str, ...]
    boxes: tuple[tuple[float, ...], ...]
    difficult: tuple[bool, ...]


def read_voc(
    folder: Path | str, split: str | None = None, problems: list[Problem] | None = None
) -> AnnotationSet:
    """Read a folder of Pascal VOC annotations.

    Args:
        folder: with ``Annotations``, ``JPEGImages`` and ``ImageSets/Main`` as in VOC, or one that
            holds XML files beside their pictures, as LabelImg leaves it.
        split: name of a list in ``ImageSets/Main``, such as ``train``; None reads every XML file.
        problems: with a list, what can't be used is told there and left out.

    Returns:
        The set; classes in alphabetical order. Coordinates are taken as they stand: tools of today
        count from 0. A size of (0, 0) means that the file doesn't tell.

    Raises:
        DatasetError: if something is missing or malformed. Boxes without area are left out and
            counted in ``notes``.
    """
    root = Path(folder)
    is_voc = (root / "Annotations").is_dir()
    files = _xml_files(root, root / "Annotations" if is_voc else root, split)
    images = root / "JPEGImages" if is_voc and (root / "JPEGImages").is_dir() else root
    by_stem = {path.stem: path for path in _pictures(images)}
    skipped: Counter[str] = Counter()
    pictures = []
    for file in files:
        with told(problems, UNREADABLE_XML):
            pictures.append(_read_picture(file, images, by_stem, (skipped, problems)))
    names = tuple(sorted({name for picture in pictures for name in picture.names}))
    counted = skipped.items() if problems is None else ()  # else the problems have them
    notes = tuple(f"{count} objects left out: {reason}" for reason, count in counted)
    return AnnotationSet(
        tuple(_annotated(picture, names) for picture in pictures), names, notes=notes
    )


def _xml_files(root: Path, annotations: Path, split: str | None) -> list[Path]:
    if split is None:
        files = without_sidecars(annotations.glob("*.xml")) if annotations.is_dir() else []
        if not files:
            raise DatasetError(f"{annotations} must hold XML files, got none. Check the folder.")
        return files
    lists = root / "ImageSets" / "Main"
    known = sorted(path.stem for path in lists.glob("*.txt"))
    if split not in known:
        raise DatasetError(
            f"{root} has no split {split!r}; {lists} lists: {', '.join(known) or 'none'}."
        )
    text = read_bounded(lists / f"{split}.txt", LIMIT_MB).decode("utf-8", "replace")
    stems = [line.split()[0] for line in text.splitlines() if line.strip()]
    for stem in stems:
        if Path(stem).name != stem or "\\" in stem:
            raise DatasetError(f"{lists / split}.txt must list names, got {shorten(stem)}.")
    return [annotations / f"{stem}.xml" for stem in stems]


def _pictures(folder: Path) -> Iterable[Path]:
    return (path for path in sorted(folder.iterdir()) if is_image(path))


def _read_picture(
    file: Path,
    images: Path,
    by_stem: dict[str, Path],
    left_out: tuple[Counter[str], list[Problem] | None],
) -> _Picture:
    """Read one file; ``left_out`` counts objects without area, and may take in problems."""
    root = _parse(file)
    skipped, problems = left_out
    name = Path((root.findtext("filename") or "").replace("\\", "/")).name
    names, boxes, difficult = [], [], []
    for place, element in enumerate(root.iterfind("object"), 1):
        with told(problems, MALFORMED):
            box = _read_box(element, file)
            wrong = box_problem(box)
            if wrong is not None:
                skipped["boxes without area"] += 1
                if problems is not None:
                    problems.append(Problem(wrong, f"{file}, object {place}"))
                continue
            names.append(_class_name(element, file))
            boxes.append(box)
            difficult.append((element.findtext("difficult") or "0").strip() == "1")
    return _Picture(
        path=by_stem.get(file.stem) or images / (name or f"{file.stem}.jpg"),
        size_wh=_read_size(root, file),
        source=(root.findtext("source/database") or "").strip(),
        names=tuple(names),
        boxes=tuple(boxes),
        difficult=tuple(difficult),
    )


def _parse(file: Path) -> Element:
    """Parse one file, no deeper than LARGEST_DEPTH and without document types or entities.

    Raises:
        DatasetError: if it can't be read.
    """
    data = read_bounded(file, LIMIT_MB)
    depth = 0
    root: Element | None = None
    try:
        for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if depth > LARGEST_DEPTH:
                raise ParseError(f"elements nested deeper than {LARGEST_DEPTH}")
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DatasetError(
            f"{file} must be a Pascal VOC XML file: {error}. Is it damaged?"
        ) from error
    if root is None or root.tag != "annotation":
        got = "nothing" if root is None else f"<{root.tag[:40]}>"
        raise DatasetError(f"{file} must be a Pascal VOC <annotation>, got {got}.")
    return root


def _class_name(element: Element, file: Path) -> str:
    name = (element.findtext("name") or "").strip()
    if not name:
        raise DatasetError(f"{file}: every object needs a name. Label it and save again.")
    return name


def _read_box(element: Element, file: Path) -> tuple[float, ...]:
    sides = ("xmin", "ymin", "xmax", "ymax")
    return tuple(number(element.findtext(f"bndbox/{side}"), side, file) for side in sides)


def _read_size(root: Element, file: Path) -> tuple[int, int]:
    width, height = root.findtext("size/width"), root.findtext("size/height")
    if {width, height} & {None, "", "0"}:
        return 0, 0
    return picture_size(width, height, file)


def _annotated(picture: _Picture, names: tuple[str, ...]) -> AnnotatedImage:
    count = len(picture.boxes)
    return AnnotatedImage(
        path=picture.path,
        size_wh=picture.size_wh,
        targets=Targets(
            np.array(picture.boxes, np.float32).reshape(-1, 4),
            np.array([names.index(name) for name in picture.names], np.int64),
            np.zeros((count, 0, 2), np.float32),
            np.zeros((count, 0), np.bool_),
            np.array(picture.difficult, np.bool_),
        ),
        source="" if picture.source == "Unknown" else picture.source,
        pseudo=np.zeros(count, np.bool_),
        keypoints_labelled=np.zeros((count, 0), np.bool_),
        image_id=picture.path.name,
    )
