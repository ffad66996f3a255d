"""Objects from frame to frame: what the frames before say of the detections of this one.

It adds to detections and changes none: raw keypoints stay, for errors and for result files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpviewer.pipeline.smoothing import KeypointSmoother

if TYPE_CHECKING:
    from kpviewer.structures import Detections, Frame

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """What is asked of the frames before; each costs some time a frame."""

    smooth: bool = False
    """Filter keypoints over time."""


class Follower:
    """Follows the objects of one stream; for one thread."""

    def __init__(self) -> None:
        self._smoother = KeypointSmoother()
        self._cut: object = None

    def follow(
        self, detections: Detections, frame: Frame, cut: object, options: FollowOptions
    ) -> Detections:
        """Add to a frame's detections what is asked for.

        Args:
            detections: of the frame.
            frame: the frame after that of the last call.
            cut: equal for frames that follow each other; where it changes all is forgotten.
            options: what to add.
        """
        if cut != self._cut:
            self._cut = cut
            self._smoother.reset()
        if not options.smooth:
            self._smoother.reset()
            return detections
        smoothed = self._smoother.smooth(detections, _seconds(frame))
        return replace(detections, smoothed_xy=smoothed)


def _seconds(frame: Frame) -> float:
    """Give the time that objects move by: that of the media, where there is one."""
    return frame.captured_ns / _NS if frame.position_s is None else frame.position_s
