"""Convolutions in 8-bit integers: two thirds of the time on a CPU that multiplies them natively.

The input and the weights of each convolution are rounded to 8 bits and stay floating point. Eager
torch then computes the same values as int8, and a compiler that finds such rounding in a graph
computes in integers. The range of each input is measured once, on images (``observed_ranges``), and
stored with the weights in ``ModelSpec.activation_ranges``.

Sources: Jacob et al. 2018 (arXiv:1712.05877), sections 2.1 and 3, the rounding and its ranges;
Krishnamoorthi 2018 (arXiv:1806.08342), section 2.2, weights by output channel without zero point.
"""

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.base import Detector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.runtime.torch.fusion import fused
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.structures import ImageArray

_STEPS = 255
"""Steps of the input from its least to its greatest value."""
_MOST = 127
"""Largest multiple of the step of a weight; the step is the largest magnitude over this."""
_TINY = 1e-8


class RoundedConv(nn.Module):
    """A convolution of a rounded input and rounded weights.

    Args:
        conv: convolution with zero padding; it is used, not copied.
        least: least value of the input; lower values are clipped.
        greatest: greatest value of the input.
    """

    weight_steps: Tensor
    """(C,) step of the weights by output channel."""
    weight_zeros: Tensor
    """(C,) int32 zero points, all 0."""

    def __init__(self, conv: nn.Conv2d, least: float, greatest: float) -> None:
        super().__init__()
        self.conv = conv
        least, greatest = min(least, 0.0), max(greatest, _TINY)  # 0, the padding, stays exact
        self.step = (greatest - least) / _STEPS
        self.zero = round(-least / self.step)
        largest = conv.weight.detach().abs().amax((1, 2, 3)).clamp(min=_TINY)
        self.register_buffer("weight_steps", largest / _MOST)
        self.register_buffer("weight_zeros", torch.zeros(len(largest), dtype=torch.int32))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> the convolution of the rounded features."""
        conv = self.conv
        rounded_in = torch.fake_quantize_per_tensor_affine(
            features, self.step, self.zero, 0, _STEPS
        )
        weight = torch.fake_quantize_per_channel_affine(
            conv.weight, self.weight_steps, self.weight_zeros, 0, -_MOST, _MOST
        )
        return functional.conv2d(
            rounded_in, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
        )


def rounded(network: nn.Module, ranges: Mapping[str, tuple[float, float]]) -> nn.Module:
    """Copy a network and round its convolutions.

    Args:
        network: network with batch normalisation folded (``runtime.torch.fusion``), as when
        observed.
        ranges: least and greatest input of convolutions by name; others stay as they are.
    """
    network = copy.deepcopy(network)
    for name, conv in _convolutions(network).items():
        if name in ranges:
            parent, _, own_name = name.rpartition(".")
            setattr(network.get_submodule(parent), own_name, RoundedConv(conv, *ranges[name]))
    return network


def observed_ranges(
    detector: Detector, images: Iterable[ImageArray]
) -> dict[str, tuple[float, float]]:
    """Measure the range of each convolution's input on images.

    Args:
        detector: detector on the CPU.
        images: (H, W, 3) uint8 BGR images of the kind that the model is for.

    Returns:
        (least, greatest) by name of the convolution; convolutions that didn't run are left out.
    """
    network = fused(detector.network)
    preprocess = Preprocessor(detector.spec, torch.device("cpu"))
    ranges: dict[str, tuple[float, float]] = {}

    def note(name: str, features: Tensor) -> None:
        least, greatest = (float(value) for value in features.aminmax())
        before = ranges.get(name, (least, greatest))
        ranges[name] = (min(least, before[0]), max(greatest, before[1]))

    for name, conv in _convolutions(network).items():
        conv.register_forward_pre_hook(lambda _conv, inputs, name=name: note(name, inputs[0]))
    with torch.inference_mode():
        for bgr in images:
            box = letterbox_of(detector.spec, (bgr.shape[0], bgr.shape[1]))
            network(preprocess.normalised(preprocess.letterboxed(bgr, box)))
    return ranges


def _convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """Return the convolutions that can be rounded, by name."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.padding_mode == "zeros"
    }
