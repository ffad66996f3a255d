"""Object tracking and smoothing of keypoints from frame to frame.

Both add to detections and change none: raw keypoints stay, for errors and for result files.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kpviewer.pipeline.results.smoothing import KeypointSmoother
from kpviewer.structures import Detections, FloatArray, IntArray

if TYPE_CHECKING:
    from kpviewer.runtime.tracking import Tracker
    from kpviewer.structures import Frame

_NS = 1_000_000_000
TRAIL_S = 1.5
"""Length of a trail, in s."""


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """Additions to detections; each costs some time per frame."""

    smooth: bool = False
    """Whether to filter keypoints over time."""
    track: bool = False
    """Whether to give objects ids that stay the same from frame to frame, and trails."""


class ObjectTracker:
    """Tracks the objects of one stream; for one thread."""

    def __init__(self) -> None:
        self._smoother = KeypointSmoother()
        self._tracker: Tracker | None = None
        self._trails = Trails()
        self._cut: object = None

    def update(
        self, detections: Detections, frame: Frame, cut: object, options: TrackingOptions
    ) -> Detections:
        """Return a frame's detections with track ids, trails and smoothed keypoints, as asked for.

        Args:
            detections: those of the frame.
            frame: the frame after that of the last call.
            cut: any value, equal for consecutive frames; a new one makes tracking start again.
            options: what to add.
        """
        time_s = _seconds(frame)
        if cut != self._cut:
            self._cut = cut
            self._forget_tracks()
            self._smoother.reset()
        if options.track:
            detections = self._track(detections, time_s)
        else:
            self._forget_tracks()
        if options.smooth:
            smoothed = self._smoother.smooth(detections, time_s)
            return replace(detections, smoothed_xy=smoothed)
        self._smoother.reset()
        return detections

    def _track(self, detections: Detections, time_s: float) -> Detections:
        if self._tracker is None:
            from kpviewer.runtime.tracking import Tracker  # noqa: PLC0415 - OpenCV comes with it

            self._tracker = Tracker()
        ids = self._tracker.update(detections, time_s)
        trails = self._trails.update(detections.xyxy, ids, time_s)
        return replace(detections, track_ids=ids, trails=trails)

    def _forget_tracks(self) -> None:
        self._trails = Trails()
        if self._tracker is not None:
            self._tracker.reset()


class Trails:
    """Recent positions of the objects of a stream, by track id."""

    def __init__(self) -> None:
        self._positions: dict[int, deque[tuple[float, FloatArray]]] = {}

    def update(
        self, xyxy: FloatArray, track_ids: IntArray, time_s: float
    ) -> tuple[FloatArray, ...]:
        """Add a frame's boxes; return each object's trail: the (T, 2) centres of its last boxes.

        Args:
            xyxy: (N, 4) boxes in source px.
            track_ids: (N,) ids; an object with -1 has an empty trail.
            time_s: time of the frame.
        """
        centres = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        for track_id, centre in zip(track_ids.tolist(), centres, strict=True):
            if track_id >= 0:
                self._positions.setdefault(track_id, deque()).append((time_s, centre))
        for track_id, positions in list(self._positions.items()):
            while positions and positions[0][0] < time_s - TRAIL_S:
                positions.popleft()
            if not positions:
                del self._positions[track_id]
        return tuple(self._of(track_id) for track_id in track_ids.tolist())

    def _of(self, track_id: int) -> FloatArray:
        positions = self._positions.get(track_id, ())
        return np.array([xy for _, xy in positions], np.float32).reshape(-1, 2)


def with_tracks_of(known: Detections, found: Detections) -> Detections:
    """Return detections with the tracks of equal detections of the same frame.

    Moving a slider on a paused frame selects other candidates of it. Those that were detected
    before keep their ids, trails and smoothed keypoints; the others have none.

    Args:
        known: detections with tracks, from the pipeline.
        found: detections selected from the same candidates.
    """
    if known.smoothed_xy is None and known.track_ids is None:
        return found
    same = (found.xyxy[:, None] == known.xyxy[None, :]).all(axis=2)  # (N, M)
    same &= found.class_ids[:, None] == known.class_ids[None, :]
    mine, theirs = np.nonzero(same)
    smoothed, ids, trails = None, None, None
    if known.smoothed_xy is not None:
        smoothed = found.keypoints_xy.copy()
        smoothed[mine] = known.smoothed_xy[theirs]
    if known.track_ids is not None:
        ids = np.full(len(found), -1, np.int64)
        ids[mine] = known.track_ids[theirs]
    if known.trails is not None:
        of = dict(zip(mine.tolist(), theirs.tolist(), strict=True))
        none = np.zeros((0, 2), np.float32)
        trails = tuple(known.trails[of[i]] if i in of else none for i in range(len(found)))
    return replace(found, smoothed_xy=smoothed, track_ids=ids, trails=trails)


def _seconds(frame: Frame) -> float:
    """Return the time of a frame: media time, or time of capture where there is none."""
    return frame.captured_ns / _NS if frame.position_s is None else frame.position_s
