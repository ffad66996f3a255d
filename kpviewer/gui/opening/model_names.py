"""Names of models for people, and of their variants with a larger input.

Models that come with kpviewer have words in place of file names. A larger input finds smaller and
more distant objects.
"""

import logging
import math
from functools import cache
from pathlib import PurePath

from kpviewer.errors import KpviewerError, WeightsError
from kpviewer.gui.language import tr, tr_noop
from kpviewer.models.files.catalogue import ShippedModel, available_models
from kpviewer.models.names.models import TWO_STAGE, split_input_size, split_two_stage
from kpviewer.models.opening.weight_files import EVERYDAY_OBJECTS
from kpviewer.models.spec import ModelSpec

_log = logging.getLogger(__name__)

TITLES = {
    "face-ssd": tr_noop("Faces and landmarks"),
    "two-stage:face-ssd+face-points": tr_noop("Faces, precise landmarks (slower)"),
    "cards-ssd": tr_noop("Playing cards"),
    "strip-grid": tr_noop("Marks on steel strips"),
    EVERYDAY_OBJECTS.model: tr_noop("Everyday objects"),
}
"""Titles by the names of the command line."""


def title_of(name: str) -> str | None:
    """Return the title of a model that comes with kpviewer; None for another one."""
    usual = usual_input(name) or name
    if usual not in TITLES:
        return None
    title, side = tr(TITLES[usual]), input_side(name)
    return title if side is None else f"{title} · {side} px"


def loaded_name(request: str | None, spec: ModelSpec) -> str:
    """Return the title of a loaded model that comes with kpviewer, else the name in its file.

    Args:
        request: name that the model was asked for by; None if that is unknown.
        spec: description of the model.
    """
    return (title_of(request) if request is not None else None) or spec.name


def shipped_models() -> list[tuple[str, int]]:
    """Return names and numbers of classes of the shipped models; empty if they are unreadable."""
    try:
        return [(model.runnable_name, len(model.spec.class_names)) for model in read_shipped()]
    except KpviewerError as error:
        _log.warning("%s", error)
        return []


def short_name(name: str) -> str:
    """Return the title of a model, the name of a file without its folder, else the name."""
    path = PurePath(name)
    return title_of(name) or (path.name if path.is_absolute() else name)


LARGEST_PX = 1280
"""Largest side that is offered, px."""


def larger_input(name: str, spec: ModelSpec) -> str | None:
    """Return the name of a model with about twice the pixels; None if there is none to offer."""
    if name.startswith(TWO_STAGE):  # its input is larger than that of its first stage
        boxes, points = split_two_stage(name)
        own = _shipped_specs().get(boxes)
        larger = larger_input(boxes, own) if own is not None else None
        return f"{TWO_STAGE}{larger}+{points}" if larger is not None else None
    if spec.stride is None or spec.stride < 2 or split_input_size(name)[1] is not None:
        return None
    side = math.ceil(max(spec.input_hw) * math.sqrt(2) / spec.stride) * spec.stride
    return f"{name}@{side}" if side <= LARGEST_PX else None


def input_side(name: str) -> int | None:
    """Return the side of the input that a model's name asks for, px; None if it asks for none."""
    if name.startswith(TWO_STAGE):
        name = split_two_stage(name)[0]
    return split_input_size(name)[1]


def usual_input(name: str) -> str | None:
    """Return the name of a model without its input size; None if it has none."""
    if name.startswith(TWO_STAGE):
        boxes, points = split_two_stage(name)
        model, side = split_input_size(boxes)
        return f"{TWO_STAGE}{model}+{points}" if side is not None else None
    model, side = split_input_size(name)
    return model if side is not None else None


@cache
def read_shipped() -> tuple[ShippedModel, ...]:
    """Read the headers of the shipped models, the first time only."""
    return tuple(available_models())


def _shipped_specs() -> dict[str, ModelSpec]:
    try:
        return {model.name: model.spec for model in read_shipped()}
    except WeightsError:  # the menu of models reports it
        return {}
