"""Upright boxes around rotated ones, as CVAT exports them: the box before, with an angle beside it.

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


def upright_box(xyxy: Sequence[float], rotation: Any, where: Location, problems: Problems) -> Box:
    """Return the smallest upright box around a rotated one, and warn that it is larger.

    Args:
        xyxy: left, top, right and bottom before the rotation, px.
        rotation: angle as written, degrees; anything but a number is none.
        where: location of the box.
        problems: collector of the warning.
    """
    left, top, right, bottom = xyxy
    degrees = 0.0
    with contextlib.suppress(DatasetError):
        degrees = number(rotation, "rotation", where)
    if not degrees % 180:
        return left, top, right, bottom
    problems.append(Problem(ROTATED, str(where), is_error=False))
    cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
    half_width, half_height = (right - left) / 2, (bottom - top) / 2
    x, y = left + half_width, top + half_height
    across = half_width * cos + half_height * sin
    down = half_width * sin + half_height * cos
    return x - across, y - down, x + across, y + down
