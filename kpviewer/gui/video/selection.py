"""Detection that the user selected, found again in each frame. No widgets."""

from __future__ import annotations

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.gui.language import tr
from kpviewer.overlay import OverlayStyle
from kpviewer.structures import Detections

_MIN_IOU = 0.3
"""Lowest IoU of the selected box in two consecutive frames."""
_MOST_NAMED = 30
"""Most landmarks whose confidences are listed one by one."""
_POINTS_A_LINE = 2


class Selection:
    """One selected detection, found by its track ID, else by class and best overlap."""

    def __init__(self) -> None:
        self._selected: Detections | None = None
        """One row: the detection as it was last found."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return self._selected is None

    def choose(self, detections: Detections, index: int | None) -> None:
        """Select a detection; None deselects."""
        self._selected = None if index is None else detections.take(np.array([index]))

    def find(self, detections: Detections) -> int | None:
        """Return the index of the selected detection in a frame; None if it isn't found."""
        if self._selected is None or not len(detections):
            return None
        index = self._row_in(detections, self._selected)
        if index is not None:
            self._selected = detections.take(np.array([index]))
        return index

    @staticmethod
    def _row_in(detections: Detections, selected: Detections) -> int | None:
        ids, own = detections.track_ids, selected.track_ids
        if ids is not None and own is not None and own[0] >= 0:
            same = np.flatnonzero(ids == own[0])
            return int(same[0]) if len(same) else None
        overlap = np.nan_to_num(iou_matrix(selected.xyxy, detections.xyxy))[0]
        overlap[detections.class_ids != selected.class_ids[0]] = 0
        best = int(overlap.argmax())
        return best if overlap[best] >= _MIN_IOU else None


def describe(detections: Detections, index: int, style: OverlayStyle) -> tuple[str, str]:
    """Return the title and the lines of a detection's card."""
    left, top, right, bottom = detections.xyxy[index].tolist()
    score = float(detections.scores[index])
    lines = [
        tr("Confidence {score:.3f}").format(score=score),
        tr("Size {width:.0f} × {height:.0f} px").format(width=right - left, height=bottom - top),
        tr("At {left:.0f}, {top:.0f}").format(left=left, top=top),
        tr("Number {index}").format(index=index),
    ]
    points = detections.keypoints_xy.shape[1]
    if points:
        own = detections.keypoint_scores[index]
        has_own = not np.isnan(own).any()
        text = tr("{n} landmarks, confidence {low:.2f} to {high:.2f}")
        text = text if has_own else tr("{n} landmarks")
        lines.append(text.format(n=points, low=own.min(), high=own.max()))
        if has_own:
            lines += _landmark_lines(detections, index, style)
    ids = detections.track_ids
    track = f" #{ids[index]}" if ids is not None and ids[index] >= 0 else ""
    return style.class_name(int(detections.class_ids[index])) + track, "\n".join(lines)


def _landmark_lines(detections: Detections, index: int, style: OverlayStyle) -> list[str]:
    """Return the confidence of each landmark; those below the threshold stand in brackets."""
    own, predicted = detections.keypoint_scores[index], detections.keypoints_predicted[index]
    lines = []
    missing = int(np.count_nonzero(~predicted))
    if missing:
        text = tr("{n} below {threshold:.2f}, in brackets: not predicted")
        lines.append(text.format(n=missing, threshold=detections.keypoint_threshold))
    if len(own) > _MOST_NAMED:
        return lines
    numbered = tr("point {number}")
    names = dict(enumerate(style.keypoint_names))
    texts = []
    for point, (score, is_predicted) in enumerate(zip(own, predicted, strict=True)):
        name = names.get(point, numbered.format(number=point))
        texts.append(f"{name} {score:.2f}" if is_predicted else f"({name} {score:.2f})")
    rows = range(0, len(texts), _POINTS_A_LINE)
    return lines + [" · ".join(texts[row : row + _POINTS_A_LINE]) for row in rows]
