"""A family recognises the exports of one maker or code base."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.description import OnnxDescription
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.spec import ModelSpec
from kpviewer.models.tables import converted


@dataclass(frozen=True, slots=True)
class Recognised:
    """A layout that fits a file."""

    description: OnnxDescription
    layout: str
    """Name that ``--layout`` takes: "ultralytics", "yolox"."""
    summary: str
    """For people, such as "NMS inside, 2 classes"."""
    is_certain: bool = True
    """Whether metadata or unique names and shapes say so. If no family is certain, the user
    chooses: a layout is never guessed."""
    spec: ModelSpec | None = None
    """Complete description of the model, if the file has one."""

    @classmethod
    def of(
        cls, table: Mapping[str, Any], layout: str, summary: str, is_certain: bool = True
    ) -> Recognised:
        """Return a layout by the fields of its description; raise ValueError if one is wrong."""
        return cls(converted(table, OnnxDescription), layout, summary, is_certain)


LEFT_OUT = "The {} of this model are left out: kpviewer shows its boxes."
"""Note on outputs that aren't read."""
IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
"""Colours of images as ImageNet's networks take them, of RGB in [0, 1]."""
_LARGEST = (4096, 4096)


def resized_inside(facts: FileFacts) -> dict[str, Any]:
    """Return how images are prepared for a graph that resizes: not at all, if it takes any size."""
    if facts.fixed_hw is None:
        return {"resize": "none", "input": _LARGEST, "stride": 1}
    return {"resize": "stretch"}


def mask_fields(facts: FileFacts, coefficients: int | None = None) -> dict[str, Any]:
    """Return what an ``OutputFormat`` says of masks; empty if no output holds their prototypes.

    Args:
        facts: what the file says.
        coefficients: number of prototypes; None: any.
    """
    for name, shape in facts.outputs.items():
        count = shape[1] if len(shape) == 4 and shape[-1] != 1 else None
        if count is not None and coefficients in (None, count):
            return {"masks": name, "extra_columns": count}
    return {}


class Unreadable(ValueError):
    """A file of this family can't be read; the message says what it holds and what to do."""


Family: TypeAlias = Callable[[FileFacts], list[Recognised]]
"""Returns the layouts that fit a file, none if it isn't of this family. Raises ValueError if the
file is of this family and contradicts itself, or predicts what kpviewer can't show; Unreadable if
only another export of it can be read."""


class AmbiguousLayout(WeightsError):
    """One or more layouts fit a file, and nothing in it says which is right."""

    def __init__(self, path: Path, candidates: tuple[Recognised, ...]) -> None:
        self.path, self.candidates = path, candidates
        options = "; ".join(f"--layout {each.layout} ({each.summary})" for each in candidates)
        super().__init__(
            f"{path.name} doesn't say what its outputs mean. Choose the layout that is right: "
            f"{options}."
        )
