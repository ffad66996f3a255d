"""Files that belong to a Darknet model: its `.cfg`, its `.weights`, and the names of its classes.

A `.cfg` and a `.weights` have the same stem. Darknet's training adds to that of the weights, as in
birds_best.weights, and its own folders keep them apart: cfg/yolov3.cfg, yolov3.weights,
data/coco.names.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kpviewer.annotations.formats.yolo.description import read_description
from kpviewer.annotations.yolo_yaml import names_of_lines
from kpviewer.errors import DatasetError, WeightsError
from kpviewer.models.files.paths import is_regular
from kpviewer.models.files.weights_toml import read_weights_toml
from kpviewer.models.limits import clean_name
from kpviewer.models.names.coco_classes import NAMES
from kpviewer.models.names.models import DARKNET_SUFFIXES

CFG, WEIGHTS = DARKNET_SUFFIXES
NAMES_SUFFIX = ".names"
_TRAINED = re.compile(r"_(?:best|final|last|\d+)$")
"""What Darknet's training adds to the stem of the weights."""
_NEWEST = ("", "_best", "_final", "_last")
"""Those that are looked for beside a cfg, the best first."""
_USUAL = ("coco.names", "obj.names")
_MOST_DATA_FILES = 5


class NamedClasses(NamedTuple):
    """Names of a model's classes, and a sentence if nobody wrote them down for it."""

    names: tuple[str, ...]
    note: str | None


def find_weights(cfg: Path) -> Path:
    """Return the weights of a `.cfg` file.

    Raises:
        WeightsError: if there are none.
    """
    for folder in (cfg.parent, cfg.absolute().parent.parent):
        for end in _NEWEST:
            if is_regular(path := folder / f"{cfg.stem}{end}{WEIGHTS}"):
                return path
    raise WeightsError(
        f"{cfg.name} has no weights: {cfg.stem}{WEIGHTS} must be beside it. Move or rename it."
    )


def find_cfg(weights: Path) -> Path | None:
    """Return the `.cfg` file of weights; None if there is none."""
    for folder in (weights.parent, weights.parent / "cfg"):
        for stem in (weights.stem, _TRAINED.sub("", weights.stem)):
            if is_regular(path := folder / f"{stem}{CFG}"):
                return path
    return None


def named_classes(paths: tuple[Path, ...], count: int) -> NamedClasses:
    """Name the classes of a model.

    The first of these that is there: ``classes`` in a TOML of the same stem, NAME.names, NAME.data,
    coco.names, obj.names or any other .data with as many names, and COCO's own for 80 classes.

    Args:
        paths: the model's files, whose stems and folders are searched.
        count: number of classes.

    Raises:
        WeightsError: if a file of the same stem can't be read, or names another number of classes.
    """
    try:
        for path, names in _own(paths):
            if len(names) != count:
                raise WeightsError(
                    f"{path.name} names {len(names)} classes, the model has {count}. Correct it, "
                    "or move it elsewhere."
                )
            return NamedClasses(names, None)
        for path, names in _usual(paths):
            if len(names) == count:
                return NamedClasses(names, f"Classes are named by {path.name}.")
    except DatasetError as error:
        raise WeightsError(str(error)) from error
    wanted = f"write one name a line into {paths[-1].stem}{NAMES_SUFFIX} beside it"
    if count == len(NAMES):
        return NamedClasses(NAMES, f"The 80 classes are taken for COCO's; else {wanted}.")
    numbered = tuple(f"class {number}" for number in range(count))
    return NamedClasses(numbered, f"The {count} classes have no names: {wanted}.")


def _own(paths: tuple[Path, ...]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield files of the same stem, and the names in them."""
    for path in paths:
        if (classes := read_weights_toml(path).classes) is not None:
            yield path.with_suffix(".toml"), classes
    for path in paths:
        for folder in _folders(path):
            if is_regular(names := folder / f"{path.stem}{NAMES_SUFFIX}"):
                yield names, _cleaned(names_of_lines(names))
        if is_regular(data := path.with_suffix(".data")):
            found = read_description(data).class_names
            if found:
                yield data, _cleaned(found)


def _usual(paths: tuple[Path, ...]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for path in paths:
        for folder in _folders(path):
            for name in _USUAL:
                if is_regular(folder / name):
                    yield folder / name, _cleaned(names_of_lines(folder / name))
        for data in sorted(path.absolute().parent.glob("*.data"))[:_MOST_DATA_FILES]:
            if is_regular(data):
                yield data, _cleaned(read_description(data).class_names)


def _folders(path: Path) -> tuple[Path, ...]:
    folder = path.absolute().parent
    return folder, folder / "data", folder.parent / "data"


def _cleaned(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean_name(name) or "class" for name in names)
