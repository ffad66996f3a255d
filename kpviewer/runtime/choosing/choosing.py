"""Choice of a model's runner: remembered from an earlier start, or measured and remembered."""

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from kpviewer.models.base import AnyDetector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.models.opening.shipped_graph import shipped_name
from kpviewer.runtime.choosing.autotune import choose_runner, tolerance_for
from kpviewer.runtime.choosing.decisions import Decision, decision_key, remember, remembered
from kpviewer.runtime.runners import Runner
from kpviewer.structures import ImageArray
from kpviewer.system.cpu_threads import cpu_threads

_log = logging.getLogger(__name__)
_ROUNDS = 40_000
"""Rounds of a hash that takes about 20 ms, without Python's lock."""


def chosen_runner(
    detector: AnyDetector,
    runners: Sequence[Runner],
    bgr: ImageArray,
    used_hw: tuple[int, int],
    make: Callable[[], Sequence[Runner]],
    *,
    measures: bool,
) -> tuple[Runner, bool]:
    """Return the runner that was chosen for a model before, or measure and remember.

    A choice that was measured on a busy machine is measured again, where there is time for it.

    Args:
        detector: the model.
        runners: its runners, the exact one first.
        bgr: (H, W, 3) uint8 image with objects.
        used_hw: (height, width) of the inputs that it is chosen for, px; it is ready for them.
        make: makes the runners anew.
        measures: whether to measure; otherwise an unknown choice is the exact runner.

    Returns:
        The runner, and whether it is settled: measuring would find no other.
    """
    box = letterbox_of(detector.spec, bgr.shape[:2])
    key = decision_key(detector, runners, box.input_hw)
    before = remembered(key) if key else None
    known = before.found_in(runners) if before is not None else None
    if before is not None and known is not None and (before.is_sure or not measures):
        if _is_ready(known, used_hw):
            return known, before.is_sure
        before = None
    if not measures:
        return runners[0], False
    spec = detector.spec
    is_file = isinstance(detector.network, OnnxNetwork)
    is_shipped = shipped_name(detector) is not None
    tolerance = tolerance_for(spec, is_file=is_file, is_shipped=is_shipped)
    counts = (len(spec.class_names), len(spec.keypoint_names))
    cores = share_of_cores()
    choice = choose_runner(runners, bgr, box, *counts, tolerance)
    cores = min(cores, share_of_cores())
    decision = Decision.of(choice.runner, cores, choice.lead).after(before)
    # those that were measured hold what they compiled for the image
    chosen = decision.found_in(runners if used_hw == box.input_hw else make())
    if chosen is None or not _is_ready(chosen, used_hw):
        chosen = choice.runner
    if key:
        remember(key, decision)
    return chosen, True


def _is_ready(runner: Runner, input_hw: tuple[int, int]) -> bool:
    """Prepare a runner; return whether that worked: a driver may have changed since."""
    try:
        runner.prepare(input_hw)
    except Exception as error:
        _log.info("%s %s isn't used: %s", runner.backend, runner.precision, error)
        return False
    return True


def share_of_cores() -> float:
    """Return the share of its cores that this process gets now: 1 if nothing else needs them.

    Each thread that a model may use computes for about 20 ms.
    """
    with ThreadPoolExecutor(cpu_threads()) as threads:
        spent = list(threads.map(_computed, range(cpu_threads())))
    return min(1.0, sum(cpu_s for cpu_s, _ in spent) / sum(wall_s for _, wall_s in spent))


def _computed(_: int) -> tuple[float, float]:
    """Compute; return the processor time and the time that it took, s."""
    began_s, cpu_s = time.perf_counter(), time.thread_time()
    hashlib.pbkdf2_hmac("sha256", b"", b"", _ROUNDS)
    return time.thread_time() - cpu_s, time.perf_counter() - began_s
