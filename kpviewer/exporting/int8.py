"""Convolutions in 8-bit integers as ONNX has them: quantised inputs, and weights stored as int8."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from kpviewer.models.base import Detector
from kpviewer.runtime.torch.fusion import fused
from kpviewer.runtime.torch.int8 import RoundedConv, rounded


def int8_network(detector: Detector) -> nn.Module:
    """Return a copy of a detector's network with the convolutions of its activation ranges in int8.

    It computes what ``runtime.torch.int8`` does.
    """
    network = rounded(fused(detector.network), detector.spec.ranges_by_name)
    for name, conv in list(network.named_modules()):
        if isinstance(conv, RoundedConv):
            parent, _, own_name = name.rpartition(".")
            setattr(network.get_submodule(parent), own_name, _StoredConv(conv))
    return network


class _StoredConv(nn.Module):
    """A rounded convolution whose weights are stored as int8."""

    weight: Tensor
    steps: Tensor
    zeros: Tensor

    def __init__(self, conv: RoundedConv) -> None:
        super().__init__()
        self._conv, self._step, self._zero = conv.conv, conv.step, conv.zero
        steps = conv.weight_steps
        weight = (conv.conv.weight.detach() / steps[:, None, None, None]).round().clamp(-127, 127)
        self.register_buffer("weight", weight.to(torch.int8))
        self.register_buffer("steps", steps)
        self.register_buffer("zeros", torch.zeros(len(steps), dtype=torch.int8))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> the convolution of the rounded features."""
        conv = self._conv
        inputs = torch.fake_quantize_per_tensor_affine(features, self._step, self._zero, 0, 255)
        weight = _Dequantised.apply(self.weight, self.steps, self.zeros)
        return functional.conv2d(
            inputs, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
        )


class _Dequantised(Function):
    """ONNX's DequantizeLinear by output channel, which torch's exporter has for outputs alone."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, steps: Tensor, zeros: Tensor) -> Tensor:
        """Return the weights: (O, I, h, w) int8 -> float32."""
        return weight.float() * steps[:, None, None, None]

    @staticmethod
    def symbolic(g: Any, weight: Any, steps: Any, zeros: Any) -> Any:
        """Return the operator."""
        shaped = g.op("DequantizeLinear", weight, steps, zeros, axis_i=0)
        return shaped.setType(weight.type().with_dtype(torch.float32))
