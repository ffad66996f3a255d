"""Choice of the fastest runner whose results agree with the exact one's, by measuring."""

import logging
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from kpviewer.geometry import Letterbox
from kpviewer.models.ranking import LEAST_SCORE
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.runners import Runner, candidates_of, submitter_of
from kpviewer.sources.base import first_image
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.structures import FloatArray, ImageArray

_log = logging.getLogger(__name__)

RUNS = 7
"""Timed runs of each runner."""
WORTHWHILE = 0.9
"""Share of the exact runner's time that another must not exceed to be chosen. One that takes images
in flight must only be as fast alone: in a file, it then processes more of them."""

SEEN = 0.25
"""Least confidence of a keypoint whose position must agree."""
MAX_SHIFT_PX = 0.5
"""Largest shift of a corner or point, in input px: a letterbox round trip may cost as much."""
_PART = 16
"""Candidates that are compared with all others at once: with all of them it takes much memory."""


class Tolerance(NamedTuple):
    """How alike the candidates of runners must be."""

    max_score_change: float = 0.02
    max_shift_share: float = 0.005
    """Largest shift as a share of the box's longer side, if that is more than half a pixel:
    rounding moves the edges of large objects more."""
    compared: int = 5
    """Most candidates that are compared."""
    detected: float | None = None
    """Score above which candidates are compared, where there are any; None: half of the best."""
    needs_detections: bool = True
    """Whether another precision takes part only if something was found that can be compared."""


_USUAL = Tolerance()
_EVALUATED = Tolerance(max_score_change=0.1, max_shift_share=0.05, needs_detections=False)
"""For models that were evaluated in each precision: more than that is a fault of a library."""


class Choice(NamedTuple):
    """A runner, and how clear the measurement was."""

    runner: Runner
    lead: float = 1.0
    """Share of the rounds in which it was the fastest, too; 0 if there was nothing to compare."""


def tolerance_for(spec: ModelSpec, *, is_file: bool, is_shipped: bool = False) -> Tolerance:
    """Return how alike results must be: a file's as in its maker's program, in all detections.

    Shipped models are evaluated in each precision that they are shipped for, on more than the one
    image of a choice. On it, rounding may move a box or a point by more than usual.
    """
    if is_shipped:
        return _EVALUATED
    return Tolerance(0.01, 0.0, 300, spec.score_threshold) if is_file else _USUAL


def probe_image() -> ImageArray:
    """Return an image to compare precisions on: (480, 640, 3) uint8 BGR, from the demo."""
    image = first_image(DemoSource())
    assert image is not None, "the demo has frames"
    return image


def choose_runner(
    runners: Sequence[Runner],
    bgr: ImageArray,
    box: Letterbox,
    num_classes: int,
    num_keypoints: int = 0,
    tolerance: Tolerance = _USUAL,
) -> Choice:
    """Measure runners on one image and return the fastest that agrees with the first.

    Args:
        runners: runners to choose from. The first is exact and always works. Of the others, each
            engine takes part with its first that agrees: list fewer bits first, as each one tried
            takes a second or two to compile.
        bgr: (H, W, 3) uint8 image with objects.
        box: where the image is in the input.
        num_classes: number of classes of the model.
        num_keypoints: number of keypoints of the model.
        tolerance: how alike results must be.

    Returns:
        The first runner, or another that agrees with it in at most nine tenths of its time, or in
        its time if it takes images in flight. If the image shows the model nothing, as it may one
        with NMS inside, others must compute in the precision of the first, and not in integers.
    """
    exact = runners[0]
    expected = candidates_of(exact, bgr, box)
    best_score = expected[:, 4 : 4 + num_classes].max(initial=0)
    is_blind = tolerance.needs_detections and best_score < LEAST_SCORE  # rows of padding

    def is_usable(rival: Runner) -> bool:
        if is_blind and (rival.precision != exact.precision or exact.precision == "int8"):
            return False
        try:
            rival.prepare(box.input_hw)
            found = candidates_of(rival, bgr, box)
            return agrees(expected, found, num_classes, num_keypoints, tolerance)
        except Exception as error:  # an optional engine need not run every model
            _log.info("%s %s isn't used: %s", rival.backend, rival.precision, error)
            return False

    rivals: list[Runner] = []
    for runner in runners[1:]:
        has_rival = any(
            (rival.backend, rival.device) == (runner.backend, runner.device) for rival in rivals
        )
        if not has_rival and is_usable(runner):
            rivals.append(runner)
    if not rivals:
        return Choice(exact, float(not is_blind))
    timed = (exact, *rivals)
    factors = [WORTHWHILE if each is exact or _takes_several(each) else 1.0 for each in timed]
    # in turn, so that a busy moment slows all of them; a single lucky one decides nothing
    rounds = [[_seconds(runner, bgr, box) for runner in timed] for _ in range(RUNS)]
    times_s = np.array(rounds) * factors
    best = int(np.median(times_s, 0).argmin())
    lead = 0.0 if is_blind else float((times_s.argmin(1) == best).mean())
    return Choice(timed[best], lead)


