"""Thresholds given as keyword arguments, checked against a model."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Annotated, Any, TypedDict

import numpy as np
from msgspec import Meta

from kpviewer.errors import InputError
from kpviewer.models.limits import Share
from kpviewer.models.spec import ModelSpec
from kpviewer.models.tables import converted
from kpviewer.structures import NmsKind, Thresholds


class ThresholdArguments(TypedDict, total=False):
    """Fields of ``Thresholds``, each optional; classes also by name."""

    score: float
    iou: float
    nms: str
    sigma: float
    classes: Iterable[int | str] | None
    class_scores: Mapping[int | str, float]
    max_detections: int


class _Checked(TypedDict, total=False):
    """The same as ``Thresholds`` holds them, with their ranges."""

    score: Share
    iou: Share
    nms: NmsKind
    sigma: Annotated[float, Meta(gt=0, le=1)]
    classes: frozenset[int] | None
    class_scores: dict[int, Share]
    max_detections: Annotated[int, Meta(ge=1)]


def thresholds_with(spec: ModelSpec, given: Mapping[str, Any]) -> Thresholds:
    """Return a model's thresholds with some replaced.

    Args:
        spec: of the model.
        given: values by field of ``Thresholds``.

    Raises:
        InputError: if there is no such field or class, or a value has the wrong type or range.
    """
    if not given:
        return spec.thresholds
    for name in given:
        _check_name(name)
    values = {name: _plain(value) for name, value in given.items()}
    classes, scores = values.get("classes"), values.get("class_scores")
    try:
        if classes is not None:
            several = [classes] if isinstance(classes, str | int) else classes
            values["classes"] = frozenset(_class_id(spec, each) for each in several)
        if isinstance(scores, Mapping):
            values["class_scores"] = {
                _class_id(spec, each): _plain(score) for each, score in scores.items()
            }
        checked = converted(values, _Checked)
        return replace(spec.thresholds, **checked)
    except (TypeError, ValueError) as error:
        raise InputError(f"These thresholds can't be used: {error}.") from error


def _check_name(name: str) -> None:
    names = [each.name for each in fields(Thresholds)]
    if name not in names:
        near = difflib.get_close_matches("score" if name == "conf" else name, names, n=1)
        raise InputError(
            f"There is no threshold {name!r}; there are {', '.join(names)}."
            + (f" Did you mean {near[0]!r}?" if near else "")
        )


def _plain(value: Any) -> Any:
    """Return a NumPy number as one of Python."""
    return value.item() if isinstance(value, np.generic) else value


def _class_id(spec: ModelSpec, asked: Any) -> int:
    names, asked = spec.class_names, _plain(asked)
    if isinstance(asked, str) and asked in names:
        return names.index(asked)
    if isinstance(asked, int) and not isinstance(asked, bool) and 0 <= asked < len(names):
        return asked
    known = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    raise ValueError(f"{asked!r} is no class of {spec.name} ({known})")
