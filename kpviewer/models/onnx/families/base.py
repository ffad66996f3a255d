"""A family recognises the exports of one maker or code base."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from kpviewer.models.onnx.description import OnnxDescription
from kpviewer.models.onnx.facts import FileFacts
from kpviewer.models.spec import ModelSpec


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


class Unreadable(ValueError):
    """A file of this family can't be read; the message says what it holds and what to do."""


Family: TypeAlias = Callable[[FileFacts], list[Recognised]]
"""Returns the layouts that fit a file, none if it isn't of this family. Raises ValueError if the
file is of this family and contradicts itself, or predicts what kpviewer can't show; Unreadable if
only another export of it can be read."""
