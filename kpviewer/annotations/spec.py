"""Reading of a data set by the specification that the command line takes."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from kpviewer.annotations.beside import spec_of_file
from kpviewer.annotations.derived.classes import repeated_name
from kpviewer.annotations.finishing.duplicates import merged, without_duplicates
from kpviewer.annotations.finishing.files import ImageFolders, unlisted, with_files
from kpviewer.annotations.finishing.keypoints import keypoint_problems
from kpviewer.annotations.finishing.partial import marked, without_partial
from kpviewer.annotations.finishing.units import in_px, unit_problems
from kpviewer.annotations.formats.recognition import format_not_read, kind_of_path, sets_inside
from kpviewer.annotations.problems import STRICT, Problem, Problems
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.system.paths import named_path, shortened

FORMS = (
    "yolo:DIR or .yaml[:SPLIT or IMAGES], coco:FILE[:IMAGES], voc:DIR[:SPLIT or IMAGES], "
    "csv:FILE[:IMAGES], celeba:DIR[:SPLIT], celeba-wild:DIR[:SPLIT[,ATTRIBUTE]], "
    "points:FILE[:SPLIT], labels:FILE[:SPLIT], pts:DIR[:FOLDER], biwi:DIR[:PEOPLE]"
)

_MOST_NAMED = 4
"""Number of files that an error names."""
Reader: TypeAlias = Callable[..., AnnotationSet]

_READERS = {
    "coco": "coco.reader.read_coco",
    "voc": "voc.reader.read_voc",
    "csv": "tables.objects.read_csv",
    "celeba": "celeba.aligned.read_celeba",
    "celeba-wild": "celeba.wild.read_celeba_wild",
    "points": "tables.points.read_point_table",
    "labels": "tables.labels.read_label_table",
    "yolo": "yolo.reader.read_yolo",
    "pts": "pts.read_pts",
    "biwi": "biwi.read_biwi",
}
"""Function in ``formats`` by kind. Its module is imported when it reads."""


class LoadedSpec(str):
    """Specification whose set is in memory, perhaps corrected; reading it returns that set."""

    __slots__ = ("annotations",)
    annotations: AnnotationSet

    def __new__(cls, spec: str, annotations: AnnotationSet) -> LoadedSpec:
        """Return a text that equals ``spec``."""
        read = super().__new__(cls, spec)
        read.annotations = annotations
        return read


def read_annotations(
    spec: str, problems: Problems = STRICT, *, of_source: bool = False
) -> AnnotationSet:
    """Read the data set that ``spec`` names.

    Args:
        spec: one of FORMS; or a path alone, whose format is recognised by its ending (.json, .csv,
            .yaml) or by the contents of the folder.
        problems: collector of unusable entries, which are left out, so that only an unreadable set
            raises; STRICT raises for each.
        of_source: whether the set is compared with a source: additional images beside those of the
            set are then no problem, and YOLO labels need no images.

    Raises:
        DatasetError: if the form is unknown, or the data are missing or malformed.
    """
    if isinstance(spec, LoadedSpec):
        return spec.annotations
    kind, _, rest = spec.partition(":")
    if kind in _READERS and rest:
        location, extra = split_extra(rest)
        named_path(location, DatasetError)
        return _read(kind, (location, extra), problems, of_source=of_source)
    location, extra = split_extra(spec)
    named_path(location, DatasetError)
    kind, path = kind_of_path(Path(location)) if spec else ("", Path())
    if kind not in _READERS:
        if spec and (sentence := format_not_read(Path(location))):
            raise DatasetError(f"{location} can't be used. {sentence}")
        if os.path.isdir(location) and spec:
            raise _folder_error(location)
        whole = spec_of_file(Path(location))
        if os.path.isfile(location) and whole != location:
            listed = f", or yolo:{location} if it lists images" if location.endswith(".txt") else ""
            raise DatasetError(f"{location} is one file of a set. Name the set: {whole}{listed}.")
        is_gone = spec and not os.path.exists(location)
        gone = f"There is no file or folder {shortened(location)!r}. " if is_gone else ""
        if is_gone and os.path.isabs(location):
            raise DatasetError(f"{gone}Was it renamed, or is its disk not connected?")
        raise DatasetError(
            f"{gone}Data must be given as {FORMS}, or as a "
            f"file or a folder of one of these; got {shortened(spec)!r}."
        )
    return _read(kind, (str(path), extra), problems, of_source=of_source)


def _folder_error(folder: str) -> DatasetError:
    """Return the error for a folder that isn't one set: it may hold the files of several."""
    inside = sets_inside(Path(folder))
    if not inside:
        return DatasetError(f"{folder} holds no annotations of a known kind. Name them: {FORMS}.")
    more = f" or {len(inside) - _MOST_NAMED} more" if len(inside) > _MOST_NAMED else ""
    return DatasetError(
        f"{folder} isn't one set. Name a file in it: {', '.join(inside[:_MOST_NAMED])}{more}."
    )


