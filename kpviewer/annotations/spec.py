"""From the data specification of the command line to a data set."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from kpviewer.annotations.celeba import read_celeba
from kpviewer.annotations.coco import read_coco
from kpviewer.annotations.csv import read_csv
from kpviewer.annotations.finishing import finished, without_partial
from kpviewer.annotations.kinds import kind_of_path
from kpviewer.annotations.point_table import read_point_table
from kpviewer.annotations.problems import Problem
from kpviewer.annotations.pts import read_pts
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.annotations.voc import read_voc
from kpviewer.annotations.yolo import read_yolo
from kpviewer.errors import DatasetError
from kpviewer.paths import named_path, shortened

FORMS = (
    "coco:FILE[:IMAGES], voc:DIR[:SPLIT or IMAGES], csv:FILE[:IMAGES], celeba:DIR[:SPLIT], "
    "points:FILE[:SPLIT], yolo:DIR[:SPLIT or IMAGES], pts:DIR[:FOLDER]"
)

Reader: TypeAlias = Callable[[str, str | None, list[Problem] | None], AnnotationSet]

_READERS: dict[str, Reader] = {
    "coco": read_coco,
    "voc": read_voc,
    "csv": read_csv,
    "celeba": read_celeba,
    "points": read_point_table,
    "yolo": read_yolo,
    "pts": read_pts,
}


class LoadedSpec(str):
    """A specification whose set is in memory, mended perhaps: reading it gives that set.

    Args:
        spec: what it was read from.
        annotations: the set.
    """

    __slots__ = ("annotations",)
    annotations: AnnotationSet

    def __new__(cls, spec: str, annotations: AnnotationSet) -> LoadedSpec:
        """Make a text that equals ``spec``."""
        read = super().__new__(cls, spec)
        read.annotations = annotations
        return read


def read_annotations(
    spec: str, problems: list[Problem] | None = None, *, is_whole: bool = True
) -> AnnotationSet:
    """Read the data set that ``spec`` names.

    Args:
        spec: one of FORMS; or a path alone, whose kind is told by its ending (.json, .csv,
            .yaml), or by what lies in the folder.
        problems: with a list, entries that can't be used are told there and left out, and only a
            set that can't be read at all is an error.
        is_whole: whether images beside those of the set are a problem.

    Raises:
        DatasetError: if the form is unknown, or the data are missing or malformed.
    """
    if isinstance(spec, LoadedSpec):
        return spec.annotations
    kind, _, rest = spec.partition(":")
    if kind in _READERS and rest:
        place, extra = split_extra(rest)
        named_path(place, DatasetError)
        return _read(kind, (place, extra), problems, is_whole=is_whole)
    place, extra = split_extra(spec)
    named_path(place, DatasetError)
    kind, path = kind_of_path(Path(place)) if spec else ("", Path())
    if kind not in _READERS:
        if os.path.isdir(place) and spec:
            raise DatasetError(
                f"{place} holds no annotations of a known kind, or several. Name them: {FORMS}."
            )
        raise DatasetError(
            f"Data must be given as {FORMS}, or as a file or a folder of one of these; "
            f"got {shortened(spec)!r}."
        )
    return _read(kind, (str(path), extra), problems, is_whole=is_whole)


def _read(
    kind: str,
    place: tuple[str, str | None],
    problems: list[Problem] | None,
    *,
    is_whole: bool,
) -> AnnotationSet:
    try:
        data = _READERS[kind](*place, problems)
    except OSError as error:  # a name in the set that no file can have, or a disk that fails
        what = shortened(str(error.filename or place[0]))
        reason = (error.strerror or str(error)).lower()
        raise DatasetError(
            f"{what} can't be read ({reason}). Check the name and the disk."
        ) from None
    is_whole &= kind in ("coco", "csv") or place[1] is None  # a split is a part on purpose
    return finished(data, problems, is_whole=is_whole)


def read_usable(spec: str, *, is_whole: bool = True) -> AnnotationSet:
    """Read what can be used of the data set that ``spec`` names, to look at it or to score on it.

    Args:
        spec: as for ``read_annotations``.
        is_whole: as for ``read_annotations``.

    Returns:
        The set without bad entries; ``problems`` has them, and ``notes`` counts them.

    Raises:
        DatasetError: if the set can't be read at all, or none of its objects can be used.
    """
    problems: list[Problem] = []
    data = read_annotations(spec, problems, is_whole=is_whole)
    usable = without_partial(replace(data, problems=tuple(problems)))
    if any(each.is_error for each in problems) and not any(len(i.targets) for i in usable.images):
        raise DatasetError(f"Nothing of {spec} can be used: {usable.notes[0]}")
    return usable


def split_extra(text: str) -> tuple[str, str | None]:
    """Split ``PATH[:EXTRA]`` at the colon behind a path that exists: drive letters stay whole."""
    places = [index for index, char in enumerate(text) if char == ":"]
    for place in (len(text), *reversed(places)):
        if place and os.path.exists(text[:place]):
            return text[:place], text[place + 1 :] or None
    return text, None
