"""Objects from frame to frame: what the frames before say of the detections of this one.

It adds to detections and changes none: raw keypoints stay, for errors and for result files.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kpviewer.pipeline.smoothing import KeypointSmoother
from kpviewer.structures import Detections, FloatArray, IntArray

if TYPE_CHECKING:
    from kpviewer.runtime.tracking import Tracker
    from kpviewer.structures import Frame

_NS = 1_000_000_000
TRAIL_S = 1.5
"""How far back a trail goes."""


@dataclass(frozen=True, slots=True)
class TrackingOptions:
    """What is asked of the frames before; each costs some time a frame."""

    smooth: bool = False
    """Filter keypoints over time."""
    track: bool = False
    """Give ids that stay with an object, and the trail of each."""


class ObjectTracker:
    """Follows the objects of one stream; for one thread."""

    def __init__(self) -> None:
        self._smoother = KeypointSmoother()
        self._tracker: Tracker | None = None
        self._trails = Trails()
        self._cut: object = None

    def follow(
        self, detections: Detections, frame: Frame, cut: object, options: TrackingOptions
    ) -> Detections:
        """Add to a frame's detections what is asked for.

        Args:
            detections: of the frame.
            frame: the frame after that of the last call.
            cut: equal for frames that follow each other; where it changes all is forgotten.
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
    """Where the objects of a stream were lately, by their ids."""

    def __init__(self) -> None:
        self._places: dict[int, deque[tuple[float, FloatArray]]] = {}

    def update(
        self, xyxy: FloatArray, track_ids: IntArray, time_s: float
    ) -> tuple[FloatArray, ...]:
        """Note a frame's (N, 4) boxes; give each the (T, 2) middles of its last boxes and its own.

        Args:
            xyxy: source px.
            track_ids: (N,); -1 has an empty trail.
            time_s: of the frame.
        """
        middles = (xyxy[:, :2] + xyxy[:, 2:]) / 2
        for track_id, middle in zip(track_ids.tolist(), middles, strict=True):
            if track_id >= 0:
                self._places.setdefault(track_id, deque()).append((time_s, middle))
        for track_id, places in list(self._places.items()):
            while places and places[0][0] < time_s - TRAIL_S:
                places.popleft()
            if not places:
                del self._places[track_id]
        return tuple(self._of(track_id) for track_id in track_ids.tolist())

    def _of(self, track_id: int) -> FloatArray:
        places = self._places.get(track_id, ())
        return np.array([xy for _, xy in places], np.float32).reshape(-1, 2)


def carried_over(known: Detections, found: Detections) -> Detections:
    """Give detections of the same frame what is known of those that came with it.

    A slider that moves on a paused image selects others of its candidates: those that were there
    before keep their ids, trails and smoothed keypoints; the rest has none.

    Args:
        known: as the pipeline gave them.
        found: chosen from the same candidates.
    """
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
    """Give the time that objects move by: that of the media, where there is one."""
    return frame.captured_ns / _NS if frame.position_s is None else frame.position_s
