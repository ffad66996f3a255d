"""Object tracking by ByteTrack of the package ``trackers``: ids that persist from frame to frame.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022,
arXiv:2110.06864. Detections below the user's threshold aren't tracked. Of ByteTrack's two rounds of
matching only the first is therefore used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import kpviewer.sources.opencv  # noqa: F401 - trackers imports cv2, which needs its guard first
from kpviewer.structures import Detections, IntArray

if TYPE_CHECKING:
    from trackers import ByteTrackTracker

LOST_AFTER_S = 1.0
"""Time after which a lost object returns with another id."""
_STEPS_PER_S = 30
"""Steps per second of the package's motion model, which gets times in seconds."""
_LEAST_IOU = 0.1
"""Least IoU of a detection with its track's predicted box."""
_LEAST_FRAMES = 2
"""Frames that an object must be detected in before it gets an id."""


class Tracker:
    """Tracker of one stream's detections. The same frames get the same ids.

    The first ``update`` imports the package, which takes 0.6 s of one core.
    """

    def __init__(self) -> None:
        self._tracker: ByteTrackTracker | None = None
        self._last_s = -np.inf
        self._first_id, self._next_id = 1, 1

    def reset(self) -> None:
        """Forget all tracks, after a cut or a seek. No id is reused."""
        self._tracker = None
        self._last_s = -np.inf
        self._first_id = self._next_id

    def update(self, detections: Detections, time_s: float) -> IntArray:
        """Return the track ids of a frame's detections, (N,), from 1; -1 for one without an id yet.

        Args:
            detections: detections of any class; an object that changes its class keeps its id.
            time_s: time of the frame, s. A frame not later than the last one starts new tracks.
        """
        import supervision  # noqa: PLC0415 - only tracking waits for it

        if time_s <= self._last_s:
            self.reset()
        if self._tracker is None:
            self._tracker = _new_tracker()
        self._last_s = time_s
        ids = np.full(len(detections), -1, np.int64)
        rows = np.flatnonzero(np.isfinite(detections.xyxy).all(axis=1))
        given = supervision.Detections.empty()
        if len(rows):
            given = supervision.Detections(
                detections.xyxy[rows], confidence=detections.scores[rows], data={"row": rows}
            )
        found = self._tracker.update(given, timestamp=time_s)
        if len(rows) and found.tracker_id is not None:
            own = np.asarray(found.tracker_id, np.int64)
            ids[found.data["row"]] = np.where(own >= 0, own + self._first_id, -1)
        self._next_id = max(self._next_id, int(ids.max(initial=0)) + 1)
        return ids


def import_tracker() -> None:
    """Import the package, so that no frame waits for it later. Any thread may call this."""
    import supervision  # noqa: F401, PLC0415
    from trackers import ByteTrackTracker  # noqa: F401, PLC0415


def _new_tracker() -> ByteTrackTracker:
    from trackers import ByteTrackTracker  # noqa: PLC0415 - as above

    return ByteTrackTracker(
        lost_track_buffer=round(LOST_AFTER_S * _STEPS_PER_S),
        frame_rate=_STEPS_PER_S,
        track_activation_threshold=0.0,
        high_conf_det_threshold=0.0,
        minimum_consecutive_frames=_LEAST_FRAMES,
        minimum_iou_threshold=_LEAST_IOU,
    )
