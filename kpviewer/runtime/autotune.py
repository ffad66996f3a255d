"""Choice of the fastest runner whose results agree with the exact one's, by measuring."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from kpviewer.geometry import Letterbox
from kpviewer.runtime.runners import Runner
from kpviewer.sources.demo import DemoSource
from kpviewer.structures import ImageArray

_log = logging.getLogger(__name__)

RUNS = 7
"""Timed runs of each runner."""
WORTHWHILE = 0.9
"""Share of the exact runner's time that another must not exceed to be chosen."""
MAX_SCORE_CHANGE = 0.02
"""Largest change of a class score between runners that agree."""
MAX_SHIFT_PX = 0.5
"""Largest shift of a corner or point, in input px: a letterbox round trip may cost as much."""
MAX_SHIFT_SHARE = 0.005
"""Largest shift as a share of the box's longer side: rounding moves the edges of large objects
more."""


def probe_image() -> ImageArray:
    """Return an image to compare precisions on: (480, 640, 3) uint8 BGR, from the demo."""
    source = DemoSource()
    source.open()
    captured = source.read(lambda height, width: np.empty((height, width, 3), np.uint8))
    source.close()
    assert captured is not None, "the demo has frames"
    return captured.bgr


def choose_runner(
    runners: Sequence[Runner], bgr: ImageArray, box: Letterbox, num_classes: int
) -> Runner:
    """Measure runners on one image and return the fastest that agrees with the first.

    Args:
        runners: runners to choose from. The first is exact and always works. Of the others, each
            engine takes part with its first that agrees: list fewer bits first, as each one tried
            takes a second or two to compile.
        bgr: (H, W, 3) uint8 image with objects.
        box: where the image is in the input.
        num_classes: number of classes of the model.

    Returns:
        The first runner, or another that agrees with it in at most nine tenths of its time.
    """
    exact = runners[0]
    expected = _run(exact, bgr, box)

    def is_usable(rival: Runner) -> bool:
        try:
            rival.prepare(box.input_hw)
            return agrees(expected, _run(rival, bgr, box), num_classes)
        except Exception as error:  # an optional engine need not run every model
            _log.info("%s %s isn't used: %s", rival.engine, rival.precision, error)
            return False

    rivals: list[Runner] = []
    for runner in runners[1:]:
        has_rival = any(rival.engine == runner.engine for rival in rivals)
        if not has_rival and is_usable(runner):
            rivals.append(runner)
    times: list[list[float]] = [[] for _ in range(1 + len(rivals))]
    for _ in range(RUNS if rivals else 0):  # in turn, so that a busy moment slows all of them
        for runner, own in zip((exact, *rivals), times, strict=True):
            own.append(_seconds(runner, bgr, box))
    best, best_s = exact, min(times[0], default=0.0) * WORTHWHILE
    for runner, own in zip(rivals, times[1:], strict=True):
        if min(own) < best_s:
            best, best_s = runner, min(own)
    return best


def reduced_precision(device: torch.device) -> str | None:
    """Return the half precision that a device computes natively; None if there is none.

    A processor without bf16 instructions emulates them, which is slower. On a busy machine a
    measurement alone might not show that.
    """
    if device.type == "cuda":
        return "fp16"
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return None
    has = torch.cpu.get_capabilities()
    return "bf16" if any(has.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else None


def agrees(exact: Tensor, reduced: Tensor, num_classes: int) -> bool:
    """Return whether candidates at reduced precision agree with those at single precision.

    Args:
        exact: (M, D) candidates at single precision, box corners first, best first.
        reduced: (M, D) candidates at reduced precision.
        num_classes: number of score columns after the corners.

    Returns:
        True if the best candidate moved by at most half a pixel, or half a hundredth of its box,
        corners and points, and its class scores changed by at most 0.02.
    """
    if exact.shape != reduced.shape or len(exact) == 0:
        return False
    best = exact[0].float()
    # near-ties may swap ranks: find the same object among the best few
    change = (reduced[:20].float() - best).abs()
    nearest = change[change[:, :4].sum(1).argmin()]
    corners, scores, points = torch.split(nearest, [4, num_classes, len(best) - 4 - num_classes])
    shifts = torch.cat([corners, points])
    side = float((best[2:4] - best[:2]).max())
    may_shift = max(MAX_SHIFT_PX, MAX_SHIFT_SHARE * side)
    return bool(shifts.max() <= may_shift and scores.max() <= MAX_SCORE_CHANGE)


def _run(runner: Runner, bgr: ImageArray, box: Letterbox) -> Tensor:
    """Return the candidates of one image, (M, D)."""
    return runner.decode(runner.forward(runner.load(bgr, box)), box.input_hw)


def _seconds(runner: Runner, bgr: ImageArray, box: Letterbox) -> float:
    """Measure one run, s."""
    began = time.perf_counter()
    candidates = _run(runner, bgr, box)
    if candidates.is_cuda:
        torch.cuda.synchronize(candidates.device)
    return time.perf_counter() - began
