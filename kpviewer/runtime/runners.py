"""Runners: inference backends of a detector. The executor chooses the fastest that agrees.

Each runner returns the candidates as one array (M, 4 + C + 2K) of box corners, class scores and
keypoints in the host's memory, so that a single copy transfers all of them. Nothing here needs
torch: code that does is in ``runtime.torch`` and ``runtime.cuda``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.geometry import Letterbox
from kpviewer.models.base import DecodedBatch
from kpviewer.models.ranking import DecodedArrays
from kpviewer.runtime.buffers import Fence
from kpviewer.runtime.masks import mask_outlines
from kpviewer.structures import FloatArray, ImageArray

PRECISIONS = ("fp32", "fp16", "bf16", "int8")


class Runner(Protocol):
    """One detector on one backend in one precision."""

    @property
    def backend(self) -> str:
        """Inference backend, one of ``libraries.inference.BACKENDS``."""

    @property
    def precision(self) -> str:
        """Precision, one of PRECISIONS."""

    @property
    def device(self) -> str:
        """Name of the device for users."""

    @property
    def place(self) -> str:
        """Device as the command line names it: cpu, cuda:0."""

    @property
    def needs_pinned_memory(self) -> bool:
        """Whether images in page-locked memory reach the device faster."""

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Prepare an input size once, so that its first image isn't slow."""

    def clock(self) -> StageClock:
        """Return a clock for the stages of one image."""

    def load(self, bgr: ImageArray, box: Letterbox) -> Any:
        """Transfer an (H, W, 3) uint8 image to the device, as ``forward`` takes it.

        Returns:
            On the CPU a (1, h, w, 3) uint8 RGB array, unless the model asks for more. It is valid
            until the next call.
        """

    def forward(self, loaded: Any) -> Any:
        """Run the network."""

    def decode(self, raw: Any, input_hw: tuple[int, int]) -> FloatArray:
        """Decode the output of ``forward`` to candidates: (M, 4 + C + 2K), input px, best first.

        The array is float32 in the host's memory, and the caller's own.
        """


@runtime_checkable
class BatchRunner(Runner, Protocol):
    """Runner that may run several images at once."""

    def load_batch(self, images: Sequence[ImageArray], boxes: Sequence[Letterbox]) -> Any:
        """Transfer images of one input size to the device, as ``run_batch`` takes them."""

    def run_batch(self, loaded: Any) -> FloatArray | None:
        """Run images of one input size and decode them: (B, M, 4 + C + 2K), as one by one.

        Returns:
            The candidates of each image, float32; None to have them run one by one.
        """


class Pending(Protocol):
    """Images that a device computes while the host does other things."""

    @property
    def fence(self) -> Fence | None:
        """Copy that still reads the images; None if they are no longer read."""

    def rows(self) -> FloatArray:
        """Wait for the candidates: (B, M, 4 + C + 2K) float32, the caller's own."""

    def stages_ms(self) -> list[float]:
        """Return the times of upload, computation and copy to the host, ms; after ``rows``."""


class Submitter(Protocol):
    """Part of a runner that starts images while others are computed."""

    patience: int
    """Number of images of a new size that run one by one before that size can be submitted."""

    @property
    def frames_in_flight(self) -> int:
        """Most images in flight; 1 while none can be submitted."""

    @property
    def notice(self) -> str | None:
        """Reason why images can't be submitted, in a line for users; None while they can."""

    def submit(
        self, images: Sequence[ImageArray], box: Letterbox, *, waits: bool
    ) -> Pending | None:
        """Start images of one size; None to have them run by ``load`` and ``forward``.

        Args:
            images: (H, W, 3) uint8 images, which stay as they are until the fence is done.
            box: where each is in the input.
            waits: whether the caller waits for the result at once.
        """

    def release(self) -> None:
        """Free the memory that was kept for images of the sizes so far."""


def fitting_runners(
    runners: Sequence[Runner], name: str, own: str, backend: str, precision: str
) -> list[Runner]:
    """Return the runners that the user asked for: the exact one first, the others in order.

    Args:
        runners: runners of a model.
        name: name of the model.
        own: precision of the model itself.
        backend: auto, or a backend.
        precision: auto, or a precision.

    Raises:
        PipelineError: if there is none.
    """
    fitting = [
        each
        for each in runners
        if backend in ("auto", each.backend) and precision in ("auto", each.precision)
    ]
    if not fitting:
        able = ", ".join(dict.fromkeys(f"{each.backend} {each.precision}" for each in runners))
        raise PipelineError(
            f"{name} runs here in {able}, got {backend} {precision}. "
            "Use --backend auto --precision auto."
        )
    exact = next((each for each in fitting if each.precision == own), fitting[-1])
    return [exact, *(each for each in fitting if each is not exact)]


