"""What tests of layouts share: the best detections of a file, on a blank image."""

from pathlib import Path

import numpy as np

from kpviewer.models.opening.onnx_file import OnnxDetector, open_onnx
from kpviewer.models.selection import select
from kpviewer.structures import Candidates

SIZE = 64
IMAGE = {"images": ("float32", [1, 3, SIZE, SIZE])}
CELLS = 64 + 16 + 4
"""Cells of an input of 64x64 px at strides 8, 16 and 32."""


def float_rows(*rows: list[float], count: int | None = None) -> np.ndarray:
    """Return (1, count, D) float32 rows, filled up with zeros."""
    table = np.zeros((1, count or len(rows), len(rows[0])), np.float32)
    table[0, : len(rows)] = rows
    return table


def found(
    path: Path, layout: str | None = None, hw: tuple[int, int] = (SIZE, SIZE)
) -> list[tuple[str, float, list[int]]]:
    """Return class name, score and rounded corners of detections on a blank image, best first."""
    return detections(open_onnx(path, layout), hw)


def detections(
    detector: OnnxDetector, hw: tuple[int, int] = (SIZE, SIZE)
) -> list[tuple[str, float, list[int]]]:
    """Return the same for a detector that is open."""
    decoded = detector.decode(detector.network(np.zeros((1, 3, *hw), np.float32)), hw)
    xyxy, scores, points = (part[0] for part in decoded[:3])
    shown = select(Candidates(xyxy, scores, points), detector.spec.thresholds)
    names = detector.spec.class_names
    return [
        (names[class_id], round(float(score), 3), box.round().astype(int).tolist())
        for class_id, score, box in zip(shown.class_ids, shown.scores, shown.xyxy, strict=True)
    ]
