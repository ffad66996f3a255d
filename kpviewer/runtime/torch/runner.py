"""Eager torch on any device, and candidates of torch as one tensor."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from kpviewer.geometry import Letterbox
from kpviewer.models.base import DecodedBatch, Detector
from kpviewer.runtime.device import device_label
from kpviewer.runtime.runners import StageClock
from kpviewer.runtime.torch.fusion import fused
from kpviewer.runtime.torch.preprocess import Preprocessor
from kpviewer.structures import FloatArray, ImageArray

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""dtypes of torch by name of the precision."""


class CudaClock(StageClock):
    """Clock of the GPU's own events, as its work outlasts the call that starts it."""

    def __init__(self) -> None:
        self._marks: list[torch.cuda.Event] = []

    def mark(self) -> None:
        """Note the end of a stage; the first mark begins the first one."""
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        self._marks.append(event)

    def stages_ms(self) -> list[float]:
        """Return the time between consecutive marks, ms."""
        self._marks[-1].synchronize()
        return [float(start.elapsed_time(end)) for start, end in pairwise(self._marks)]


class TorchRunner:
    """Eager torch, on any device."""

    backend = "torch"

    def __init__(
        self, detector: Detector, network: nn.Module, preprocess: Preprocessor, precision: str
    ) -> None:
        self._detector, self._network, self._preprocess = detector, network, preprocess
        self.precision = precision
        self.device, self.place = device_label(preprocess.device), str(preprocess.device)
        self.needs_pinned_memory = preprocess.device.type == "cuda"
        self._dtype = DTYPES[precision]

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Do nothing: eager torch needs no preparation."""

    def clock(self) -> StageClock:
        """Return a clock of the device."""
        return CudaClock() if self._preprocess.device.type == "cuda" else StageClock()

    @torch.inference_mode()
    def load(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize, pad and normalise: (1, 3, h, w) float32."""
        return self._preprocess.normalised(self._preprocess.letterboxed(bgr, box))

    @torch.inference_mode()
    def load_batch(self, images: Sequence[ImageArray], boxes: Sequence[Letterbox]) -> Tensor:
        """Resize, pad and normalise: (B, 3, h, w) float32."""
        return torch.cat(list(map(self.load, images, boxes)))

    @torch.inference_mode()
    def forward(self, loaded: Tensor) -> Any:
        """Run the network, under autocast if the precision is reduced."""
        is_reduced = self._dtype is not torch.float32
        with torch.autocast(loaded.device.type, self._dtype, enabled=is_reduced):
            return self._network(loaded)

    @torch.inference_mode()
    def decode(self, raw: Any, input_hw: tuple[int, int]) -> FloatArray:
        """Decode on the device, and copy the candidates to the host."""
        return _on_host(packed_tensor(self._detector.decode(raw, input_hw))[0])

    @torch.inference_mode()
    def run_batch(self, loaded: Tensor) -> FloatArray:
        """Run and decode images of one size."""
        input_hw = (loaded.shape[2], loaded.shape[3])
        return _on_host(packed_tensor(self._detector.decode(self.forward(loaded), input_hw)))


def eager_network(detector: Detector, device: torch.device) -> nn.Module:
    """Return a copy of a detector's network: norms folded, channels last, on the device."""
    return fused(detector.network).to(memory_format=torch.channels_last).to(device)


def packed_tensor(decoded: DecodedBatch) -> Tensor:
    """Return candidates as one tensor on their device, as ``runners.packed_batch`` on the host."""
    parts = [decoded.xyxy, decoded.scores, decoded.keypoints_xy.flatten(2)]
    if decoded.keypoint_scores is not None:
        parts.append(decoded.keypoint_scores)
    if decoded.overlaps is not None:
        parts.append(decoded.overlaps[..., None])
    return torch.cat(parts, 2)


def _on_host(candidates: Tensor) -> FloatArray:
    rows: FloatArray = candidates.to("cpu", torch.float32).numpy()
    return rows
