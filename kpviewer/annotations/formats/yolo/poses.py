"""Keypoints in labels, if no file says how many.

In labels of a video that Ultralytics' ``save_txt`` wrote, a row is class, box, then x, y and
confidence of each keypoint; the confidence of the object and its track number may follow. Polygons
have other numbers of corners, so rows of one length are poses, if the keypoints lie around their
boxes. YOLOv5-face writes x and y alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from kpviewer.annotations.formats.yolo.lines import SURE, words_of_lines
from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.yolo_yaml import YoloNames
from kpviewer.errors import DatasetError

_SAMPLED = 50
_LIMIT_MB = 1
_LEAST_EVEN = 3
"""Least number of rows and of keypoints if the numbers could also be corners, x and y of each."""
_SLACK = 0.01


def with_poses(names: YoloNames, labels: Sequence[Path]) -> YoloNames:
    """Return the description with the keypoints that the labels show, and a note on them."""
    rows = [row for path in labels[:_SAMPLED] for row in _rows(path)]
    count = _keypoints(rows)
    if names.kpt_shape is not None or not count:
        return names
    note = (
        f"each object has {len(rows[0])} numbers, which are read as a box and {count} keypoints "
        "with their confidence, as Ultralytics writes them. kpt_shape in data.yaml says otherwise"
    )
    return replace(names, kpt_shape=(count, 3), notes=(*names.notes, note))


def polygon_is_pose(numbers: Sequence[float]) -> tuple[bool, bool]:
    """Return whether numbers of a polygon may be a box and points, and whether they must be.

    The points lie in the box. Its sides would be the second corner of the polygon, and lie further
    off than any other. Points at (0, 0) are unknown.
    """
    x, y, width, height = numbers[:4]
    points = [(px, py) for px, py in zip(numbers[4::2], numbers[5::2], strict=True) if px or py]
    may = _is_in_image(x, y, width, height) and all(
        abs(px - x) <= width / 2 + _SLACK and abs(py - y) <= height / 2 + _SLACK
        for px, py in points
    )
    corners = [(x, y), *points]
    spans = [(min(axis), max(axis)) for axis in zip(*corners, strict=True)]
    is_far = any(
        not low - (high - low) <= side <= high + (high - low)
        for side, (low, high) in zip((width, height), spans, strict=True)
    )
    return may, may and is_far


def _is_in_image(x: float, y: float, width: float, height: float) -> bool:
    return max(abs(x - 0.5) + width / 2, abs(y - 0.5) + height / 2) <= 0.5 + _SLACK


def _keypoints(rows: Sequence[Sequence[float]]) -> int:
    """Return how many keypoints all rows have; 0 if they are no poses."""
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        return 0
    length = lengths.pop()
    count = (length - 4) // 3
    if length % 2 == 0 and min(len(rows), count) < _LEAST_EVEN:
        return 0
    return count if count > 0 and all(_is_pose(row, count) for row in rows) else 0


def _is_pose(row: Sequence[float], count: int) -> bool:
    x, y, width, height = row[:4]
    points = [row[start : start + 3] for start in range(4, 4 + 3 * count, 3)]
    sure = [each for each in points if each[2] >= SURE and (each[0], each[1]) != (0, 0)]
    return (
        _is_in_image(x, y, width, height)
        and all(0 <= score <= 1 for _, _, score in points)
        and all(abs(px - x) <= width and abs(py - y) <= height for px, py, _ in sure)
    )


def _rows(path: Path) -> list[list[float]]:
    """Return the numbers after the class of the first rows; none of a file that isn't readable."""
    try:
        text = decode_text(read_bounded(path, _LIMIT_MB), path, "replace")
        rows = islice(words_of_lines(text), _SAMPLED)
        return [[float(word) for word in words[1:]] for _, words in rows]
    except (DatasetError, ValueError):
        return []
