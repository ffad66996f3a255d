"""Masks that CVAT and Datumaro mark as crowds: they write ``iscrowd`` = 1 for every mask.

They write ``attributes``, too. A crowd that somebody marked looks the same. Source: https://github.com/cvat-ai/cvat/issues/7030
"""

from collections.abc import Iterator

import msgspec

from kpviewer.annotations.formats.coco.records import Annotation, CocoFile
from kpviewer.annotations.reading.values import is_set


def annotations_of(file: CocoFile) -> tuple[Iterator[Annotation | None], tuple[str, ...]]:
    """Return the annotations of a file, and notes on masks that are marked as crowds.

    Their marks are removed if they are most of the annotations, as crowds are few.
    """
    count = marked = 0
    for record in file.annotations():
        if record is not None:
            count += 1
            if count == 1 and record.attributes is None:
                break
            marked += _is_marked(record)
    if not marked:
        return file.annotations(), ()
    which = "masks marked iscrowd, as CVAT and Datumaro mark every mask,"
    if 2 * marked > count:
        return _unmarked(file), (f"{which} are read as objects: {marked}",)
    note = f"{which} count neither way: {marked}. Set iscrowd to 0 if they are objects"
    return file.annotations(), (note,)


def _unmarked(file: CocoFile) -> Iterator[Annotation | None]:
    for record in file.annotations():
        if record is not None and _is_marked(record):
            record.iscrowd = 0
        yield record


def _is_marked(record: Annotation) -> bool:
    is_theirs = isinstance(record.attributes, dict)
    return is_theirs and is_set(record.iscrowd) and _is_mask(record.segmentation)


def _is_mask(segmentation: object) -> bool:
    """Return whether a segmentation has run lengths instead of polygons."""
    if isinstance(segmentation, msgspec.Raw):
        return bytes(memoryview(segmentation)[:1]) == b"{"
    return isinstance(segmentation, dict)
