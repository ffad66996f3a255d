"""Conversion of detections to objects of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import kpviewer.sources.opencv  # noqa: F401 - supervision imports cv2, which needs its guard first
from kpviewer.errors import KpviewerError
from kpviewer.models.names.classes import class_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import supervision

    from kpviewer.structures import Detections


def to_supervision(found: Detections, class_names: Sequence[str] = ()) -> supervision.Detections:
    """Return detections as ``supervision.Detections``, keypoints in ``data["keypoints_xy"]``.

    If the model predicts scores of keypoints, they are in ``data["keypoint_scores"]``, (N, K).
    Corners of rotated boxes, (N, 4, 2), are in ``data["xyxyxyxy"]``, where its annotators look for
    them; outlines of masks, (N, V, 2), in ``data["outlines_xy"]``.

    Args:
        found: N detections.
        class_names: names by class id, for ``data["class_name"]``; empty leaves that out.

    Raises:
        KpviewerError: if the package isn't installed.
    """
    try:
        import supervision  # noqa: PLC0415 - only its users wait for it
    except ImportError as error:
        raise KpviewerError(
            "The package supervision isn't installed. Run: pip install supervision"
        ) from error
    data: dict[str, np.ndarray | list[Any]] = {"keypoints_xy": found.keypoints_xy}
    if found.has_keypoint_scores:
        data["keypoint_scores"] = found.keypoint_scores
    if found.outlines_xy is not None:
        data["outlines_xy" if found.has_masks else "xyxyxyxy"] = found.outlines_xy
    if class_names:
        names = [class_name(each, class_names) for each in found.class_ids.tolist()]
        data["class_name"] = np.array(names, np.str_)
    return supervision.Detections(
        found.xyxy,
        confidence=found.scores,
        class_id=found.class_ids,
        tracker_id=found.track_ids,
        data=data,
    )
