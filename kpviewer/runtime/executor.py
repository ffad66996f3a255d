"""Runs a detector on a device: one picture in, candidates in source pixels out.

Every call of one executor comes from one thread at a time. Thresholds and NMS aren't its business.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from kpviewer.errors import PipelineError
from kpviewer.runtime.autotune import choose_precision, probe_picture
from kpviewer.runtime.device import device_label, resolve_device, use_cpu_threads
from kpviewer.runtime.fusion import fused
from kpviewer.runtime.preprocess import Preprocessor, letterbox_of
from kpviewer.structures import Candidates

if TYPE_CHECKING:
    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import Detector
    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import ImageArray

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class InferenceTimings:
    """Where the time of one picture went, ms; on a GPU measured by its own events."""

    upload: float
    """To the device, resized and normalised."""
    forward: float
    postprocess: float
    """Decode and copy back."""


class Executor:
    """A detector, ready to run.

    Args:
        detector: network, description and decoding.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto (the fastest that sees the same, measured on the first picture), fp32,
            fp16 or bf16.

    Raises:
        PipelineError: if the device isn't there, or there is no such precision.
    """

    def __init__(self, detector: Detector, device: str = "auto", precision: str = "auto") -> None:
        if precision not in ("auto", *PRECISIONS):
            raise PipelineError(f"A precision is auto, {', '.join(PRECISIONS)}, got {precision!r}.")
        self._detector = detector
        self._device = resolve_device(device)
        if self._device.type == "cpu":
            use_cpu_threads()
        network = fused(detector.network).to(memory_format=torch.channels_last).to(self._device)
        self._network = network
        self._preprocess = Preprocessor(detector.spec, self._device)
        self._precision = precision

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        return self._detector.spec

    @property
    def device_name(self) -> str:
        """The device, for people."""
        return device_label(self._device)

    @property
    def precision(self) -> str:
        """fp32, fp16 or bf16; auto until the first picture."""
        return self._precision

    @property
    def wants_pinned_memory(self) -> bool:
        """Whether pictures in page-locked memory reach the device faster."""
        return self._device.type == "cuda"

    def warm_up(self, source_hw: tuple[int, int]) -> None:
        """Settle the precision and run a few pictures, so that the first real one isn't slow."""
        if self._precision == "auto":
            self.infer(probe_picture())
        blank = np.zeros((*source_hw, 3), np.uint8)
        for _ in range(3):
            self.infer(blank)

    def infer(self, bgr: ImageArray) -> tuple[Candidates, InferenceTimings]:
        """Look at one picture.

        Args:
            bgr: (H, W, 3) uint8; not read any more once the call returns.

        Returns:
            Its candidates, in source px, and where the time went.
        """
        box = letterbox_of(self.spec, (bgr.shape[0], bgr.shape[1]))
        with torch.inference_mode():
            marks = [self._mark()]
            picture = torch.from_numpy(bgr).to(self._device, non_blocking=True)
            image = self._preprocess(picture, box)
            if self._precision == "auto":
                self._precision = choose_precision(self._run, image, len(self.spec.class_names))
            marks.append(self._mark())
            raw = self._forward(image)
            marks.append(self._mark())
            packed = self._decode(raw, box).cpu()
            marks.append(self._mark())
        spans = [_milliseconds(a, b) for a, b in pairwise(marks)]
        return self._unpack(packed.numpy(), box), InferenceTimings(*spans)

    def _forward(self, image: Tensor, precision: str | None = None) -> object:
        dtype = PRECISIONS[precision or self._precision]
        with torch.autocast(self._device.type, dtype, enabled=dtype is not torch.float32):
            return self._network(image)

    def _run(self, image: Tensor, precision: str) -> Tensor:
        """The packed candidates of a prepared picture, at a precision: what autotune compares."""
        input_hw = (image.shape[2], image.shape[3])
        return self._pack(self._forward(image, precision), input_hw)

    def _decode(self, raw: object, box: Letterbox) -> Tensor:
        return self._pack(raw, box.input_hw)

    def _pack(self, raw: object, input_hw: tuple[int, int]) -> Tensor:
        """One tensor (M, 4 + C + 2K), so that one copy brings everything to the host."""
        decoded = self._detector.decode(raw, input_hw)
        points = decoded.keypoints_xy[0].flatten(1)
        return torch.cat([decoded.xyxy[0], decoded.scores[0], points], 1)

    def _unpack(self, packed: np.ndarray, box: Letterbox) -> Candidates:
        classes = len(self.spec.class_names)
        xyxy, scores, points = np.split(packed, [4, 4 + classes], axis=1)
        points = points.reshape(len(packed), -1, 2)
        return Candidates(box.to_source(xyxy), np.ascontiguousarray(scores), box.to_source(points))

    def _mark(self) -> float | torch.cuda.Event:
        if self._device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event


def _milliseconds(start: float | torch.cuda.Event, end: float | torch.cuda.Event) -> float:
    if isinstance(start, torch.cuda.Event) and isinstance(end, torch.cuda.Event):
        end.synchronize()
        return float(start.elapsed_time(end))
    assert isinstance(start, float) and isinstance(end, float)
    return (end - start) * 1e3
