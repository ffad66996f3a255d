"""Choosing a precision by measuring: the fastest one that sees the same as single precision."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from kpviewer.sources.demo import DemoSource
from kpviewer.structures import ImageArray

Run = Callable[[Tensor, str], Tensor]
"""Prepared picture and precision -> packed candidates (M, 4 + C + 2K), first row the best."""

RUNS = 7
WORTHWHILE = 0.9
"""Reduced precision must take at most this share of the time."""
MAX_SCORE_CHANGE = 0.02
MAX_SHIFT_PX = 0.5
"""Of the input: what a letterbox round trip may cost too."""


def probe_picture() -> ImageArray:
    """A real picture to compare precisions on: (480, 640, 3) uint8 BGR, from the demo."""
    source = DemoSource()
    source.open()
    captured = source.read(lambda height, width: np.empty((height, width, 3), np.uint8))
    source.close()
    assert captured is not None, "the demo has frames"
    return captured.bgr


def choose_precision(run: Run, image: Tensor, num_classes: int) -> str:
    """Measure the precisions that a device may profit from, on one picture.

    Args:
        run: decodes a picture at a precision.
        image: prepared picture, on the device.
        num_classes: of the model.

    Returns:
        fp32, fp16 (GPU) or bf16 (CPU).
    """
    other = reduced_precision(image.device)
    if other is None:
        return "fp32"
    exact = run(image, "fp32")
    if not agrees(exact, run(image, other), num_classes):
        return "fp32"
    exact_s, other_s = [], []
    for _ in range(RUNS):  # in turn, so that a busy moment of the machine meets both
        exact_s.append(_seconds(run, image, "fp32"))
        other_s.append(_seconds(run, image, other))
    return other if min(other_s) < WORTHWHILE * min(exact_s) else "fp32"


def reduced_precision(device: torch.device) -> str | None:
    """Name the precision that a device computes natively; None if it has none but single.

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
        True if the best candidate moved by at most half a pixel, box and points, and its class
        scores changed by at most 0.02.
    """
    if exact.shape != reduced.shape or len(exact) == 0:
        return False
    best = exact[0].float()
    # near-ties may change places: look for the same object among the best few
    change = (reduced[:20].float() - best).abs()
    nearest = change[change[:, :4].sum(1).argmin()]
    corners, scores, points = torch.split(nearest, [4, num_classes, len(best) - 4 - num_classes])
    places = torch.cat([corners, points])
    return bool(places.max() <= MAX_SHIFT_PX and scores.max() <= MAX_SCORE_CHANGE)


def _seconds(run: Run, image: Tensor, precision: str) -> float:
    began = time.perf_counter()
    run(image, precision)
    if image.is_cuda:
        torch.cuda.synchronize(image.device)
    return time.perf_counter() - began
