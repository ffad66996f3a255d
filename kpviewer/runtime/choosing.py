"""Choice of a model's runner: remembered from an earlier start, or measured and remembered."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kpviewer.models.onnx.network import OnnxNetwork
from kpviewer.runtime.autotune import agreement_for, choose_runner
from kpviewer.runtime.decisions import decision_key, remember, remembered
from kpviewer.runtime.runners import submitter_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.geometry import Letterbox
    from kpviewer.models.base import AnyDetector
    from kpviewer.runtime.runners import Runner
    from kpviewer.structures import ImageArray

_log = logging.getLogger(__name__)


def chosen_runner(
    detector: AnyDetector,
    runners: Sequence[Runner],
    bgr: ImageArray,
    box: Letterbox,
    *,
    measures: bool,
) -> Runner:
    """Return the runner that was chosen for a model before, or measure and remember.

    Args:
        detector: the model.
        runners: its runners, the exact one first.
        bgr: (H, W, 3) uint8 image with objects.
        box: where the image is in the input.
        measures: whether to measure; otherwise an unknown choice is the exact runner.
    """
    key = decision_key(detector, runners, box.input_hw)
    before = remembered(key, runners) if key else None
    if before is not None:
        try:
            before.prepare(box.input_hw)
            return before
        except Exception as error:  # a driver may have changed since
            _log.info("%s %s isn't used: %s", before.backend, before.precision, error)
    if not measures:
        return runners[0]
    spec = detector.spec
    is_file = isinstance(detector.network, OnnxNetwork)
    is_others = is_file and not getattr(detector, "is_shipped", False)
    agreement = agreement_for(spec, is_file=is_others)
    counts = (len(spec.class_names), len(spec.keypoint_names))
    chosen = choose_runner(runners, bgr, box, *counts, agreement)
    for each in runners:
        if each is not chosen and (submitter := submitter_of(each)) is not None:
            submitter.release()
    if key:
        remember(key, chosen)
    return chosen
