"""Hand-made frames and results, and a reader of video files, for tests."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import av
import numpy as np

from kpviewer.structures import (
    BoolArray,
    Candidates,
    Detections,
    FloatArray,
    Frame,
    FrameResult,
    GroundTruth,
    ImageArray,
    IntArray,
    StageTimings,
    StreamInfo,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

GREY = 128


def info(*, is_live: bool = True, fps: float | None = 30.0) -> StreamInfo:
    return StreamInfo("clip.mp4", 64, 48, fps, None, is_live=is_live, is_seekable=not is_live)


def detections(
    boxes: Sequence[tuple[float, float, float, float]] = (),
    scores: Sequence[float] | None = None,
    class_ids: Sequence[int] | None = None,
    points: Sequence[Sequence[tuple[float, float]]] | None = None,
    point_scores: Sequence[Sequence[float]] | None = None,
    keypoint_threshold: float = 0.5,
) -> Detections:
    """Return detections; by default with score 0.9, class 0 and no keypoints, or none scored."""
    count = len(boxes)
    keypoints = np.array(points, np.float32) if points else np.zeros((count, 0, 2), np.float32)
    return Detections(
        np.array(boxes, np.float32).reshape(count, 4),
        np.array([0.9] * count if scores is None else scores, np.float32),
        np.array([0] * count if class_ids is None else class_ids, np.int64),
        keypoints,
        np.full(keypoints.shape[:2], np.nan, np.float32)
        if point_scores is None
        else np.array(point_scores, np.float32),
        keypoint_threshold=keypoint_threshold,
    )


def ground_truth(box: tuple[float, float, float, float], point: tuple[float, float]) -> GroundTruth:
    """Return one object of class 0 with one visible keypoint."""
    return GroundTruth(
        np.array([box], np.float32),
        np.zeros(1, np.int64),
        np.array([[point]], np.float32),
        np.ones((1, 1), np.bool_),
        np.zeros(1, np.bool_),
    )


def objects(
    boxes: Sequence[Sequence[float]] | FloatArray,
    class_ids: Sequence[int] | IntArray | None = None,
    difficult: Sequence[bool] | BoolArray | None = None,
) -> GroundTruth:
    """Return objects without keypoints; by default of class 0, and none of them difficult."""
    count = len(boxes)
    return GroundTruth(
        np.array(boxes, np.float32).reshape(count, 4),
        np.array([0] * count if class_ids is None else class_ids, np.int64),
        np.zeros((count, 0, 2), np.float32),
        np.zeros((count, 0), np.bool_),
        np.array([False] * count if difficult is None else difficult, np.bool_),
    )


@dataclass
class CountedLease:
    """Lease that only counts its holders."""

    holders: int = 0

    def retain(self) -> None:
        self.holders += 1

    def release(self) -> None:
        self.holders -= 1
        assert self.holders >= 0, "released more often than retained"


def result(
    found: Detections | None = None,
    *,
    index: int = 0,
    time_s: float = 0.0,
    size_hw: tuple[int, int] = (48, 64),
    targets: GroundTruth | None = None,
    bgr: ImageArray | None = None,
    lease: CountedLease | None = None,
) -> FrameResult:
    """Return the result of a grey frame, with ``time_s`` as time of capture and media time."""
    image = np.full((*size_hw, 3), GREY, np.uint8) if bgr is None else bgr
    frame = Frame(index, round(time_s * 1e9), time_s, image, targets, lease)
    return FrameResult(
        frame, Candidates.empty(), Detections.empty() if found is None else found, StageTimings()
    )


class VideoFacts(NamedTuple):
    """Content of a video file by FFmpeg."""

    times_s: list[float]
    key_times_s: list[float]
    duration_s: float
    size_wh: tuple[int, int]
    pixels: ImageArray
    """(N, H, W, 3) uint8 BGR."""


def read_video(path: Path) -> VideoFacts:
    """Decode a file as far as it goes; a damaged end is not an error."""
    frames, times, keys = [], [], []
    with av.open(str(path)) as container:
        try:
            for frame in container.decode(video=0):
                times.append(float(frame.time))
                keys.extend([float(frame.time)] * frame.key_frame)
                frames.append(frame.to_ndarray(format="bgr24"))
        except av.FFmpegError:
            assert frames, "not a single frame can be played"
        duration_s = float(Fraction(container.duration, av.time_base))
    height, width = frames[0].shape[:2]
    return VideoFacts(times, keys, duration_s, (width, height), np.stack(frames))
