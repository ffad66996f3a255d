"""A detector as one function of fixed shapes: from pixels to candidates, all on the device.

A CUDA graph can hold it: it resizes, pads, normalises, runs the network, decodes and keeps the best
candidates without asking the host for anything. The host then has NMS left to do, on a few rows.
"""

import copy

import torch
from torch import Tensor, nn

from kpviewer.geometry import Letterbox
from kpviewer.models.base import Detector
from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.spec import Sampling
from kpviewer.runtime.cuda.resampling import Resampling
from kpviewer.runtime.letterboxing import padding_of
from kpviewer.runtime.torch.runner import packed_tensor

_CAST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.Linear)
"""Layers whose weights autocast converts in each run."""


class Program:
    """Function from images of one size to candidates."""

    def __init__(
        self,
        detector: Detector,
        network: nn.Module,
        source_hw: tuple[int, int],
        box: Letterbox,
        dtype: torch.dtype,
    ) -> None:
        spec = detector.spec
        self._device = next(network.parameters()).device
        self._network, self._dtype, self._box = network, dtype, box
        self._detector = _with_network(detector, network)
        self._resample = Resampling(spec.sampling, source_hw, box.resized_hw, self._device)
        self._normalise = Normalisation(spec, self._device)
        padding = torch.from_numpy(padding_of(spec)).to(self._device)
        self._padding = padding if spec.sampling is Sampling.LINEAR_FLOAT else padding.round()

    def __call__(self, images: Tensor) -> Tensor:
        """Detect in (B, H, W, 3) uint8 BGR images: (B, M, 4 + C + 2K) float32, input px."""
        rows = self._letterboxed(self._resample(images).flip(-1))
        planes = self._normalise.in_one_pass(rows.permute(0, 3, 1, 2))
        is_reduced = self._dtype is not torch.float32
        with torch.autocast(
            self._device.type, self._dtype, enabled=is_reduced, cache_enabled=False
        ):  # a cached weight would be freed after the capture
            raw = self._network(planes)
        return packed_tensor(self._detector.decode(raw, self._box.input_hw)).float()

    def _letterboxed(self, rows: Tensor) -> Tensor:
        """Pad (B, h, w, 3) RGB images to the size of the input."""
        box = self._box
        if box.resized_hw == box.input_hw:
            return rows
        canvas = self._padding.expand(len(rows), *box.input_hw, 3).contiguous()
        height, width = box.resized_hw
        canvas[:, box.top : box.top + height, box.left : box.left + width] = rows
        return canvas


def cast_once(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Copy a network with the weights of its convolutions and linear layers in another type.

    Under autocast its results are the same, without a conversion of the weights in each run.
    """
    if dtype is torch.float32:
        return network
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, _CAST):
            module.to(dtype)
    return network


def _with_network(detector: Detector, network: nn.Module) -> Detector:
    """Copy a detector with another network in place of its own, however deep it holds it.

    Decoding then reads the network's buffers on the device. A user's detector that can't be copied
    decodes with its own.
    """
    try:
        return copy.deepcopy(detector, {id(detector.network): network})
    except Exception:
        return detector
