"""Detection that the user selected, found again in each frame. No widgets."""

from __future__ import annotations

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.gui.language import tr
from kpviewer.gui.views.video.hover_card import CardText, PointRow
from kpviewer.gui.widgets.plain_text import shortened
from kpviewer.overlay import (
    OverlayStyle,
    keypoint_error,
    readable,
    shown_ground_truth,
    shown_points,
)
from kpviewer.structures import Detections, FrameResult

_MIN_IOU = 0.3
"""Lowest IoU of the selected box in two consecutive frames."""
_MOST_NAMED = 30
"""Most landmarks that are listed one by one."""


class Selection:
    """One selected detection, found by its track ID, else by class and best overlap."""

    def __init__(self) -> None:
        self._selected: Detections | None = None
        """One row: the detection as it was last found."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is selected."""
        return self._selected is None

    def copy(self) -> Selection:
        """Return a selection of the same detection."""
        other = Selection()
        other._selected = self._selected
        return other

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


def describe(detections: Detections, index: int, style: OverlayStyle) -> CardText:
    """Return what the card of a detection shows."""
    left, top = detections.xyxy[index, :2].tolist()
    width, height = detections.sides[index].tolist()
    score = float(detections.scores[index])
    score_text = tr("Confidence {score:.3f}").format(score=score)
    size = tr("Size {width:.0f} × {height:.0f} px").format(width=width, height=height)
    lines = [
        f"{score_text} · {tr('Number {index}').format(index=index)}",
        f"{size} · {tr('At {left:z.0f}, {top:z.0f}').format(left=left, top=top)}",
    ]
    points = detections.keypoints_xy.shape[1]
    own = detections.keypoint_scores[index]
    has_own = points > 0 and not np.isnan(own).any()
    if points:
        text = tr("1 landmark") if points == 1 else tr("{n} landmarks")
        if has_own:
            text = tr("{n} landmarks, confidence {low:.2f} to {high:.2f}")
            text = tr("1 landmark, confidence {low:.2f}") if points == 1 else text
        low, high = (own.min(), own.max()) if has_own else (0, 0)
        lines.append(text.format(n=points, low=low, high=high))
    missing = int(np.count_nonzero(~detections.keypoints_predicted[index]))
    if missing:
        text = tr("{n} below {threshold:.2f}, in brackets: not predicted")
        lines.append(text.format(n=missing, threshold=detections.keypoint_threshold))
    rows = range(points if points <= _MOST_NAMED else 0)
    ids = detections.track_ids
    track = f" #{ids[index]}" if ids is not None and ids[index] >= 0 else ""
    return CardText(
        shortened(style.class_name(int(detections.class_ids[index]))) + track,
        "\n".join(lines),
        tuple(point_row(detections, index, point, style) for point in rows),
    )


def point_row(detections: Detections, index: int, point: int, style: OverlayStyle) -> PointRow:
    """Return the texts of a keypoint; one below the threshold stands in brackets."""
    x, y = shown_points(detections, style)[index, point].tolist()
    score = float(detections.keypoint_scores[index, point])
    names = style.keypoint_names
    name = names[point] if point < len(names) else tr("point {number}").format(number=point)
    text = "" if np.isnan(score) else f"{score:.2f}"
    name = shortened(readable(name))
    if not detections.keypoints_predicted[index, point]:
        name, text = f"({name}", f"{text})"
    return PointRow(name, f"{x:z.0f}, {y:z.0f}", text)


def describe_point(result: FrameResult, index: int, point: int, style: OverlayStyle) -> str:
    """Return the line at the pointer: name, confidence, position and, if known, the error."""
    row = point_row(result.detections, index, point, style)
    parts = [row.name, row.score, row.place]
    ground_truth = shown_ground_truth(result) if style.ground_truth else None
    if ground_truth is not None:
        error_px = keypoint_error(result.detections, ground_truth, index, point)
        if error_px is not None:
            parts.append(tr("error {px:.1f} px").format(px=error_px))
    return " · ".join(part for part in parts if part)
