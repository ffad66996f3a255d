"""Data that the parts of kpviewer exchange: frozen dataclasses over numpy arrays.

Shapes and dtypes are checked at construction. Empty means N = 0, never None. Coordinates are
source pixels: x to the right, y down, (0, 0) the outer corner of the top-left pixel.
"""

from kpviewer.structures._arrays import (
    BoolArray,
    FloatArray,
    ImageArray,
    IntArray,
    arrays_of,
    box_outlines,
    check,
    corner_counts,
    padded,
    signed_areas,
)
from kpviewer.structures._detections import BOX_CORNERS, Candidates, Detections, Shape
from kpviewer.structures._frames import Frame, GroundTruth, Lease, StreamInfo
from kpviewer.structures._results import (
    FrameError,
    FrameResult,
    ModelDescription,
    SecondResult,
    StageTimings,
)
from kpviewer.structures._thresholds import NmsKind, Thresholds

__all__ = [
    "BOX_CORNERS",
    "BoolArray",
    "Candidates",
    "Detections",
    "FloatArray",
    "Frame",
    "FrameError",
    "FrameResult",
    "GroundTruth",
    "ImageArray",
    "IntArray",
    "Lease",
    "ModelDescription",
    "NmsKind",
    "SecondResult",
    "Shape",
    "StageTimings",
    "StreamInfo",
    "Thresholds",
    "arrays_of",
    "box_outlines",
    "check",
    "corner_counts",
    "padded",
    "signed_areas",
]
