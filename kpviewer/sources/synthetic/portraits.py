"""Two public-domain portraits of the demo, with faces annotated by hand.

Grace Hopper: US Navy, 1984; in the wheel of matplotlib, which isn't imported.
Eileen Collins: NASA, 1999; in ``kpviewer/assets``.
"""

import contextlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, ImageArray

KEYPOINT_NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
"""Names of the keypoints; left is the viewer's left."""

MARGIN_PX = 320
"""Width of the backdrop on each side, so that the camera may move beyond the edge."""
NEAR_PX, FAR_PX = 12, 96
"""Distances from the edge at which the backdrop is slightly and fully blurred."""

BACKDROP_BGR = (46, 40, 36)


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """Image of one person. Coordinates are pixels of the shipped image."""

    canvas: ImageArray
    """(H + 2 MARGIN_PX, W + 2 MARGIN_PX, 3) uint8 BGR: the image on its backdrop."""
    half_canvas: ImageArray
    """Canvas at half the size, for small views in which the full one would alias."""
    face_xyxy: FloatArray
    """(4,) box of the face: hairline to chin, ear to ear."""
    points_xy: FloatArray
    """(5, 2) keypoints in the order of KEYPOINT_NAMES."""


@dataclass(frozen=True, slots=True)
class _Annotation:
    package: str
    """Package whose folder contains the image."""
    path: str
    size_wh: tuple[int, int]
    face_xyxy: tuple[float, float, float, float]
    points_xy: tuple[tuple[float, float], ...]


_HOPPER = _Annotation(
    "matplotlib",
    "mpl-data/sample_data/grace_hopper.jpg",
    (512, 600),
    (172, 129, 360, 328),
    ((221.9, 191.0), (305.6, 187.0), (267.0, 236.0), (228.8, 281.5), (309.0, 279.5)),
)
_COLLINS = _Annotation(
    "kpviewer",
    "assets/eileen_collins.webp",
    (512, 512),
    (179, 72, 270, 178),
    ((202.9, 100.8), (246.7, 103.2), (224.0, 127.8), (202.9, 139.6), (245.0, 140.9)),
)


@cache
def hopper() -> Portrait:
    """Load Grace Hopper's portrait. Raises SourceError if the image is missing."""
    return _load(_HOPPER)


@cache
def collins() -> Portrait:
    """Load Eileen Collins's portrait. Raises SourceError if the image is missing."""
    return _load(_COLLINS)


def _load(annotation: _Annotation) -> Portrait:
    image = _read_image(annotation)
    canvas = _on_backdrop(image)
    half = cv2.resize(canvas, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return Portrait(
        canvas,
        np.asarray(half, np.uint8),
        np.array(annotation.face_xyxy, np.float32),
        np.array(annotation.points_xy, np.float32),
    )


def _read_image(annotation: _Annotation) -> ImageArray:
    spec = importlib.util.find_spec(annotation.package)
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        with contextlib.suppress(OSError, cv2.error):
            # From memory: OpenCV 5 crashes at a name that isn't UTF-8.
            data = np.frombuffer((Path(folder) / annotation.path).read_bytes(), np.uint8)
            image = cv2.imdecode(data, cv2.IMREAD_COLOR)
            if image is not None and image.shape[1::-1] == annotation.size_wh:
                return np.asarray(image, np.uint8)
    raise SourceError(
        f"The demo needs the image {Path(annotation.path).name} of {annotation.package}, "
        f"but it is missing or different. Reinstall kpviewer's requirements."
    )


def _on_backdrop(image: ImageArray) -> ImageArray:
    """Extend an image beyond its edges: its colours blur and darken into the backdrop."""
    margins = (MARGIN_PX,) * 4
    around = np.asarray(cv2.copyMakeBorder(image, *margins, cv2.BORDER_REPLICATE), np.uint8)
    outside = np.full(around.shape[:2], 255, np.uint8)
    outside[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX] = 0
    distance = np.asarray(cv2.distanceTransform(outside, cv2.DIST_L2, 5), np.float32)
    canvas = around
    for layer, reach_px in (
        (_blurred(around, 4, 1.5), NEAR_PX),  # otherwise repeated edge pixels form streaks
        (_blurred(around, 8, 6), FAR_PX),
        (np.full_like(around, BACKDROP_BGR), MARGIN_PX),
    ):
        share = np.minimum(distance / np.float32(reach_px), np.float32(1))
        # in bytes: pages of large arrays that are touched first take longer than the arithmetic
        canvas = np.asarray(cv2.blendLinear(layer, canvas, share, 1 - share), np.uint8)
    return canvas


def _blurred(image: ImageArray, shrink: int, sigma: float) -> ImageArray:
    """Blur an image fast and strongly, at ``shrink`` times smaller size."""
    small = cv2.resize(image, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma)
    size_wh = image.shape[1::-1]
    return np.asarray(cv2.resize(soft, size_wh, interpolation=cv2.INTER_LINEAR), np.uint8)
