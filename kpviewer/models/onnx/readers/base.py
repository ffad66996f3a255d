"""A reader turns the outputs of one kind into predictions in input pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from numpy.typing import NDArray

from kpviewer.models.onnx.description import OnnxDescription
from kpviewer.models.ranking import Rows

Outputs: TypeAlias = Mapping[str, NDArray[Any]]
"""Outputs of one image by name, with a batch axis of 1."""
Reader: TypeAlias = Callable[[Outputs, OnnxDescription, tuple[int, int]], Rows]
"""Returns the predictions of one image for an input of (height, width) px. Coordinates are input
pixels, or in [0, 1] where the description says ``normalised``. Raises WeightsError if an output is
missing or has another shape than the description says."""
