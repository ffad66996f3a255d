"""Ways to run a detector on an image. The executor takes the fastest that sees the same.

Every runner gives the candidates as one tensor (M, 4 + C + 2K), so that one copy brings everything
to the host: box corners, class scores, keypoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from kpviewer.runtime.fusion import fused

if TYPE_CHECKING:
    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import DecodedBatch, Detector
    from kpviewer.runtime.preprocess import Preprocessor
    from kpviewer.structures import ImageArray

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""What torch computes in, by name of the precision."""
PRECISIONS = (*DTYPES, "int8")


class Runner(Protocol):
    """Runs one detector in one way."""

    @property
    def engine(self) -> str:
        """The library that computes: "torch" or "openvino"."""

    @property
    def precision(self) -> str:
        """One of PRECISIONS."""

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Do what a size of input needs once, so that its first image isn't slow."""

    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Bring an (H, W, 3) uint8 image to the device, in the form that ``forward`` takes."""

    def forward(self, loaded: Tensor) -> Any:
        """Run the network."""

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Tensor:
        """Turn what ``forward`` gave into candidates: (M, 4 + C + 2K), input px, best first."""


def packed(decoded: DecodedBatch) -> Tensor:
    """Put the first image's candidates side by side: (M, 4 + C + 2K)."""
    points = decoded.keypoints_xy[0].flatten(1)
    return torch.cat([decoded.xyxy[0], decoded.scores[0], points], 1)


class TorchRunner:
    """Eager torch, on any device.

    Args:
        detector: network and decoding.
        network: the detector's, ready on its device (``eager_network``); runners share it.
        preprocess: for the same device.
        precision: fp32, or one that the device computes natively.
    """

    engine = "torch"

    def __init__(
        self, detector: Detector, network: nn.Module, preprocess: Preprocessor, precision: str
    ) -> None:
        self._detector, self._network, self._preprocess = detector, network, preprocess
        self.precision = precision
        self._dtype = DTYPES[precision]

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Nothing is bound to a size."""

    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize, pad and normalise: (1, 3, h, w) float32."""
        return self._preprocess.normalised(self._preprocess.letterboxed(bgr, box))

    def forward(self, loaded: Tensor) -> Any:
        """Run the network, under autocast where the precision is a reduced one."""
        is_reduced = self._dtype is not torch.float32
        with torch.autocast(loaded.device.type, self._dtype, enabled=is_reduced):
            return self._network(loaded)

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Tensor:
        """Decode on the device."""
        return packed(self._detector.decode(raw, input_hw))


def eager_network(detector: Detector, device: torch.device) -> nn.Module:
    """Copy a detector's network for inference: norms folded, channels last, on the device."""
    return fused(detector.network).to(memory_format=torch.channels_last).to(device)
