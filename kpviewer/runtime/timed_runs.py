"""Runs of a runner on images, with the time of each stage: what the executor asks a runner for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.runtime.runners import BatchRunner, submitted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.geometry import Letterbox
    from kpviewer.runtime.runners import Runner
    from kpviewer.structures import FloatArray, ImageArray


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
