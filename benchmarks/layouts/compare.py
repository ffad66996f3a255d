"""Run kpviewer on the exports, and count what it has in common with the makers' results.

Both are clipped to the image first, as some makers don't. Keypoints are compared where they lie in
the image. Shifts are of pairs of one class that overlap by more than half.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.layouts.common import CONFIDENCE, IOU, MAX_DETECTIONS, Result
from kpviewer.geometry import iou_matrix

PIXELS, SCORE = 1.0, 0.01
"""Within these a detection is the same."""
HEAD = (
    "export",
    "theirs",
    "kpviewer",
    "matched",
    "in the square image",
    "largest shift, px",
    "largest score difference",
    "largest keypoint shift, px",
    "note",
)


@dataclass
class Row:
    """One line of the table: sums and maxima over the images."""

    name: str
    theirs: int = 0
    ours: int = 0
    matched: int = 0
    square: str = "-"
    shift: float = 0.0
    score: float = 0.0
    keypoints: float = 0.0
    notes: list[str] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the line."""
        numbers = [f"{self.shift:.2f}", f"{self.score:.4f}", f"{self.keypoints:.2f}"]
        counts = ["-"] * 6 if self.is_refused else [f"{self.ours}", f"{self.matched}", self.square]
        values = counts if self.is_refused else counts + numbers
        return (self.name, str(self.theirs), *values, "; ".join(self.notes))

    @property
    def is_same(self) -> bool:
        """Whether nothing is missing, and nothing is more."""
        return self.theirs == self.ours == self.matched and not self.is_refused

    @property
    def is_refused(self) -> bool:
        """Whether kpviewer says that it can't open the file."""
        return any(note.startswith("refused") for note in self.notes)


def compare(
    name: str, spec: str, images: Mapping[str, np.ndarray], expected: Mapping[str, Result]
) -> Row:
    """Compare kpviewer's detections with the maker's, on all images."""
    import kpviewer
    from kpviewer.errors import KpviewerError

    row = Row(name, theirs=sum(len(each.scores) for each in expected.values()))
    try:
        model = kpviewer.load(spec, device="cpu", backend="onnxruntime")
        for key, result in expected.items():
            limits = {"score": CONFIDENCE, "iou": IOU, "max_detections": MAX_DETECTIONS}
            found = model(images[key], **limits)
            before = row.matched
            _count(row, result, found, images[key].shape[:2])
            if key == "square":
                row.square = f"{row.matched - before} of {len(result.scores)}"
    except KpviewerError as error:
        row.notes.append(f"refused: {error}")
    except Exception as error:
        row.notes.append(f"FAULT: {type(error).__name__}: {error}")
    return row


def _count(row: Row, theirs: Result, ours: Any, size: tuple[int, int]) -> None:
    """Match each of their detections with the nearest of ours that has its class and overlaps."""
    row.ours += len(ours)
    points = np.array(theirs.keypoints, np.float64)
    if len(points) and points.shape[1] != ours.keypoints_xy.shape[1]:
        _note(row, f"{ours.keypoints_xy.shape[1]} keypoints of {points.shape[1]}")
        return
    if theirs.rotated:
        _note(row, "upright boxes compared")
    limits = np.array([size[1], size[0]] * 2, np.float32)
    boxes = np.clip(ours.xyxy, 0, limits)
    offset = _class_offset(theirs.classes, ours.class_ids)
    free = np.ones(len(ours), np.bool_)
    for index, score in enumerate(theirs.scores):
        if theirs.boxes is None:
            usable, shifts = free, np.zeros(len(ours))
        else:
            box = np.clip(np.array(theirs.boxes[index], np.float32), 0, limits)[None]
            usable = free & (ours.class_ids == theirs.classes[index] + offset)
            shifts = np.abs(boxes - box).max(1, initial=0)
            usable = usable & ((iou_matrix(box, boxes)[0] > 0.5) | (shifts <= PIXELS))
        apart = np.abs(ours.scores - score) if theirs.boxes is not None else np.zeros(len(ours))
        if not usable.any():
            continue
        best = int(np.argmin(np.where(usable, shifts + apart, np.inf)))
        moved, doubt = 0.0, 0.0
        if len(points):
            inside = _inside(points[index], size)
            found = ours.keypoints_xy[best][inside], ours.keypoint_scores[best][inside]
            moved = float(np.abs(points[index][inside, :2] - found[0]).max(initial=0))
            sure = np.clip(points[index][inside, 2], 0, 1)  # SimCC's may exceed 1; ours don't
            doubts = np.abs(sure - found[1])
            doubt = float(np.nanmax(doubts, initial=0))  # not a number where a maker has none
        if doubt > SCORE:
            _note(row, "keypoint confidences differ")
        free[best] = False
        row.shift, row.score = max(row.shift, shifts[best]), max(row.score, apart[best])
        row.keypoints = max(row.keypoints, moved)
        is_near = max(shifts[best], moved) <= PIXELS
        row.matched += bool(is_near and max(apart[best], doubt) <= SCORE)


def _note(row: Row, text: str) -> None:
    if text not in row.notes:
        row.notes.append(text)


def _class_offset(theirs: Sequence[int], ours: np.ndarray) -> int:
    """Return -1 where labels count from 1, and kpviewer's classes from 0 (torchvision)."""
    counts_from_one = len(theirs) > 0 and min(theirs) == 1
    return -1 if counts_from_one and len(ours) and ours.min() == 0 else 0


def _inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return which keypoints lie in the image."""
    height, width = size
    inside: np.ndarray = (points[:, :2] > 0).all(1)
    return inside & (points[:, 0] < width) & (points[:, 1] < height)


def table(rows: Sequence[Row]) -> str:
    """Return the table in Markdown, and the count of rows that are the same."""
    lines = [HEAD, ("---",) + ("--:",) * 7 + ("---",), *(row.cells() for row in rows)]
    text = "\n".join(
        "| " + " | ".join(each.replace("|", "\\|") for each in line) + " |" for line in lines
    )
    refused = sum(row.is_refused for row in rows)
    same = sum(row.is_same for row in rows)
    differ = len(rows) - same - refused
    counts = f"{len(rows)} exports: {same} the same, {refused} refused, {differ} differ."
    return f"{text}\n\n{counts}\n"
