"""From the data specification of the command line to a data set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kpviewer.annotations.celeba import read_celeba
from kpviewer.annotations.coco import read_coco
from kpviewer.annotations.csv import read_csv
from kpviewer.annotations.point_table import read_point_table
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.annotations.voc import read_voc
from kpviewer.errors import DatasetError

FORMS = (
    "coco:FILE[:IMAGES], voc:DIR[:SPLIT], csv:FILE[:IMAGES], celeba:DIR[:SPLIT], "
    "points:FILE[:SPLIT]"
)

_READERS: dict[str, Callable[[str, str | None], AnnotationSet]] = {
    "coco": read_coco,
    "voc": read_voc,
    "csv": read_csv,
    "celeba": read_celeba,
    "points": read_point_table,
}


def read_annotations(spec: str) -> AnnotationSet:
    """Read the data set that ``spec`` names.

    Args:
        spec: ``coco:FILE[:IMAGES]``, ``voc:DIR[:SPLIT]``, ``csv:FILE[:IMAGES]``,
            ``celeba:DIR[:SPLIT]`` or ``points:FILE[:SPLIT]``; or a path alone, whose kind is told
            by its ending: .json, .csv, or a folder of XML files.

    Raises:
        DatasetError: if the form is unknown, or the data are missing or malformed.
    """
    kind, _, rest = spec.partition(":")
    if kind in _READERS and rest:
        return _READERS[kind](*split_extra(rest))
    place, extra = split_extra(spec)
    path = Path(place)
    kinds = {".json": "coco", ".csv": "csv"}
    kind = "voc" if spec and path.is_dir() else kinds.get(path.suffix.lower(), "")
    if kind not in _READERS:
        raise DatasetError(
            f"Data must be given as {FORMS}, or as a .json file, a .csv file or a folder; "
            f"got {spec!r}."
        )
    return _READERS[kind](place, extra)


def split_extra(text: str) -> tuple[str, str | None]:
    """Split ``PATH[:EXTRA]`` at the colon behind a path that exists: drive letters stay whole."""
    places = [index for index, char in enumerate(text) if char == ":"]
    for place in (len(text), *reversed(places)):
        if place and Path(text[:place]).exists():
            return text[:place], text[place + 1 :] or None
    return text, None
