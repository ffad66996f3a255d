"""Settings on which results depend beside the source: options, backend and device."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kpviewer.scanning.fingerprint import fingerprint_of

if TYPE_CHECKING:
    from kpviewer.processing.backend_choice import ChosenBackend
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.structures import Thresholds


def settings_hash(options: ProcessOptions, thresholds: Thresholds, chosen: ChosenBackend) -> str:
    """Return a hash of all options on which the files of a source depend.

    A worker adds the content of the ground truth, which it reads anyway.
    """
    depends_on = (
        sorted(options.outputs),
        sorted(options.sinks),
        (options.scans, options.report, options.seconds, options.sound),
        (options.every, options.image_suffix),
        options.style,
        options.turn and str(options.turn),
        options.ground_truth and str(options.ground_truth),
        options.from_scan and fingerprint_of(str(options.from_scan)),
        None if thresholds.classes is None else sorted(thresholds.classes),
        sorted(thresholds.class_scores.items()),
        (thresholds.score, thresholds.iou, thresholds.nms.value, thresholds.sigma),
        (thresholds.keypoint, thresholds.max_detections),
        (str(chosen.choice), chosen.kind),
    )
    return hashlib.blake2b(repr(depends_on).encode(), digest_size=16).hexdigest()
