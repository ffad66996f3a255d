"""Inference engine: runs a detector on a device, from one image to candidates in source pixels.

One thread at a time calls an executor. It applies neither thresholds nor NMS.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.models.base import takes_seconds
from kpviewer.models.letterboxes import letterbox_of
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.spec import Task
from kpviewer.runtime.autotune import agreement_for, choose_runner, probe_image
from kpviewer.runtime.backends import make_runners
from kpviewer.runtime.batches import Batches
from kpviewer.runtime.choices import BackendChoice
from kpviewer.runtime.content import model_hash
from kpviewer.runtime.decisions import decision_key, remember, remembered
from kpviewer.runtime.runners import BatchRunner, Runner
from kpviewer.runtime.sanity import SanityCheck
from kpviewer.structures import Candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import AnyDetector
    from kpviewer.models.spec import ModelSpec
    from kpviewer.structures import ImageArray

_log = logging.getLogger(__name__)


class InferenceTimings(NamedTuple):
    """Time of each stage for one image; on a GPU measured by its own events."""

    upload_ms: float
    """Upload to the device, resize, and normalisation unless the graph does it."""
    forward_ms: float
    """Forward pass of the network."""
    postprocess_ms: float
    """Decoding and copy to the host; a compiled graph and a batch decode in
    ``forward_ms``."""


class Executor:
    """Inference engine of one detector on one device.

    What is auto is chosen on the first image: the fastest runner whose result agrees with that of
    single precision in torch, both measured.

    Args:
        detector: network, description and decoding.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: auto, fp32, fp16, bf16, or int8 (OpenVINO; calibrated weights).
        backend: auto, torch, openvino, onnxruntime or tensorrt.
        measures: whether to measure what is auto, unless it was measured before or takes minutes;
            otherwise the exact runner is used, which is ready first.

    Raises:
        PipelineError: if the device, the backend or the precision isn't available.
    """

    def __init__(
        self,
        detector: AnyDetector,
        device: str = "auto",
        precision: str = "auto",
        backend: str = "auto",
        measures: bool = True,
    ) -> None:
        self._detector = detector
        self._sanity = SanityCheck(detector.spec)
        self._is_file = isinstance(detector.network, OnnxNetwork)
        self.takes_seconds = takes_seconds(detector.network)
        self._measures = measures and not self.takes_seconds
        self._asked = (device, precision, backend)
        self._runner: Runner | None = None
        self._prepared: set[tuple[int, int]] | None = None
        self._runners = make_runners(detector, device, precision, backend)
        if len(self._runners) == 1:
            self._runner = self._runners[0]
        self._batches: Batches[tuple[Candidates, InferenceTimings]] = Batches(
            detector.spec.name, self.infer, self._infer_together
        )

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Backends and precisions that this executor chooses from, the exact one first."""
        return [(each.backend, each.precision) for each in self._runners]

    def backends(self, device: str) -> list[BackendChoice]:
        """Return the backends and precisions that this machine has for the model on a device."""
        if self._asked != (device, "auto", "auto"):
            return Executor(self._detector, device, measures=False).backends(device)
        found = [BackendChoice(each.backend, each.precision, each.place) for each in self._runners]
        return list(dict.fromkeys(found))

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""
        return self._detector.spec

    @cached_property
    def model_hash(self) -> str | None:
        """Hash of what the candidates depend on (``runtime.content``): a second for 1 GB, once."""
        return model_hash(self._detector)

    @property
    def device_name(self) -> str:
        """Name of the device for users, such as "CPU"."""
        return self._runner.device if self._runner else self._runners[0].device

    @property
    def backend(self) -> str:
        """Inference backend, such as "torch"; auto until the first image."""
        return self._runner.backend if self._runner else "auto"

    @property
    def precision(self) -> str:
        """Precision: fp32, fp16, bf16 or int8; auto until the first image."""
        return self._runner.precision if self._runner else "auto"

    @property
    def doubt(self) -> str | None:
        """Why the model's outputs can't be right as they are read; None while they may be."""
        return self._sanity.doubt

    @property
    def needs_pinned_memory(self) -> bool:
        """Whether images in page-locked memory reach the device faster."""
        return self._runners[0].needs_pinned_memory

    def on_cpu(self) -> Executor | None:
        """Return an executor of the same model on the CPU; None if it can't run there, or does."""
        if self.device_name == "CPU":
            return None
        precision = "auto" if self._is_file else "fp32"  # a file has its own
        try:
            return Executor(self._detector, "cpu", precision, measures=False)
        except PipelineError as error:  # a TensorRT engine
            _log.info("%s can't move to the CPU: %s", self.spec.name, error)
            return None

    def warm_up(self, source_hw: tuple[int, int]) -> None:
        """Choose what is auto and run a few blank images, so that the first real one isn't slow."""
        if self.takes_seconds:
            return  # the first real image would only be later
        if self._runner is None:
            self.infer(probe_image())
        assert self._runner is not None
        self._runner.prepare(letterbox_of(self.spec, source_hw).input_hw)
        blank = np.zeros((*source_hw, 3), np.uint8)
        for _ in range(3):
            self.infer(blank)

    def compile_at_once(self) -> None:
        """Compile for each size of input before its first image, not once it came often.

        In their last digits, candidates then don't depend on the images before.
        """
        self._prepared = None if self.takes_seconds else set()

    def infer(self, bgr: ImageArray) -> tuple[Candidates, InferenceTimings]:
        """Run the model on one image.

        Args:
            bgr: (H, W, 3) uint8 image; not read after the call returns.

        Returns:
            Candidates in source px, and the time of each stage.

        Raises:
            PipelineError: if the model's code exits the program, as a user's own may.
        """
        try:
            result = self._infer(bgr)
            self._check(result[0], (bgr.shape[0], bgr.shape[1]))
            return result
        except SystemExit as error:
            raise PipelineError(
                f"{self.spec.name} exited the program (sys.exit({error.code!r})) on a frame. "
                "Remove that call from the model's code."
            ) from error

    def _check(self, candidates: Candidates, source_hw: tuple[int, int]) -> None:
        self._sanity.look(
            candidates,
            source_hw,
            lambda image: self._infer(image)[0],
            has_nan=bool(getattr(self._detector, "has_nan", False)),
        )

    def infer_batch(
        self, images: Sequence[ImageArray]
    ) -> list[tuple[Candidates, InferenceTimings]]:
        """Run the model on several images, at once where that changes no result.

        Args:
            images: (H, W, 3) uint8 images; not read after the call returns.

        Returns:
            What ``infer`` returns for each image; times are shares of those of its batch.

        Raises:
            PipelineError: as ``infer`` does.
        """
        sizes = [letterbox_of(self.spec, (bgr.shape[0], bgr.shape[1])).input_hw for bgr in images]
        return self._batches.run(images, sizes)

    def _infer_together(
        self, images: Sequence[ImageArray]
    ) -> list[tuple[Candidates, InferenceTimings]] | None:
        """Run images of one input size as a batch; None where the runner can't, or not yet."""
        runner = self._runner
        if runner is None or not isinstance(runner, BatchRunner):
            return None
        boxes = [letterbox_of(self.spec, (bgr.shape[0], bgr.shape[1])) for bgr in images]
        clock = runner.clock()
        clock.mark()
        loaded = runner.load_batch(images, boxes)
        clock.mark()
        rows = runner.run_batch(loaded)
        if rows is None:
            return None
        clock.mark()
        upload_ms, forward_ms = (spent / len(images) for spent in clock.stages_ms())
        share = InferenceTimings(upload_ms, forward_ms, 0.0)
        results = list(map(self._unpack, rows, boxes, images))
        for candidates, bgr in zip(results, images, strict=True):
            self._check(candidates, (bgr.shape[0], bgr.shape[1]))
        return [(candidates, share) for candidates in results]

    def _infer(self, bgr: ImageArray) -> tuple[Candidates, InferenceTimings]:
        box = letterbox_of(self.spec, (bgr.shape[0], bgr.shape[1]))
        if self._runner is None:
            self._runner = self._chosen(bgr, box)
        if self._prepared is not None and box.input_hw not in self._prepared:
            self._runner.prepare(box.input_hw)
            self._prepared.add(box.input_hw)
        clock = self._runner.clock()
        clock.mark()
        loaded = self._runner.load(bgr, box)
        clock.mark()
        raw = self._runner.forward(loaded)
        clock.mark()
        packed = self._runner.decode(raw, box.input_hw)
        clock.mark()
        candidates = self._unpack(packed, box, bgr)
        return candidates, InferenceTimings(*clock.stages_ms())

    def _chosen(self, bgr: ImageArray, box: Letterbox) -> Runner:
        """Return the runner that was chosen for this model before, or measure and remember."""
        key = decision_key(self._detector, self._runners, box.input_hw)
        before = remembered(key, self._runners) if key else None
        if before is not None:
            try:
                before.prepare(box.input_hw)
                return before
            except Exception as error:  # a driver may have changed since
                _log.info("%s %s isn't used: %s", before.backend, before.precision, error)
        if not self._measures:
            return self._runners[0]
        classes, points = len(self.spec.class_names), len(self.spec.keypoint_names)
        is_others = self._is_file and not getattr(self._detector, "is_shipped", False)
        agreement = agreement_for(self.spec, is_file=is_others)
        chosen = choose_runner(self._runners, bgr, box, classes, points, agreement)
        if key:
            remember(key, chosen)
        return chosen

    def _unpack(self, packed: np.ndarray, box: Letterbox, bgr: ImageArray) -> Candidates:
        """Return the candidates of an image in its own px."""
        size_wh = (bgr.shape[1], bgr.shape[0])
        classes, points = len(self.spec.class_names), len(self.spec.keypoint_names)
        ends = (4, 4 + classes, 4 + classes + 2 * points)
        xyxy, scores, xy, rest = map(np.ascontiguousarray, np.split(packed, ends, axis=1))
        confidences = rest if points and rest.shape[1] else None
        if confidences is not None and self.spec.keypoint_threshold is None:
            raise PipelineError(
                f"{self.spec.name} predicts scores of keypoints, but its ModelSpec says that it "
                "predicts none. Set keypoint_threshold, such as 0.5."
            )
        boxes = box.to_source(xyxy)
        if self.spec.task is Task.CLASSIFY:  # the whole image, without the letterbox's padding
            boxes[:] = (0, 0, *size_wh)
        return Candidates(
            boxes,
            scores,
            box.to_source(xy.reshape(len(packed), points, 2)),
            confidences,
            size_wh,
            rest[:, 0] if not points and rest.shape[1] else None,
        )
