"""Smoothing of keypoints: the 1 euro filter, for each object from frame to frame.

Casiez, Roussel, Vogel, "1 € Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012. With X the raw value, ^X the filtered one, Te the time since the
last one and fc a cutoff frequency:

    tau   = 1 / (2 pi fc)          alpha = 1 / (1 + tau / Te)            a low-pass filter
    ^X_i  = alpha X_i + (1 - alpha) ^X_(i-1)                             with ^X_1 = X_1
    V_i   = (X_i - ^X_(i-1)) / Te  filtered likewise at a fixed cutoff to ^V_i, with ^V_1 = 0
    fc    = fc_min + beta |^V_i|   the cutoff for X: slow points are held, quick ones pass

Two choices are ours: |^V| is the length of the point's velocity, which treats all directions alike.
Its unit is the side of the object's box, which treats near and far faces alike.

A keypoint whose score is below the threshold is a missing sample: it stays raw and changes nothing,
and Te of the next sample is the time since the last one that counted.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import box_area, iou_matrix
from kpviewer.structures import Detections, FloatArray, IntArray

_LEAST_IOU = 0.3
"""Smallest IoU of two boxes that count as one object in two frames, without track ids."""
_FORGOTTEN_S = 0.5
"""Time in s after which an object that was not seen is forgotten."""

_JUMP_SIDES = 0.25
"""Mean distance of keypoints from their filtered positions, in sides of the box, from which on they
belong to another object, as after a cut. Faces of the demo move 0.05 sides per frame at most."""

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OneEuro:
    """The constants of the filter.

    On the demo with face-ssd these reduce the landmarks' jitter (root mean square of the second
    difference of their errors) from 0.61 to 0.40 px, for a lag of 32 ms. The mean error rises from
    2.28 to 2.35 % of the box's side. A beta of 30 has a lag of 17 ms and a jitter of 0.44 px.
    """

    fc_min_hz: float = 1.0
    """Cutoff of a point at rest. A lower one is steadier."""
    beta_hz: float = 10.0
    """Increase of the cutoff per speed, in box sides per second. A higher one has less lag."""
    velocity_cutoff_hz: float = 1.0
    """Cutoff of the velocity."""

    def step(
        self, raw: _Floats, last: _Floats, velocity: _Floats, elapsed_s: _Floats, side: _Floats
    ) -> tuple[_Floats, _Floats]:
        """Filter one step.

        Args:
            raw: (N, K, 2) new values.
            last: (N, K, 2) previous filtered values.
            velocity: (N, K, 2) previous filtered velocities, per second.
            elapsed_s: (N, K) time since then; positive.
            side: (N,) length unit of speeds, in the unit of ``raw``; positive.

        Returns:
            The filtered values and velocities.
        """
        elapsed_s = elapsed_s[:, :, None]
        share = _alpha(np.float64(self.velocity_cutoff_hz), elapsed_s)
        velocity = share * (raw - last) / elapsed_s + (1 - share) * velocity
        speed = np.linalg.norm(velocity, axis=2, keepdims=True) / side[:, None, None]
        share = _alpha(self.fc_min_hz + self.beta_hz * speed, elapsed_s)
        return share * raw + (1 - share) * last, velocity


def _alpha(cutoff_hz: _Floats | np.float64, elapsed_s: _Floats) -> _Floats:
    """Return the share of the new value."""
    tau_s = 1 / (2 * np.pi * cutoff_hz)
    return np.asarray(1 / (1 + tau_s / elapsed_s))


@dataclass(frozen=True, slots=True)
class _Objects:
    """State of the objects that were seen lately; one row each."""

    xyxy: FloatArray
    class_ids: IntArray
    track_ids: IntArray
    """(N,) track ids; -1 without one."""
    seen_s: _Floats
    points: _Floats
    """(N, K, 2) filtered keypoints, px."""
    velocities: _Floats
    """(N, K, 2) filtered velocities, px/s."""
    points_s: _Floats
    """(N, K) time of the last sample of each point, s; -inf for none yet."""

    @classmethod
    def begin(cls, detections: Detections, time_s: float) -> _Objects:
        """Return detections unfiltered, at rest."""
        count = len(detections)
        ids = detections.track_ids
        return cls(
            detections.xyxy,
            detections.class_ids,
            np.full(count, -1, np.int64) if ids is None else ids,
            np.full(count, time_s),
            detections.keypoints_xy.astype(np.float64),
            np.zeros(detections.keypoints_xy.shape),
            np.where(detections.keypoints_predicted, time_s, -np.inf),
        )

    def __len__(self) -> int:
        return len(self.xyxy)

    def take(self, rows: IntArray) -> _Objects:
        """Return the objects of these rows."""
        return _Objects(*(getattr(self, field.name)[rows] for field in fields(self)))

    def joined(self, other: _Objects) -> _Objects:
        """Return these objects, followed by others."""
        names = [field.name for field in fields(self)]
        return _Objects(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

    def rows_in(self, before: _Objects) -> IntArray:
        """Return the row of each object among previous ones, (N,); -1 for a new object.

        Track ids decide if both have one; else the class and the best overlap, in order.
        """
        mine, theirs = self.track_ids[:, None], before.track_ids[None, :]
        has_ids = (mine >= 0) & (theirs >= 0)
        same_class = self.class_ids[:, None] == before.class_ids[None, :]
        overlap = np.nan_to_num(iou_matrix(self.xyxy, before.xyxy)) * same_class
        overlap[overlap < _LEAST_IOU] = 0
        likeness = np.where(has_ids, 2.0 * (mine == theirs), overlap)  # (N, M)
        rows = np.full(len(self), -1, np.int64)
        for index in range(len(self) if len(before) else 0):
            best = int(likeness[index].argmax())
            if likeness[index, best] > 0:
                rows[index] = best
                likeness[:, best] = 0  # taken
        return rows


class KeypointSmoother:
    """Filters the keypoints of the objects of one stream, frame by frame."""

    def __init__(self, filter_: OneEuro | None = None) -> None:
        self._filter = filter_ or OneEuro()
        self._known: _Objects | None = None

    def reset(self) -> None:
        """Forget all objects, as after a cut or a seek, or for another model."""
        self._known = None

    def smooth(self, detections: Detections, time_s: float) -> FloatArray:
        """Return the filtered keypoints of a frame's detections, (N, K, 2) px.

        Objects of two frames are the same if they have the same track id. Without ids, they are
        those of one class with the best overlap. New objects begin with their raw keypoints.
        """
        if not detections.keypoints_xy.size:  # no model yet, or one without keypoints
            return detections.keypoints_xy
        now, before = _Objects.begin(detections, time_s), self._known
        if before is None or before.points.shape[1:] != now.points.shape[1:]:
            self._known = now
            return detections.keypoints_xy
        age_s = time_s - before.seen_s
        before = before.take(np.flatnonzero((age_s > 0) & (age_s <= _FORGOTTEN_S)))
        rows = now.rows_in(before)
        new, old = np.flatnonzero(rows >= 0), rows[rows >= 0]
        self._filter_rows(now, new, before.take(old), time_s)
        away = np.setdiff1d(np.arange(len(before)), old)
        self._known = now.joined(before.take(away))
        is_predicted = detections.keypoints_predicted[:, :, None]
        return np.where(is_predicted, now.points, detections.keypoints_xy).astype(np.float32)

    def _filter_rows(self, now: _Objects, rows: IntArray, before: _Objects, time_s: float) -> None:
        """Replace the raw points and velocities in some rows of ``now`` by filtered ones."""
        raw = now.points[rows]
        side = np.sqrt(np.maximum(box_area(before.xyxy), 1.0)).astype(np.float64)
        is_sample = now.points_s[rows] == time_s
        elapsed_s = time_s - before.points_s
        is_known = (elapsed_s > 0) & (elapsed_s <= _FORGOTTEN_S)
        both = is_sample & is_known
        points, velocities = self._filter.step(
            raw, before.points, before.velocities, np.where(is_known, elapsed_s, 1.0), side
        )
        moves = np.where(both, np.linalg.norm(raw - before.points, axis=2), 0.0)
        jump = moves.sum(axis=1) / np.maximum(both.sum(axis=1), 1) / side
        is_near = (jump <= _JUMP_SIDES)[:, None]  # not for NaN: those begin anew, as after a cut
        is_good = (both & is_near)[:, :, None]
        held = (~is_sample & is_known & is_near)[:, :, None]
        now.points[rows] = np.where(held, before.points, np.where(is_good, points, raw))
        now.velocities[rows] = np.where(held, before.velocities, np.where(is_good, velocities, 0.0))
        now.points_s[rows] = np.where(held[:, :, 0], before.points_s, now.points_s[rows])
