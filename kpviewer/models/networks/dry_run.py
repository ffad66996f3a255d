"""Dry runs: a network is built and run without memory, to check its description first.

Tensors of torch's ``meta`` device have shapes and no values.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from kpviewer.models.base import Detector
from kpviewer.models.libraries.tracing import tracing_alone
from kpviewer.models.limits import MAX_OUTPUT_VALUES
from kpviewer.models.networks.unfilled import unfilled
from kpviewer.models.spec import ModelSpec, Resize
from kpviewer.models.tables import first_line

META = torch.device("meta")
STRIDE = 32
"""Stride of the networks that kpviewer builds, px: they halve the sides five times."""
_SAME_SHAPE = {
    functional.batch_norm, functional.relu, functional.relu6, functional.leaky_relu,
    functional.hardtanh, functional.hardswish, functional.hardsigmoid, functional.silu,
}  # fmt: skip


class _ShapesAlone(TorchFunctionMode):
    """Skips what changes no shape: torch spends two thirds of a dry run on it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0] if func in _SAME_SHAPE else func(*args, **(kwargs or {}))


def planned(build: Callable[[ModelSpec], Detector], spec: ModelSpec) -> Detector:
    """Build a detector whose tensors take no memory.

    Raises:
        ValueError: if the architecture can't be built as described.
    """
    try:
        with tracing_alone(), META, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about heads without classes or keypoints
            detector = unfilled(build, spec)
    except Exception as error:  # torch may raise anything for such sizes
        raise ValueError(
            f"{spec.architecture} can't be built as described: {first_line(error)}"
        ) from error
    detector.network.eval()
    return detector


def check_runs(detector: Detector) -> None:
    """Run a planned detector on each kind of input that its description allows.

    Sides that aren't multiples of STRIDE would work for some images and not for others.

    Raises:
        ValueError: if it can't run, or its outputs are too large or not as described.
    """
    spec = detector.spec
    if spec.stride is not None and spec.stride % STRIDE:
        raise ValueError(f"stride must be a multiple of {STRIDE} px, got {spec.stride}")
    for input_hw in _inputs(spec):
        try:
            with tracing_alone(), _ShapesAlone(), META, torch.inference_mode():
                raw = detector.network(torch.zeros(1, 3, *input_hw))
                decoded = detector.decode(raw, input_hw)
        except Exception as error:  # torch may raise anything for shapes that don't fit
            raise ValueError(
                f"{spec.architecture} can't run on inputs of {input_hw[1]}x{input_hw[0]} px "
                f"({first_line(error)})"
            ) from error
        values = sum(math.prod(each.shape) for each in _tensors(raw))
        if values > MAX_OUTPUT_VALUES:
            raise ValueError(
                f"an input of {input_hw[1]}x{input_hw[0]} px would produce {values:,} values, at "
                f"most {MAX_OUTPUT_VALUES:,}: too many classes or pixels"
            )
        described = len(spec.class_names), len(spec.keypoint_names)
        given = decoded.scores.shape[-1], decoded.keypoints_xy.shape[2]
        if given != described:
            raise ValueError(
                f"{spec.architecture} predicts {given[0]} classes and {given[1]} keypoints, the "
                f"description has {described[0]} and {described[1]}"
            )


def _inputs(spec: ModelSpec) -> Iterator[tuple[int, int]]:
    """Yield the input sizes to try, px: the largest, and the flattest either way."""
    yield spec.input_hw
    step = spec.stride
    if step is not None and spec.resize is not Resize.STRETCH:
        yield step, min(3 * step, spec.input_hw[1])
        yield min(3 * step, spec.input_hw[0]), step


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