def _read(
    kind: str,
    location: tuple[str, str | None],
    problems: Problems,
    *,
    of_source: bool,
) -> AnnotationSet:
    more = {"needs_images": False} if of_source and kind == "yolo" else {}
    try:
        data = _reader(kind)(*location, problems, **more)
    except OSError as error:  # an invalid file name in the set, or a failing disk
        what = shortened(str(error.filename or location[0]))
        reason = (error.strerror or str(error)).lower()
        raise DatasetError(
            f"{what} can't be read ({reason}). Check the name and the disk."
        ) from None
    # intentionally a part
    is_split = kind not in ("coco", "csv") and location[1] is not None
    is_split = is_split or (kind == "yolo" and os.path.isfile(location[0]))
    is_whole = not (of_source or is_split)
    return _finished(data, problems, is_whole=is_whole)


def _finished(data: AnnotationSet, problems: Problems, *, is_whole: bool = True) -> AnnotationSet:
    """Match names to files and remove duplicates, whatever the format.

    Args:
        data: the set that a reader returned.
        problems: collector of changes and suspected mistakes; STRICT discards them.
        is_whole: whether the set should list all images of its folders.
    """
    found = Problems()
    files = ImageFolders()
    images = with_files(marked(data.images, problems), files, found)
    images = merged(images, found)
    images = tuple(without_duplicates(image, found) for image in images)
    note = repeated_name(data.class_names)
    notes = (*data.notes, f"{note} of the data") if note else data.notes
    data = replace(data, images=images, notes=notes)
    shares: list[Problem] = []
    if not data.label_files:
        data, shares = in_px(data)
    if problems is not STRICT:
        alone = list(unlisted(images, files)) if is_whole else []
        if len(alone) <= sum(problem.is_error for problem in problems):
            alone = []  # these images have unusable entries
        units = [] if data.label_files else unit_problems(data)
        problems += [*found, *shares, *units, *keypoint_problems(data), *alone]
    return data


def _reader(kind: str) -> Reader:
    module, _, name = _READERS[kind].rpartition(".")
    reader: Reader = getattr(
        importlib.import_module(f"kpviewer.annotations.formats.{module}"), name
    )
    return reader


def read_usable(spec: str, *, of_source: bool = False) -> AnnotationSet:
    """Read the usable part of the data set that ``spec`` names, to view or score it.

    Args:
        spec: as for ``read_annotations``.
        of_source: as for ``read_annotations``.

    Returns:
        The set without bad entries; ``problems`` lists them and ``notes`` counts them.

    Raises:
        DatasetError: if the set can't be read at all, or none of its objects is usable.
    """
    problems = Problems()
    data = read_annotations(spec, problems, of_source=of_source)
    usable = without_partial(replace(data, problems=tuple(problems)))
    if any(each.is_error for each in problems) and not any(len(i.targets) for i in usable.images):
        raise DatasetError(f"Nothing in {spec} is usable: {usable.notes[0]}")
    if not usable.images or any(not i.targets.difficult.all() for i in usable.images):
        return usable
    note = "no object of the data counts: detections can only be false alarms"
    return replace(usable, notes=(*usable.notes, note))


def split_extra(text: str) -> tuple[str, str | None]:
    """Split ``PATH[:EXTRA]`` at the colon after an existing path, so that drive letters stay.

    A ``~`` is expanded in both, as no shell expands it after the colon of a specification.
    """
    text = os.path.expanduser(text)
    colons = [index for index, char in enumerate(text) if char == ":"]
    for end in (len(text), *reversed(colons)):
        if end and os.path.exists(text[:end]):
            return text[:end], os.path.expanduser(text[end + 1 :]) or None
    return text, None