def submitter_of(runner: Runner | None) -> Submitter | None:
    """Return what submits images of a runner; None if nothing does. Cheap enough for each image."""
    found: Submitter | None = getattr(runner, "flights", None)
    return found


def submitted(
    runner: Runner | None, images: Sequence[ImageArray], box: Letterbox, *, waits: bool
) -> Pending | None:
    """Return images that a runner has started; None if it runs them otherwise."""
    submitter = submitter_of(runner)
    return submitter.submit(images, box, waits=waits) if submitter is not None else None


def timed_run(runner: Runner, bgr: ImageArray, box: Letterbox) -> tuple[FloatArray, list[float]]:
    """Run one image.

    Returns:
        Its candidates, (M, D) float32, and the times of upload, forward pass and decoding, ms.
    """
    pending = submitted(runner, [bgr], box, waits=True)
    if pending is not None:
        return pending.rows()[0], pending.stages_ms()
    clock = runner.clock()
    clock.mark()
    loaded = runner.load(bgr, box)
    clock.mark()
    raw = runner.forward(loaded)
    clock.mark()
    rows = runner.decode(raw, box.input_hw)
    clock.mark()
    return rows, clock.stages_ms()


def timed_batch(
    runner: Runner, images: Sequence[ImageArray], boxes: Sequence[Letterbox]
) -> tuple[FloatArray, list[float]] | None:
    """Run images of one input size at once.

    Returns:
        Their candidates, (B, M, D) float32, and the times of upload, of the rest, and 0, ms; None
        where the runner can't, or not yet.
    """
    pending = submitted(runner, images, boxes[0], waits=True)
    if pending is not None:
        return pending.rows(), pending.stages_ms()
    if not isinstance(runner, BatchRunner):
        return None
    clock = runner.clock()
    clock.mark()
    loaded = runner.load_batch(images, boxes)
    clock.mark()
    rows = runner.run_batch(loaded)
    if rows is None:
        return None
    clock.mark()
    return rows, [*clock.stages_ms(), 0.0]


def candidates_of(runner: Runner, bgr: ImageArray, box: Letterbox) -> FloatArray:
    """Return the candidates of one image, (M, D), by the way that the runner prefers."""
    pending = submitted(runner, [bgr], box, waits=True)
    if pending is not None:
        rows: FloatArray = pending.rows()[0]
        return rows
    return runner.decode(runner.forward(runner.load(bgr, box)), box.input_hw)


def packed(decoded: DecodedBatch | DecodedArrays) -> FloatArray:
    """Return the first image's candidates as one array: (M, 4 + C + 2K), or + 3K with scores."""
    return np.asarray(packed_batch(decoded)[0])


def packed_batch(decoded: DecodedBatch | DecodedArrays) -> FloatArray:
    """Return candidates in the host's memory as one array: (B, M, 4 + C + 2K), or + 3K with scores.

    A model without keypoints may have a column of overlaps instead, and 2V of outlines.
    """
    xyxy, scores, points = (np.asarray(part) for part in decoded[:3])
    parts = [xyxy, scores, points.reshape(*points.shape[:2], -1)]
    if decoded.keypoint_scores is not None:
        parts.append(np.asarray(decoded.keypoint_scores))
    if decoded.overlaps is not None:
        parts.append(np.asarray(decoded.overlaps)[..., None])
    if isinstance(decoded, DecodedArrays) and (outlines := _outlines(decoded)) is not None:
        parts.append(outlines.reshape(*outlines.shape[:2], -1))
    return np.concatenate(parts, 2).astype(np.float32, copy=False)


def _outlines(decoded: DecodedArrays) -> FloatArray | None:
    """Return the (B, M, V, 2) outlines of objects; None if the model predicts boxes alone."""
    if not decoded.masks:
        return decoded.outlines_xy
    images = zip(decoded.xyxy, decoded.scores, decoded.masks, strict=True)
    found = [mask_outlines(xyxy, scores, masks) for xyxy, scores, masks in images]
    return np.stack(found)


class StageClock:
    """Clock of one image, for work that is done when its call returns.

    Each mark ends a stage and begins the next.
    """

    def __init__(self) -> None:
        self._marks_s: list[float] = []

    def mark(self) -> None:
        """Note the end of a stage; the first mark begins the first one."""
        self._marks_s.append(time.perf_counter())

    def stages_ms(self) -> list[float]:
        """Return the time between consecutive marks, ms."""
        return [(end - start) * 1e3 for start, end in pairwise(self._marks_s)]
