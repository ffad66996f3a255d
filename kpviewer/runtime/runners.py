"""Runners: inference backends of a detector. The executor chooses the fastest that agrees.

Each runner returns the candidates as one tensor (M, 4 + C + 2K) of box corners, class scores and
keypoints, so that a single copy brings all of them to the host.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from kpviewer.runtime.device import device_label
from kpviewer.runtime.fusion import fused

if TYPE_CHECKING:
    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import DecodedBatch, Detector
    from kpviewer.runtime.preprocess import Preprocessor
    from kpviewer.structures import ImageArray

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""dtypes of torch by name of the precision."""
PRECISIONS = (*DTYPES, "int8")
"""Names of the precisions."""


class Runner(Protocol):
    """One detector on one backend in one precision."""

    @property
    def backend(self) -> str:
        """Inference backend, one of ``inference_libraries.BACKENDS``."""

    @property
    def precision(self) -> str:
        """Precision, one of PRECISIONS."""

    @property
    def device(self) -> str:
        """Name of the device for users."""

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Prepare an input size once, so that its first image isn't slow."""

    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Bring an (H, W, 3) uint8 image to the device, as ``forward`` takes it."""

    def forward(self, loaded: Tensor) -> Any:
        """Run the network."""

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Tensor:
        """Decode the output of ``forward`` to candidates: (M, 4 + C + 2K), input px, best first."""


@runtime_checkable
class BatchRunner(Runner, Protocol):
    """Runner that may run several images at once."""

    def run_batch(self, loaded: Tensor) -> Tensor | None:
        """Run images of one input size and decode them: (B, M, 4 + C + 2K), as one by one.

        Args:
            loaded: results of ``load``, joined along the first axis.

        Returns:
            The candidates of each image; None to have them run one by one.
        """


def packed(decoded: DecodedBatch) -> Tensor:
    """Return the first image's candidates as one tensor: (M, 4 + C + 2K), or + 3K with scores."""
    return packed_batch(decoded)[0]


def packed_batch(decoded: DecodedBatch) -> Tensor:
    """Return the candidates as one tensor: (B, M, 4 + C + 2K), or + 3K with scores.

    A model without keypoints may have a last column of overlaps.
    """
    parts = [decoded.xyxy, decoded.scores, decoded.keypoints_xy.flatten(2)]
    if decoded.keypoint_scores is not None:
        parts.append(decoded.keypoint_scores)
    if decoded.overlaps is not None:
        parts.append(decoded.overlaps[..., None])
    return torch.cat(parts, 2)


class TorchRunner:
    """Eager torch, on any device.

    Args:
        detector: network and decoding.
        network: the detector's network on its device (``eager_network``), shared by runners.
        preprocess: preprocessor for the same device.
        precision: fp32, or another that the device computes natively.
    """

    backend = "torch"

    def __init__(
        self, detector: Detector, network: nn.Module, preprocess: Preprocessor, precision: str
    ) -> None:
        self._detector, self._network, self._preprocess = detector, network, preprocess
        self.precision = precision
        self.device = device_label(preprocess.device)
        self._dtype = DTYPES[precision]

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Do nothing: eager torch needs no preparation."""

    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize, pad and normalise: (1, 3, h, w) float32."""
        return self._preprocess.normalised(self._preprocess.letterboxed(bgr, box))

    def forward(self, loaded: Tensor) -> Any:
        """Run the network, under autocast if the precision is reduced."""
        is_reduced = self._dtype is not torch.float32
        with torch.autocast(loaded.device.type, self._dtype, enabled=is_reduced):
            return self._network(loaded)

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> Tensor:
        """Decode on the device."""
        return packed(self._detector.decode(raw, input_hw))

    def run_batch(self, loaded: Tensor) -> Tensor:
        """Run and decode images of one size."""
        input_hw = (loaded.shape[2], loaded.shape[3])
        return packed_batch(self._detector.decode(self.forward(loaded), input_hw))


def eager_network(detector: Detector, device: torch.device) -> nn.Module:
    """Return a copy of a detector's network: norms folded, channels last, on the device."""
    return fused(detector.network).to(memory_format=torch.channels_last).to(device)
