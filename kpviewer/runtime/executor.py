"""Inference engine: runs a detector on a device, from one image to candidates in source pixels.

One thread at a time calls an executor. It applies neither thresholds nor NMS.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import repeat
from typing import NamedTuple, TypeAlias

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.models.base import AnyDetector, takes_seconds
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.spec import ModelSpec
from kpviewer.models.top_down import TopDownNetwork
from kpviewer.runtime.backends.dispatch import choices_of, make_runners
from kpviewer.runtime.batches import Batches
from kpviewer.runtime.choosing.autotune import probe_image
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.choosing.choosing import chosen_runner
from kpviewer.runtime.content import model_hash
from kpviewer.runtime.runners import Runner, submitted, submitter_of, timed_batch, timed_run
from kpviewer.runtime.sanity import SanityCheck
from kpviewer.runtime.tickets import Ticket
from kpviewer.runtime.unpacking import unpacked
from kpviewer.structures import Candidates, ImageArray

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


TimedCandidates: TypeAlias = tuple[Candidates, InferenceTimings]
"""Candidates in source px, and the time of each stage."""


class Executor:
    """Inference engine of one detector on one device.

    What is auto is chosen on the first image: the fastest runner whose result agrees with that of
    the exact one, both measured.

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
        self._sanity = SanityCheck(detector)
        self._is_file = isinstance(detector.network, OnnxNetwork | TopDownNetwork)
        self.takes_seconds = takes_seconds(detector.network)
        self._measures = measures and not self.takes_seconds
        self._asked = (device, precision, backend)
        self._runner: Runner | None = None
        self._compiles_at_once = False
        self._runners = make_runners(detector, device, precision, backend)
        self._backends = [BackendChoice(*each) for each in map(_named, self._runners)]
        self.choices = [(each.backend, each.precision) for each in self._backends]
        """Backends and precisions that this executor chooses from, the exact one first."""
        if len(self._runners) == 1:
            self._runner = self._runners[0]
        self.is_settled = self._runner is not None
        """Whether its backend is known to be the fastest, so that nothing else is to be tried."""
        self._batches = Batches(detector.spec.name)

    def backends(self, device: str) -> list[BackendChoice]:
        """Return the backends and precisions that this machine has for the model on a device."""
        if self._asked != (device, "auto", "auto"):
            return Executor(self._detector, device, measures=False).backends(device)
        return choices_of(self._detector, self._backends, device)

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
    def notice(self) -> str | None:
        """Reason why the model is slower than its device allows, in a line for users."""
        submitter = submitter_of(self._runner)
        return submitter.notice if submitter is not None else None

    @property
    def frames_in_flight(self) -> int:
        """Most images that ``submit`` has in flight; with 1, ``infer`` is as fast."""
        submitter = submitter_of(self._runner)
        return submitter.frames_in_flight if submitter is not None else 1

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
        used_hw = letterbox_of(self.spec, source_hw).input_hw
        runner = self._runner or self._choose(probe_image(), used_hw)
        runner.prepare(used_hw)
        blank = np.zeros((*source_hw, 3), np.uint8)
        for _ in range(3):
            self.infer(blank)

    def compile_at_once(self) -> None:
        """Compile for each size of input before its first image, not once it came often.

        In their last digits, candidates then don't depend on the images before.
        """
        self._compiles_at_once = not self.takes_seconds
        for runner in self._runners:
            _hurry(runner)

    def infer(self, bgr: ImageArray) -> TimedCandidates:
        """Run the model on one image.

        Args:
            bgr: (H, W, 3) uint8 image; not read after the call returns.

        Returns:
            Candidates in source px, and the time of each stage.

        Raises:
            PipelineError: if the model's code exits the program, as a user's own may.
        """
        with _going_on(self.spec.name):
            result = self._infer(bgr)
            self._sanity.check(result[0], _hw(bgr), self._infer)
            return result

    def submit(self, bgr: ImageArray) -> Ticket[TimedCandidates]:
        """Start one image, while others may be in flight.

        Args:
            bgr: (H, W, 3) uint8 image, which stays as it is until the ticket's fence is done.

        Returns:
            Ticket of what ``infer`` returns.

        Raises:
            PipelineError: as ``infer`` does, and so does the ticket.
        """
        box = letterbox_of(self.spec, _hw(bgr))
        pending = submitted(self._runner, [bgr], box, waits=False)
        if pending is None:
            result = self.infer(bgr)
            return Ticket(None, lambda: result)

        def arrived() -> TimedCandidates:
            candidates = unpacked(pending.rows()[0], self.spec, box, _hw(bgr))
            with _going_on(self.spec.name):
                self._sanity.check(candidates, _hw(bgr), self._infer)
            return candidates, InferenceTimings(*pending.stages_ms())

        return Ticket(pending.fence, arrived)

    def infer_batch(self, images: Sequence[ImageArray]) -> list[TimedCandidates]:
        """Run the model on several images, at once where that changes no result.

        Args:
            images: (H, W, 3) uint8 images; not read after the call returns.

        Returns:
            What ``infer`` returns for each image; times are shares of those of its batch.

        Raises:
            PipelineError: as ``infer`` does.
        """
        sizes = [letterbox_of(self.spec, _hw(bgr)).input_hw for bgr in images]
        return self._batches.run(images, sizes, self.infer, self._infer_together)

    def _infer_together(self, images: Sequence[ImageArray]) -> list[TimedCandidates] | None:
        """Run images of one input size as a batch; None where the runner can't, or not yet."""
        boxes = [letterbox_of(self.spec, _hw(bgr)) for bgr in images]
        found = timed_batch(self._runner, images, boxes) if self._runner else None
        if found is None:
            return None
        share = InferenceTimings(*(spent / len(images) for spent in found[1]))
        sizes = map(_hw, images)
        results = [unpacked(*each) for each in zip(found[0], repeat(self.spec), boxes, sizes)]
        for candidates, bgr in zip(results, images, strict=True):
            self._sanity.check(candidates, _hw(bgr), self._infer)
        return [(candidates, share) for candidates in results]

    def _infer(self, bgr: ImageArray) -> TimedCandidates:
        box = letterbox_of(self.spec, _hw(bgr))
        runner = self._runner or self._choose(bgr, box.input_hw)
        if self._compiles_at_once:
            runner.prepare(box.input_hw)
        rows, stages_ms = timed_run(runner, bgr, box)
        return unpacked(rows, self.spec, box, _hw(bgr)), InferenceTimings(*stages_ms)

    def _choose(self, bgr: ImageArray, used_hw: tuple[int, int]) -> Runner:
        """Choose what is auto on an image, to be used for inputs of ``used_hw`` px.

        The other runners, and what was compiled for the image alone, are freed: 20 MB a graph.
        """
        make = partial(make_runners, self._detector, *self._asked)
        runner, self.is_settled = chosen_runner(
            self._detector, self._runners, bgr, used_hw, make, measures=self._measures
        )
        if self._compiles_at_once:
            _hurry(runner)
        self._runner, self._runners = runner, [runner]
        return runner


def _named(runner: Runner) -> tuple[str, str, str]:
    return runner.backend, runner.precision, runner.place


def _hurry(runner: Runner) -> None:
    """Let a runner submit the first image of a size."""
    if (submitter := submitter_of(runner)) is not None:
        submitter.patience = 0


def _hw(bgr: ImageArray) -> tuple[int, int]:
    """Return the height and width of an image, px."""
    return bgr.shape[0], bgr.shape[1]


@contextmanager
def _going_on(name: str) -> Iterator[None]:
    """Raise PipelineError where the code of a model exits the program."""
    try:
        yield
    except SystemExit as error:
        raise PipelineError(
            f"{name} exited the program (sys.exit({error.code!r})) on a frame. "
            "Remove that call from the model's code."
        ) from error