def agrees(
    exact: FloatArray,
    reduced: FloatArray,
    num_classes: int,
    num_keypoints: int = 0,
    tolerance: Tolerance = _USUAL,
) -> bool:
    """Return whether candidates at reduced precision agree with those at single precision.

    Args:
        exact: (M, D) candidates at single precision, box corners first, best first.
        reduced: (N, D) candidates at reduced precision, in any order.
        num_classes: number of score columns after the corners.
        num_keypoints: number of keypoints after the scores; columns behind them are their scores.
        tolerance: how alike they must be, and which candidates count.

    Returns:
        True if each of the best candidates has a counterpart with almost the same scores. Its
        corners and keypoints moved by at most half a pixel, or half a hundredth of its box. True
        if both found nothing.
    """
    if exact.shape[1:] != reduced.shape[1:] or not len(exact) or not len(reduced):
        return len(exact) == len(reduced) == 0
    if not num_keypoints:  # a last column may hold overlaps
        exact, reduced = exact[:, : 4 + num_classes], reduced[:, : 4 + num_classes]
    scores = exact[:, 4 : 4 + num_classes].max(1)
    detected = int((scores > tolerance.detected).sum()) if tolerance.detected is not None else 0
    counted = detected or min(_USUAL.compared, int((scores >= scores[0] / 2).sum()))
    best = exact[: min(tolerance.compared, counted)]
    return all(
        _has_counterparts(part, reduced, num_classes, num_keypoints, tolerance)
        for part in (best[start : start + _PART] for start in range(0, len(best), _PART))
    )


def _has_counterparts(
    best: FloatArray,
    reduced: FloatArray,
    num_classes: int,
    num_keypoints: int,
    tolerance: Tolerance,
) -> bool:
    """Return whether each candidate of ``best`` has a counterpart in ``reduced``."""
    sides = (best[:, 2:4] - best[:, :2]).max(1)
    may_shift = np.maximum(sides * tolerance.max_shift_share, MAX_SHIFT_PX)
    change = np.abs(best[:, None] - reduced[None])  # (B, N, D): near-ties may swap ranks
    ends = (4, 4 + num_classes, 4 + num_classes + 2 * num_keypoints)
    corners, levels, places, confidences = np.split(change, ends, axis=-1)
    if confidences.shape[-1]:  # keypoints that aren't seen may be anywhere
        is_seen = best[:, -num_keypoints:] >= SEEN
        places = places * is_seen.repeat(2, 1)[:, None]
    is_near = np.concatenate([corners, places], -1).max(-1) <= may_shift[:, None]
    is_alike = np.concatenate([levels, confidences], -1).max(-1) <= tolerance.max_score_change
    return bool((is_near & is_alike).any(1).all())


def _takes_several(runner: Runner) -> bool:
    """Return whether a runner takes images in flight, after it has run one."""
    submitter = submitter_of(runner)
    return submitter is not None and submitter.frames_in_flight > 1


def _seconds(runner: Runner, bgr: ImageArray, box: Letterbox) -> float:
    """Measure one run, s."""
    began = time.perf_counter()
    candidates_of(runner, bgr, box)
    return time.perf_counter() - began
