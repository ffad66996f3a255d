"""Thresholds from keyword arguments, checked against a model."""

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
    """Fields of ``Thresholds``, each optional, with classes by id or name."""

    score: float
    iou: float
    nms: str
    sigma: float
    classes: Iterable[int | str] | None
    class_scores: Mapping[int | str, float]
    max_detections: int
    keypoint: float


class _Checked(TypedDict, total=False):
    """Types and ranges of the fields of ``Thresholds``."""

    score: Share
    iou: Share
    nms: NmsKind
    sigma: Annotated[float, Meta(gt=0, le=1)]
    classes: frozenset[int] | None
    class_scores: dict[int, Share]
    max_detections: Annotated[int, Meta(ge=1)]
    keypoint: Share


def thresholds_with(spec: ModelSpec, given: Mapping[str, Any]) -> Thresholds:
    """Return a model's thresholds with some replaced.

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


def idle_thresholds(spec: ModelSpec, given: Mapping[str, Any]) -> list[str]:
    """Return the names of thresholds that change nothing for a model and the kind of NMS."""
    nms = given.get("nms", spec.nms)
    is_used = {
        "iou": nms in (NmsKind.HARD, NmsKind.SOFT_LINEAR),
        "sigma": nms == NmsKind.SOFT_GAUSSIAN,
        "keypoint": spec.keypoint_threshold is not None,
    }
    return [name for name in given if not is_used.get(name, True)]


def _check_name(name: str) -> None:
    names = [each.name for each in fields(Thresholds)]
    if name not in names:
        near = difflib.get_close_matches("score" if name == "conf" else name, names, n=1)
        raise InputError(
            f"There is no threshold {name!r}; there are {', '.join(names)}."
            + (f" Did you mean {near[0]!r}?" if near else "")
        )


def _plain(value: Any) -> Any:
    """Return a NumPy number as a Python number."""
    return value.item() if isinstance(value, np.generic) else value


def _class_id(spec: ModelSpec, given: Any) -> int:
    """Return the id of a class given by id or name."""
    names, given = spec.class_names, _plain(given)
    if isinstance(given, str) and given in names:
        return names.index(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < len(names):
        return given
    known = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    raise ValueError(f"{given!r} is no class of {spec.name} ({known})")
