"""Choosing how to run a model by measuring: the fastest way that sees what the exact one sees."""

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
WORTHWHILE = 0.9
"""Another way than the exact one must take at most this share of its time."""
MAX_SCORE_CHANGE = 0.02
MAX_SHIFT_PX = 0.5
"""Of the input: what a letterbox round trip may cost too."""
MAX_SHIFT_SHARE = 0.005
"""Of the longer side of the object's box: rounding moves the edges of large objects by more."""


def probe_image() -> ImageArray:
    """A real image to compare precisions on: (480, 640, 3) uint8 BGR, from the demo."""
    source = DemoSource()
    source.open()
    captured = source.read(lambda height, width: np.empty((height, width, 3), np.uint8))
    source.close()
    assert captured is not None, "the demo has frames"
    return captured.bgr


def choose_runner(
    runners: Sequence[Runner], bgr: ImageArray, box: Letterbox, num_classes: int
) -> Runner:
    """Measure the ways to run a model, on one image.

    Args:
        runners: ways to choose from; the first one is exact and always works. Of the others of
            one engine the first that sees the same is taken: give those of fewer bits first, as
            each that is tried costs a second or two of compiling.
        bgr: (H, W, 3) uint8 image with objects.
        box: where it lies in the input.
        num_classes: of the model.

    Returns:
        The first one, or another that sees the same in at most nine tenths of its time.
    """
    exact = runners[0]
    seen = _run(exact, bgr, box)

    def sees_the_same(rival: Runner) -> bool:
        try:
            rival.prepare(box.input_hw)
            return agrees(seen, _run(rival, bgr, box), num_classes)
        except Exception as error:  # a model that an optional engine can't run is no failure
            _log.info("%s %s isn't used: %s", rival.engine, rival.precision, error)
            return False

    rivals: list[Runner] = []
    for runner in runners[1:]:
        has_rival = any(rival.engine == runner.engine for rival in rivals)
        if not has_rival and sees_the_same(runner):
            rivals.append(runner)
    times: list[list[float]] = [[] for _ in range(1 + len(rivals))]
    for _ in range(RUNS if rivals else 0):  # in turn: a busy moment of the machine meets all
        for runner, own in zip((exact, *rivals), times, strict=True):
            own.append(_seconds(runner, bgr, box))
    best, best_s = exact, min(times[0], default=0.0) * WORTHWHILE
    for runner, own in zip(rivals, times[1:], strict=True):
        if min(own) < best_s:
            best, best_s = runner, min(own)
    return best


def reduced_precision(device: torch.device) -> str | None:
    """Name the half precision that a device computes natively; None if it has none.

    A processor without bf16 instructions emulates them: slower, yet on a busy machine a measurement
    alone may say otherwise.
    """
    if device.type == "cuda":
        return "fp16"
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return None
    able = torch.cpu.get_capabilities()
    return "bf16" if any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16")) else None


def agrees(exact: Tensor, reduced: Tensor, num_classes: int) -> bool:
    """Whether reduced precision sees what single precision sees.

    Args:
        exact: (M, D) candidates at single precision, box corners first, best first.
        reduced: the same at another.
        num_classes: columns of scores after the corners.

    Returns:
        True if the best candidate moved by at most half a pixel, or half a hundredth of its box,
        corners and points, and its class scores changed by at most 0.02.
    """
    if exact.shape != reduced.shape or len(exact) == 0:
        return False
    best = exact[0].float()
    # near-ties may change places: look for the same object among the best few
    change = (reduced[:20].float() - best).abs()
    nearest = change[change[:, :4].sum(1).argmin()]
    corners, scores, points = torch.split(nearest, [4, num_classes, len(best) - 4 - num_classes])
    places = torch.cat([corners, points])
    side = float((best[2:4] - best[:2]).max())
    may_shift = max(MAX_SHIFT_PX, MAX_SHIFT_SHARE * side)
    return bool(places.max() <= may_shift and scores.max() <= MAX_SCORE_CHANGE)


def _run(runner: Runner, bgr: ImageArray, box: Letterbox) -> Tensor:
    return runner.decode(runner.forward(runner.load(bgr, box)), box.input_hw)


def _seconds(runner: Runner, bgr: ImageArray, box: Letterbox) -> float:
    began = time.perf_counter()
    seen = _run(runner, bgr, box)
    if seen.is_cuda:
        torch.cuda.synchronize(seen.device)
    return time.perf_counter() - began
