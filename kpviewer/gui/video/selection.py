"""Which detection the user has chosen, found again in each image. No widgets."""

from __future__ import annotations

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.gui.language import tr
from kpviewer.overlay import OverlayStyle
from kpviewer.structures import Detections

_LEAST_IOU = 0.3
"""Of the chosen box in two images that follow each other."""


class Selection:
    """Holds one detection: by its track where there is one, else by class and best overlap."""

    def __init__(self) -> None:
        self._chosen: Detections | None = None
        """One row: as it was seen last."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen."""
        return self._chosen is None

    def choose(self, detections: Detections, index: int | None) -> None:
        """Choose a detection; None chooses nothing."""
        self._chosen = None if index is None else detections.take(np.array([index]))

    def find(self, detections: Detections) -> int | None:
        """Give the index of the chosen detection in an image; None if it isn't there."""
        if self._chosen is None or not len(detections):
            return None
        index = self._row_in(detections, self._chosen)
        if index is not None:
            self._chosen = detections.take(np.array([index]))
        return index

    @staticmethod
    def _row_in(detections: Detections, chosen: Detections) -> int | None:
        ids, own = detections.track_ids, chosen.track_ids
        if ids is not None and own is not None and own[0] >= 0:
            same = np.flatnonzero(ids == own[0])
            return int(same[0]) if len(same) else None
        overlap = np.nan_to_num(iou_matrix(chosen.xyxy, detections.xyxy))[0]
        overlap[detections.class_ids != chosen.class_ids[0]] = 0
        best = int(overlap.argmax())
        return best if overlap[best] >= _LEAST_IOU else None


def describe(detections: Detections, index: int, style: OverlayStyle) -> tuple[str, str]:
    """Give the title and the lines of a detection's card."""
    left, top, right, bottom = detections.xyxy[index].tolist()
    score = float(detections.scores[index])
    lines = [
        tr("Confidence {score:.3f}").format(score=score),
        tr("Size {width:.0f} × {height:.0f} px").format(width=right - left, height=bottom - top),
        tr("At {left:.0f}, {top:.0f}").format(left=left, top=top),
        tr("Index {index}").format(index=index),
    ]
    points = detections.keypoints_xy.shape[1]
    if points:
        own = detections.keypoint_scores[index]
        is_told = not np.allclose(own, score)  # models that don't tell repeat the box's
        text = tr("{n} landmarks, confidence {low:.2f} to {high:.2f}")
        text = text if is_told else tr("{n} landmarks")
        lines.append(text.format(n=points, low=own.min(), high=own.max()))
    ids = detections.track_ids
    track = f" #{ids[index]}" if ids is not None and ids[index] >= 0 else ""
    return style.class_name(int(detections.class_ids[index])) + track, "\n".join(lines)
