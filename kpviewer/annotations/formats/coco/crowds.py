"""Masks that CVAT and Datumaro mark as crowds: they write ``iscrowd`` = 1 for every mask.

A crowd that somebody marked looks the same. Source: https://github.com/cvat-ai/cvat/issues/7030
"""

from collections.abc import Iterator

import msgspec

from kpviewer.annotations.formats.coco.records import Annotation, CocoFile
from kpviewer.annotations.reading.values import is_set

_SAMPLED = 1000
"""Number of annotations, none of them marked, after which the file has no marks of such tools."""


def annotations_of(file: CocoFile) -> tuple[Iterator[Annotation | None], tuple[str, ...]]:
    """Return the annotations of a file, and notes on masks that are marked as crowds.

    The marks are removed if they are most of the annotations, as crowds are few.
    """
    count = marked = noted = 0
    for record in file.annotations():
        if count == _SAMPLED and not marked:
            break
        count += 1
        if record is not None and _is_marked(record):
            marked += 1
            noted += record.attributes is not None  # crowds of COCO's own sets are what they say
    which = "masks marked iscrowd, as CVAT and Datumaro mark every mask,"
    if 2 * marked > count:
        return _unmarked(file), (f"{which} are read as objects: {marked}",)
    note = f"{which} count neither way: {noted}. Set iscrowd to 0 if they are objects"
    return file.annotations(), (note,) * (noted > 0)


def _unmarked(file: CocoFile) -> Iterator[Annotation | None]:
    for record in file.annotations():
        if record is not None and _is_marked(record):
            record.iscrowd = 0
        yield record


def _is_marked(record: Annotation) -> bool:
    return is_set(record.iscrowd) and _is_mask(record.segmentation)


def _is_mask(segmentation: object) -> bool:
    """Return whether a segmentation has run lengths instead of polygons."""
    if isinstance(segmentation, msgspec.Raw):
        return bytes(memoryview(segmentation)[:1]) == b"{"
    return isinstance(segmentation, dict)
