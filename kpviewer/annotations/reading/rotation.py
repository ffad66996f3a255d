"""Rotated boxes as CVAT exports them: the box before, with an angle beside it.

In COCO files the angle is ``attributes.rotation`` of the annotation, in VOC files the attribute
``rotation`` of the object: degrees clockwise around the centre of the box.
https://github.com/cvat-ai/cvat/issues/6785
"""

import contextlib
import math
from collections.abc import Sequence
from typing import Any

from kpviewer.annotations.problems import ROTATED, Problem, Problems
from kpviewer.annotations.reading.values import Location, number
from kpviewer.errors import DatasetError

Box = tuple[float, float, float, float]


def rotated_box(
    xyxy: Sequence[float], rotation: Any, where: Location, problems: Problems
) -> tuple[Box, list[float]]:
    """Return the smallest upright box around a rotated one, and warn that it is larger.

    Args:
        xyxy: left, top, right and bottom before the rotation, px.
        rotation: angle as written, degrees; anything but a number is none.
        where: location of the box.
        problems: collector of the warning.

    Returns:
        The upright box, and x and y of the four corners, px; no corners if nothing is rotated.
    """
    left, top, right, bottom = xyxy
    degrees = 0.0
    with contextlib.suppress(DatasetError):
        degrees = number(rotation, "rotation", where)
    if not degrees % 180:
        return (left, top, right, bottom), []
    problems.append(Problem(ROTATED, str(where), is_error=False))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    before = [
        (x - middle_x, y - middle_y)
        for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))
    ]
    xs = [middle_x + x * cos - y * sin for x, y in before]
    ys = [middle_y + x * sin + y * cos for x, y in before]
    corners = [value for corner in zip(xs, ys, strict=True) for value in corner]
    return (min(xs), min(ys), max(xs), max(ys)), corners
