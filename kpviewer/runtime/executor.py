"""Runs a detector on a device: one image in, candidates in source pixels out.

Every call of one executor comes from one thread at a time. Thresholds and NMS aren't its business.
"""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from kpviewer.errors import PipelineError
from kpviewer.models.spec import Task
from kpviewer.runtime.autotune import choose_runner, probe_image, reduced_precision
from kpviewer.runtime.device import device_label, resolve_device, use_cpu_threads
from kpviewer.runtime.int8 import computes_int8
from kpviewer.runtime.openvino_runner import OpenVinoRunner, has_openvino
from kpviewer.runtime.preprocess import Preprocessor, letterbox_of
from kpviewer.runtime.runners import DTYPES, PRECISIONS, Runner, TorchRunner, eager_network
from kpviewer.structures import Candidates

if TYPE_CHECKING:
    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import Detector
    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import ImageArray

ENGINES = ("torch", "openvino")


class InferenceTimings(NamedTuple):
    """Where the time of one image went; on a GPU measured by its own events."""

    upload_ms: float
    """To the device, resized, and normalised unless the graph does that."""
    forward_ms: float
    postprocess_ms: float
    """Decode and copy back; a compiled graph decodes in ``forward_ms``."""


class Executor:
    """A detector, ready to run.

    Args:
        detector: network, description and decoding.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32, fp16, bf16, or int8 (OpenVINO; calibrated weights).
        engine: auto, torch, or openvino (CPU only).

    What is auto is settled on the first image: the fastest way that sees what single precision in
    torch sees, both measured.

    Raises:
        PipelineError: if the device, the engine or the precision isn't there.
    """

    def __init__(
        self,
        detector: Detector,
        device: str = "auto",
        precision: str = "auto",
        engine: str = "auto",
    ) -> None:
        if precision not in ("auto", *PRECISIONS):
            raise PipelineError(f"A precision is auto, {', '.join(PRECISIONS)}, got {precision!r}.")
        self._detector = detector
        self._device = resolve_device(device)
        self._preprocess = Preprocessor(detector.spec, self._device)
        self._runner: Runner | None = None
        self._runners = self._make_runners(precision, engine)
        if len(self._runners) == 1:
            self._runner = self._runners[0]

    def _make_runners(self, precision: str, engine: str) -> list[Runner]:
        """The ways to choose from; the first is the one that the others must agree with."""
        is_cpu = self._device.type == "cpu"
        threads = use_cpu_threads() if is_cpu else 0
        engines: tuple[str, ...] = ENGINES if engine == "auto" else (engine,)
        if not is_cpu or not has_openvino():
            engines = tuple(name for name in engines if name != "openvino")
        if not engines or not set(engines) <= set(ENGINES):
            raise PipelineError(
                f"An engine is auto, torch, or openvino on the CPU where it is installed; got "
                f"{engine!r} on {device_label(self._device)}. Use --engine auto."
            )
        precisions = self._precisions() if precision == "auto" else [precision]
        runners: list[Runner] = []
        if "torch" in engines:
            network = eager_network(self._detector, self._device)
            runners += [
                TorchRunner(self._detector, network, self._preprocess, name)
                for name in precisions
                if name in DTYPES
            ]
        if "openvino" in engines:
            compiled = [
                OpenVinoRunner(self._detector, self._preprocess, name, threads)
                for name in reversed(precisions)
                if name != "int8" or self.spec.activation_ranges
            ]
            runners += compiled if runners else compiled[-1:] + compiled[:-1]
        if not runners:
            raise PipelineError(
                f"int8 wants OpenVINO on a CPU and weights that were calibrated (kpviewer "
                f"calibrate), got {self.spec.name} on {', '.join(engines)}. Use --precision auto."
            )
        return runners

    def _precisions(self) -> list[str]:
        """Single precision, and what else the device computes natively."""
        half = reduced_precision(self._device)
        has_int8 = self._device.type == "cpu" and computes_int8()
        return ["fp32", *([half] if half else []), *(["int8"] if has_int8 else [])]

    @property
    def spec(self) -> ModelSpec:
        """What the model says of itself."""
        return self._detector.spec

    @property
    def device_name(self) -> str:
        """The device, for people."""
        return device_label(self._device)

    @property
    def engine_name(self) -> str:
        """The library that computes, torch or openvino; auto until the first image."""
        return self._runner.engine if self._runner else "auto"

    @property
    def precision(self) -> str:
        """fp32, fp16, bf16 or int8; auto until the first image."""
        return self._runner.precision if self._runner else "auto"

    @property
    def needs_pinned_memory(self) -> bool:
        """Whether images in page-locked memory reach the device faster."""
        return self._device.type == "cuda"

    def on_cpu(self) -> Executor | None:
        """Make the same model for the CPU, ready at once; None where it runs there already."""
        if self._device.type == "cpu":
            return None
        return Executor(self._detector, "cpu", "fp32", "torch")

    def warm_up(self, source_hw: tuple[int, int]) -> None:
        """Settle what is auto and run a few images, so that the first real one isn't slow."""
        if self._runner is None:
            self.infer(probe_image())
        assert self._runner is not None
        self._runner.prepare(letterbox_of(self.spec, source_hw).input_hw)
        blank = np.zeros((*source_hw, 3), np.uint8)
        for _ in range(3):
            self.infer(blank)

    def infer(self, bgr: ImageArray) -> tuple[Candidates, InferenceTimings]:
        """Look at one image.

        Args:
            bgr: (H, W, 3) uint8; not read any more once the call returns.

        Returns:
            Its candidates, in source px, and where the time went.

        Raises:
            PipelineError: if the model's code ends the program, as a user's own may.
        """
        try:
            return self._infer(bgr)
        except SystemExit as error:
            raise PipelineError(
                f"{self.spec.name} ended the program (sys.exit({error.code!r})) on a frame. "
                "Remove that call from the model's code."
            ) from error

    def _infer(self, bgr: ImageArray) -> tuple[Candidates, InferenceTimings]:
        box = letterbox_of(self.spec, (bgr.shape[0], bgr.shape[1]))
        with torch.inference_mode():
            if self._runner is None:
                classes = len(self.spec.class_names)
                self._runner = choose_runner(self._runners, bgr, box, classes)
            marks = [self._mark()]
            loaded = self._runner.load(bgr, box)
            marks.append(self._mark())
            raw = self._runner.forward(loaded)
            marks.append(self._mark())
            packed = self._runner.decode(raw, box.input_hw).cpu()
            marks.append(self._mark())
        spans = [_milliseconds(a, b) for a, b in pairwise(marks)]
        candidates = self._unpack(packed.numpy(), box)
        if self.spec.task is Task.CLASSIFY:  # the whole image, without the letterbox's padding
            candidates.xyxy[:] = (0, 0, bgr.shape[1], bgr.shape[0])
        return candidates, InferenceTimings(*spans)

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
