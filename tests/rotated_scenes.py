"""Scenes that are turned as a whole: what was upright lies at an angle, and overlaps as before."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np

from kpviewer.structures import Candidates, Detections, GroundTruth, box_outlines, padded

Objects = TypeVar("Objects", Candidates, Detections, GroundTruth)


def turned(objects: Objects, degrees: float) -> Objects:
    """Return objects turned about the origin, with upright boxes around them."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, sin], [-sin, cos]])
    corners = (box_outlines(objects.xyxy, 4) @ turn).astype(np.float32)
    return replace(
        objects,
        xyxy=np.concatenate([corners.min(1), corners.max(1)], 1),
        keypoints_xy=(objects.keypoints_xy @ turn).astype(np.float32),
        outlines_xy=corners,
    )


def as_masks(objects: Objects, corners: int) -> Objects:
    """Return rotated boxes as masks of some corners."""
    assert objects.outlines_xy is not None
    return replace(objects, outlines_xy=padded(objects.outlines_xy, corners))
