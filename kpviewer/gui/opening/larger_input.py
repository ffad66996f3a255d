"""A model's variant with a larger input, which finds smaller and more distant objects."""

from __future__ import annotations

import math
from functools import cache

from kpviewer.errors import WeightsError
from kpviewer.models.files.catalogue import available_models
from kpviewer.models.names.models import TWO_STAGE, split_input_size, split_two_stage
from kpviewer.models.spec import ModelSpec

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
def _shipped_specs() -> dict[str, ModelSpec]:
    try:
        return {model.name: model.spec for model in available_models()}
    except WeightsError:  # the menu of models reports it
        return {}
