"""Time of each stage of a detector on one image, by hooks on the parts of its network."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import nn

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.selection import select
from kpviewer.runtime.device import resolve_device
from kpviewer.runtime.executor import Executor
from kpviewer.structures import Candidates, ImageArray

PARTS = ("proposals", "backbone", "pooling")
"""Parts of a network that are stages of their own; all have a backbone."""
_REPEATED_BELOW_MS = 1000.0
"""Time of a frame above which it is measured once, not ``_REPEATS`` times."""
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Stages:
    """Time of each stage for one image, ms."""

    resize: float
    """Resize and normalisation of the image."""
    proposals: float
    """Selective search, or the region proposal network; 0 for a system without proposals."""
    backbone: float
    """Feature maps: of the image, or of the crop of every proposal."""
    pooling: float
    """What is cut out for each proposal, of the image or of the map; 0 without proposals."""
    head: float
    """The rest of the network, and decoding."""
    nms: float
    """Thresholds and NMS, on the host."""

    @property
    def total(self) -> float:
        """Time from pixels in memory to detections, ms: the sum of the stages."""
        return self.resize + self.proposals + self.backbone + self.pooling + self.head + self.nms

    @classmethod
    def mean(cls, each: Sequence[Stages]) -> Stages:
        """Return the mean of each stage; at least one measurement is needed."""
        names = [field.name for field in fields(cls)]
        return cls(*(float(np.mean([getattr(one, name) for one in each])) for name in names))


class StageTimer:
    """A detector in single precision in torch, whose stages are timed.

    Raises:
        PipelineError: if the device isn't available.
        WeightsError: if the network has no part called ``backbone``.
    """

    def __init__(self, detector: Detector, device: str = "auto") -> None:
        self.spec = detector.spec
        self._device = resolve_device(device)
        self._spent_ms = dict.fromkeys(PARTS, 0.0)
        for name in PARTS:
            part = getattr(detector.network, name, None)
            if isinstance(part, nn.Module):
                self._watch(part, name)
            elif name == "backbone":
                raise WeightsError(
                    f"{self.spec.name} can't be timed by stage: its network has no part called "
                    "backbone. Leave this family out."
                )
        self._executor = Executor(detector, str(self._device), "fp32", "torch")

    def measure(self, bgr: ImageArray) -> tuple[Stages, Candidates]:
        """Run the detector on an image, fast ones three times.

        Returns:
            Times of the fastest run, which other programs disturbed least, and the candidates.
        """
        stages, candidates = self._run(bgr)
        if stages.total < _REPEATED_BELOW_MS:
            again = [self._run(bgr)[0] for _ in range(_REPEATS - 1)]
            stages = min([stages, *again], key=lambda each: each.total)
        return stages, candidates

    def _run(self, bgr: ImageArray) -> tuple[Stages, Candidates]:
        self._spent_ms = dict.fromkeys(PARTS, 0.0)
        candidates, times = self._executor.infer(bgr)
        inside_ms = sum(self._spent_ms.values())
        start_ms = _now_ms()
        select(candidates, self.spec.thresholds)
        stages = Stages(
            resize=times.upload_ms,
            **self._spent_ms,
            head=max(0.0, times.forward_ms - inside_ms) + times.postprocess_ms,
            nms=_now_ms() - start_ms,
        )
        return stages, candidates

    def _watch(self, part: nn.Module, name: str) -> None:
        """Add the time of each call of a part to its stage; the executor's copy is watched too."""
        start_ms = 0.0

        def before(_module: nn.Module, _inputs: Any) -> None:
            nonlocal start_ms
            self._finish()
            start_ms = _now_ms()

        def after(_module: nn.Module, _inputs: Any, _outputs: Any) -> None:
            self._finish()
            self._spent_ms[name] += _now_ms() - start_ms

        part.register_forward_pre_hook(before)
        part.register_forward_hook(after)

    def _finish(self) -> None:
        """Wait until the device has done what it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def _now_ms() -> float:
    return time.perf_counter_ns() / 1e6
