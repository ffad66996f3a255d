"""What a model finds in a frame: candidates, and the detections selected from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

import kpviewer
from kpviewer.structures._arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    check,
    corner_counts,
    no_rows,
    scaled,
    taken,
)

if TYPE_CHECKING:
    import supervision


BOX_CORNERS = 4
"""Number of corners of a rotated box."""
_FEWEST_CORNERS = 3
"""Number of corners that an area has at least; readers of polygons refuse fewer."""


class Shape(StrEnum):
    """What the objects of a model or data set are."""

    UPRIGHT = "upright boxes"
    ROTATED = "rotated boxes"
    MASKS = "masks"


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Candidates:
    """Best predictions of one image, from which thresholds and NMS select Detections."""

    xyxy: FloatArray
    """(M, 4) corners of whole boxes, source px, also beyond the image's edges. M <= 4,000."""
    scores: FloatArray
    """(M, C) scores in [0, 1], one column per class without background."""
    keypoints_xy: FloatArray
    """(M, K, 2) keypoints, source px."""
    keypoint_scores: FloatArray | None = None
    """(M, K) scores in [0, 1]; None if the model predicts none."""
    size_wh: tuple[int, int] | None = None
    """Width and height of the image, px, that detections are clipped to; None: they aren't."""
    overlaps: FloatArray | None = None
    """(M,) largest IoU with a better candidate of the class, which NMS compares with its threshold;
    None: it compares the boxes."""
    outlines_xy: FloatArray | None = None
    """(M, V, 2) corners of each object's outline, source px: the four of rotated boxes, or those of
    masks, of which the last may come several times; None if the model predicts upright boxes."""

    def __post_init__(self) -> None:
        count, points = len(self.xyxy), self.keypoints_xy.shape[1]
        check("xyxy", self.xyxy, ("M", 4), np.float32)
        check("scores", self.scores, (count, "C"), np.float32)
        check("keypoints_xy", self.keypoints_xy, (count, "K", 2), np.float32)
        if self.keypoint_scores is not None:
            check("keypoint_scores", self.keypoint_scores, (count, points), np.float32)
        if self.outlines_xy is not None:
            check("outlines_xy", self.outlines_xy, (count, "V", 2), np.float32)

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def empty(cls, num_classes: int = 1, num_keypoints: int = 0) -> Candidates:
        """Return no candidates, as for a frame without a model."""
        return cls(no_rows(4), no_rows(num_classes), no_rows(num_keypoints, 2))

    def take(self, rows: IntArray | BoolArray) -> Candidates:
        """Return some of the candidates, by index or by mask."""
        return replace(self, **taken(self, rows))


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Detections:
    """Detections of a model at given thresholds, by descending score."""

    xyxy: FloatArray
    """(N, 4) corners of the boxes, source px."""
    scores: FloatArray
    """(N,) scores in [0, 1], descending."""
    class_ids: IntArray
    """(N,) class of each detection."""
    keypoints_xy: FloatArray
    """(N, K, 2) keypoints, source px."""
    keypoint_scores: FloatArray
    """(N, K) scores in [0, 1]; NaN if the model predicts none."""
    smoothed_xy: FloatArray | None = None
    """(N, K, 2) ``keypoints_xy`` filtered over time for display, source px; None if off."""
    track_ids: IntArray | None = None
    """(N,) track of each object over frames, -1 for none yet; None without tracking."""
    trails: tuple[FloatArray, ...] | None = None
    """N arrays (T, 2) of past box centres, oldest first, source px; None without tracking."""
    keypoint_threshold: float = 0.0
    """Score below which a keypoint counts as not predicted."""
    outlines_xy: FloatArray | None = None
    """(N, V, 2) corners of each object's outline, source px, as in ``Candidates``."""

    def __post_init__(self) -> None:
        count, points = len(self.xyxy), self.keypoints_xy.shape[1]
        check("xyxy", self.xyxy, ("N", 4), np.float32)
        check("scores", self.scores, (count,), np.float32)
        check("class_ids", self.class_ids, (count,), np.int64)
        check("keypoints_xy", self.keypoints_xy, (count, points, 2), np.float32)
        check("keypoint_scores", self.keypoint_scores, (count, points), np.float32)
        if self.smoothed_xy is not None:
            check("smoothed_xy", self.smoothed_xy, (count, points, 2), np.float32)
        if self.track_ids is not None:
            check("track_ids", self.track_ids, (count,), np.int64)
        if self.outlines_xy is not None:
            check("outlines_xy", self.outlines_xy, (count, "V", 2), np.float32)

    def __len__(self) -> int:
        return len(self.xyxy)

    @property
    def keypoints_predicted(self) -> BoolArray:
        """(N, K) keypoints whose score reaches the threshold; all, if the model predicts none."""
        return ~(self.keypoint_scores < self.keypoint_threshold)  # false for NaN

    @property
    def sides(self) -> FloatArray:
        """(N, 2) width and height of each box, px; those of rotated boxes as they lie."""
        outlines = self.outlines_xy
        if outlines is None or self.has_masks:
            return np.asarray(self.xyxy[:, 2:] - self.xyxy[:, :2], np.float32)
        edges = np.linalg.norm(outlines[:, :2] - outlines[:, 1:3], axis=2)  # height, then width
        return np.asarray(edges[:, ::-1], np.float32)

    @property
    def has_masks(self) -> bool:
        """Whether outlines are those of masks, and not the four corners of rotated boxes."""
        return self.outlines_xy is not None and self.outlines_xy.shape[1] > BOX_CORNERS

    def outline(self, row: int) -> FloatArray:
        """Return the (V, 2) corners of a detection's outline, each once, source px.

        There are at least three: a mask without area has fewer, and its last one several times.

        Raises:
            ValueError: if the model predicts upright boxes.
        """
        if self.outlines_xy is None:
            raise ValueError("these detections have boxes, and no outlines")
        corners: FloatArray = self.outlines_xy[row]
        if not self.has_masks:
            return corners
        return corners[: max(int(corner_counts(corners[None])[0]), _FEWEST_CORNERS)]

    @property
    def has_keypoint_scores(self) -> bool:
        """Whether the model predicts scores of keypoints and there is one."""
        return not bool(np.isnan(self.keypoint_scores).all())

    @classmethod
    def empty(cls, num_keypoints: int = 0) -> Detections:
        """Return no detections."""
        ids, points = np.zeros(0, np.int64), no_rows(num_keypoints, 2)
        return cls(no_rows(4), no_rows(), ids, points, no_rows(num_keypoints))

    def take(self, rows: IntArray | BoolArray) -> Detections:
        """Return some of the detections, by index or by mask."""
        trails = self.trails and tuple(self.trails[row] for row in np.arange(len(self))[rows])
        return replace(self, **taken(self, rows), trails=trails)

    def scaled(self, factors: FloatArray) -> Detections:
        """Return the detections of an image that was scaled by (2,) factors, without trails."""
        return replace(self, **scaled(self, factors), trails=None)

    def to_supervision(self, class_names: Sequence[str] = ()) -> supervision.Detections:
        """Return the detections as an object of the package ``supervision``.

        Args:
            class_names: names by class id for ``data["class_name"]``; empty leaves that out.

        Raises:
            KpviewerError: if the package isn't installed.
        """
        return kpviewer.to_supervision(self, class_names)
