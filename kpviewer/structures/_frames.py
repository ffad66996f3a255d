"""A stream, its frames and their ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from kpviewer.structures._arrays import (
    BoolArray,
    FloatArray,
    ImageArray,
    IntArray,
    box_outlines,
    check,
    joined,
    no_rows,
    padded,
    scaled,
    signed_areas,
    taken,
)


class Lease(Protocol):
    """Counted claim on a reusable frame buffer; see ``runtime.buffers``."""

    def retain(self) -> None:
        """Add a holder. Raises PipelineError if the buffer was already returned."""

    def release(self) -> None:
        """Remove a holder; the last returns the buffer. Raises PipelineError if none is left."""


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """Description of an open source."""

    name: str
    """Display name: a file name, a camera's name, a URL without its password."""
    width: int
    height: int
    nominal_fps: float | None
    frame_count: int | None
    is_live: bool
    """Whether only the newest frame is kept; other sources lose no frame."""
    is_seekable: bool
    duration_s: float | None = None
    """Duration by the timestamps; None without timestamps, and for live sources."""
    turn: str = ""
    """Rotation and mirroring of the frames, as ``sources.turn.Turn`` writes them."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class GroundTruth:
    """Ground truth of one image, in source pixels."""

    xyxy: FloatArray
    """(N, 4) corners of the boxes."""
    class_ids: IntArray
    """(N,) class of each object."""
    keypoints_xy: FloatArray
    """(N, K, 2) keypoints; K = 0 if there are none."""
    keypoints_visible: BoolArray
    """(N, K) labelled keypoints; only these are compared."""
    difficult: BoolArray
    """(N,) objects that count neither as found nor as missed (VOC difficult, COCO crowd)."""
    image_id: int | str | None = None
    """Image id in a COCO ground truth; None for other formats."""
    labelled_ids: frozenset[int] | None = None
    """Class ids whose objects are all annotated; None means all classes. Of other classes,
    detections without an object aren't scored."""
    mask_areas: FloatArray | None = None
    """(N,) areas of the objects, px^2, where the annotations state them; None: those of the boxes
    count."""
    outlines_xy: FloatArray | None = None
    """(N, V, 2) corners of the objects, px, to be drawn; None: those of the boxes."""

    def __post_init__(self) -> None:
        count, points = len(self.xyxy), self.keypoints_xy.shape[1]
        check("xyxy", self.xyxy, ("N", 4), np.float32)
        check("class_ids", self.class_ids, (count,), np.int64)
        check("keypoints_xy", self.keypoints_xy, (count, points, 2), np.float32)
        check("keypoints_visible", self.keypoints_visible, (count, points), np.bool_)
        check("difficult", self.difficult, (count,), np.bool_)
        if self.mask_areas is not None:
            check("mask_areas", self.mask_areas, (count,), np.float32)
        if self.outlines_xy is not None:
            check("outlines_xy", self.outlines_xy, (count, "V", 2), np.float32)

    def __len__(self) -> int:
        return len(self.xyxy)

    @property
    def areas(self) -> FloatArray:
        """(N,) sizes of the objects, px^2: ``mask_areas``, or else of outlines, or of boxes."""
        if self.mask_areas is not None:
            return self.mask_areas
        if self.outlines_xy is not None:
            return abs(signed_areas(self.outlines_xy)).astype(np.float32)
        return np.asarray((self.xyxy[:, 2:] - self.xyxy[:, :2]).prod(axis=1), np.float32)

    @classmethod
    def empty(cls, num_keypoints: int = 0) -> GroundTruth:
        """Return the ground truth of an image without objects."""
        visible = np.zeros((0, num_keypoints), np.bool_)
        ids, points = np.zeros(0, np.int64), no_rows(num_keypoints, 2)
        return cls(no_rows(4), ids, points, visible, np.zeros(0, np.bool_))

    @staticmethod
    def joined(parts: Sequence[GroundTruth]) -> GroundTruth:
        """Return the objects of all parts, at least one, and what else the first has."""
        changes = joined(parts)
        if any(part.mask_areas is not None for part in parts):
            changes["mask_areas"] = np.concatenate([part.areas for part in parts])
        outlines = [part.outlines_xy for part in parts]
        if corners := max((each.shape[1] for each in outlines if each is not None), default=0):
            changes["outlines_xy"] = np.concatenate(
                [
                    box_outlines(part.xyxy, corners) if own is None else padded(own, corners)
                    for part, own in zip(parts, outlines, strict=True)
                ]
            )
        return replace(parts[0], **changes)

    def is_labelled(self, class_ids: IntArray) -> BoolArray:
        """Return whether all objects of each of (N,) classes are annotated: (N,)."""
        if self.labelled_ids is None:
            return np.ones(len(class_ids), np.bool_)
        return np.isin(class_ids, list(self.labelled_ids))

    def take(self, rows: IntArray | BoolArray) -> GroundTruth:
        """Return some of the objects, by index or by mask."""
        return replace(self, **taken(self, rows))

    def scaled(self, factors: FloatArray) -> GroundTruth:
        """Return the objects of an image that was scaled by (2,) factors, without mask areas."""
        return replace(self, **scaled(self, factors), mask_areas=None)

    def with_keypoints(self, columns: Sequence[int]) -> GroundTruth:
        """Return the objects with other keypoints, by index; -1 for one that isn't labelled."""
        is_known = np.array(columns) >= 0
        keypoints_xy = self.keypoints_xy[:, columns]
        return replace(
            self,
            keypoints_xy=np.where(is_known[:, None], keypoints_xy, np.float32(0)),
            keypoints_visible=self.keypoints_visible[:, columns] & is_known,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Image of a stream, in a leased buffer."""

    index: int
    """Frame number from 0: within a file, or among the frames read from a live source."""
    captured_ns: int
    """Time of capture on the monotonic clock, ns."""
    position_s: float | None
    """Media time in seconds; None if the source has none."""
    bgr: ImageArray
    """(H, W, 3) uint8. Valid while the lease is held: retain the frame, or copy the pixels."""
    ground_truth: GroundTruth | None = None
    lease: Lease | None = None
    file: str | None = None
    """File of the frame, relative to the opened folder, with ``/``; None if there is no file."""
    frame_in_file: int | None = None
    """Frame number within ``file``, from 0; None if the file holds a single image."""

    def __post_init__(self) -> None:
        check("bgr", self.bgr, ("H", "W", 3), np.uint8)

    def retain(self) -> None:
        """Hold the buffer until a matching ``release``. Frames without a lease own their pixels."""
        if self.lease is not None:
            self.lease.retain()

    def release(self) -> None:
        """Release the buffer once."""
        if self.lease is not None:
            self.lease.release()
