"""Convolutions in 8-bit integers, in a graph that OpenVINO has read.

As ``runtime.torch.int8`` does for networks of torch: inputs and weights are rounded and stay
floating point, and OpenVINO, which finds such rounding, computes in integers.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kpviewer.models.libraries.inference import library

Ranges = Mapping[str, tuple[float, float]]
"""Least and greatest input of convolutions by name."""
_STEPS = 255
"""Steps of the input from its least to its greatest value."""
_LEVELS = 255
"""Levels of a weight, symmetric about 0: -127 to 127."""
_TINY = 1e-8
_WEIGHT = ".weight"


def round_convolutions(model: Any, ranges: Ranges) -> None:
    """Round the input and the weights of convolutions, in place.

    Args:
        model: model whose weights are constants named ``[network.]NAME.weight``, in the file
            perhaps with an ending.
        ranges: ranges by NAME; other convolutions stay as they are.
    """
    operators = library("openvino").opset13
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Convolution":
            continue
        weight = _constant(node.input_value(1).get_node())
        name = weight.get_friendly_name().removeprefix("network.").partition(_WEIGHT)[0]
        if name not in ranges or weight.get_type_name() != "Constant":
            continue
        low, high = _limits(*ranges[name])
        values = weight.data.astype(np.float32)
        most = np.maximum(np.abs(values).max((1, 2, 3), keepdims=True), _TINY)
        rounded_in = operators.fake_quantize(node.input_value(0), low, high, low, high, _STEPS + 1)
        rounded = operators.fake_quantize(
            operators.constant(values), -most, most, -most, most, _LEVELS
        )
        node.input(0).replace_source_output(rounded_in.output(0))
        node.input(1).replace_source_output(rounded.output(0))


def _constant(node: Any) -> Any:
    """Return the constant that a value is converted from, or what it is computed from."""
    while node.get_type_name() != "Constant" and node.get_input_size():
        node = node.input_value(0).get_node()
    return node


def _limits(least: float, greatest: float) -> tuple[np.float32, np.float32]:
    """Return the limits of an input whose steps include 0, the padding."""
    least, greatest = min(least, 0.0), max(greatest, _TINY)
    step = (greatest - least) / _STEPS
    zero = round(-least / step)
    return np.float32(-zero * step), np.float32((_STEPS - zero) * step)
