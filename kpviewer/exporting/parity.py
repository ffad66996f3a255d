"""Comparison of an exported file with torch, on images."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kpviewer.errors import KpviewerError
from kpviewer.geometry import iou_matrix
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.networks.grid import GRID_ARCHITECTURES
from kpviewer.models.ranking import LEAST_SCORE
from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.sources.base import new_image
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.synthetic.strip.demo import StripSource
from kpviewer.structures import Detections, FloatArray, ImageArray, Thresholds

SAME_IOU = 0.5
"""Least overlap of a detection with its counterpart."""
RUNS = 15
"""Most timed runs of each."""
TIMING_S = 5.0
"""Time after which no other run begins, s."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Largest differences of a file that is kept."""

    shift_px: float
    """Shift of a corner or keypoint, px of the input."""
    shift_share: float
    """Shift of a corner or keypoint as a share of the box's longer side, for large boxes."""
    score: float
    unmatched: float
    """Share of detections without a counterpart."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Largest differences between a file and torch."""

    images: int
    detections: int
    """Number of detections, or of class scores."""
    unmatched: int = 0
    """Number of detections of either without a counterpart."""
    box_px: float = 0.0
    """Shift of a corner, px of the input."""
    keypoint_px: float = 0.0
    score: float = 0.0
    excess: float = 0.0
    """Shift of a corner or keypoint over what is allowed for its box."""
    is_below: bool = False
    """Whether no score reaches the model's threshold, so that lower ones were compared."""

    def check(self, limits: Limits) -> None:
        """Raise KpviewerError if a difference exceeds its limit."""
        if not self.detections:
            raise KpviewerError(
                "The model detects nothing on these images, so the file can't be compared. "
                "Give images with its objects: --data SPEC."
            )
        unmatched = self.unmatched > limits.unmatched * self.detections
        if self.excess > 1 or unmatched or self.score > limits.score:
            cure = (
                "No score reaches the model's threshold; among low, nearly equal ones, rounding "
                "may prefer others. Train it further, or give images with its objects: --data SPEC."
                if self.is_below
                else "Try without --half or --int8, or report the model."
            )
            raise KpviewerError(
                f"The file doesn't detect the same as torch: {self}. No file was written. {cure}"
            )

    def __str__(self) -> str:
        """Return the differences in words."""
        parts = [f"boxes within {self.box_px:.2g} px", f"scores within {self.score:.2g}"]
        if self.keypoint_px:
            parts.append(f"keypoints within {self.keypoint_px:.2g} px")
        if self.unmatched:
            parts.append(f"{self.unmatched} of {self.detections} detections without a counterpart")
        return ", ".join(parts)


def compared(
    expected: InferenceEngine, given: InferenceEngine, images: Sequence[ImageArray], limits: Limits
) -> Parity:
    """Compare the detections of two engines at the model's thresholds.

    If there is no detection in any image, they are compared at half of the highest score.

    Args:
        expected: torch, with the same input.
        given: exported file.
        images: (H, W, 3) uint8 BGR images.
        limits: limits that the result will be checked with; a detection may be that much below
            the threshold in the other.
    """
    spec = expected.spec
    pairs = [(expected.infer(bgr)[0], given.infer(bgr)[0]) for bgr in images]
    if spec.task is Task.CLASSIFY:
        changes = [_gaps(ours.scores[0], theirs.scores[0]).max() for ours, theirs in pairs]
        count = len(images) * len(spec.class_names)
        return Parity(len(images), count, score=float(max(changes)))
    highest = max(float(ours.scores.max(initial=0)) for ours, _ in pairs)
    if highest < LEAST_SCORE:
        return Parity(len(images), 0)
    is_below = highest < spec.score_threshold
    level = highest / 2 if is_below else spec.score_threshold
    parity = Parity(len(images), 0, is_below=is_below)
    for bgr, (ours, theirs) in zip(images, pairs, strict=True):
        box = letterbox_of(spec, (bgr.shape[0], bgr.shape[1]))
        scale = max(box.scale_x, box.scale_y)
        for first, second, of_first, of_second in (
            (ours, theirs, expected.spec, given.spec),
            (theirs, ours, given.spec, expected.spec),
        ):
            found = select(first, replace(of_first.thresholds, score=level))
            others = select(second, _lowered(of_second.thresholds, level - limits.score))
            parity = _merged(parity, found, others, scale, limits)
    return replace(parity, detections=-(-parity.detections // 2))


def median_ms(engines: Sequence[InferenceEngine], bgr: ImageArray) -> list[float]:
    """Return the median time of each engine for an image, in turn, ms."""
    times: list[list[float]] = [[] for _ in engines]
    end = time.perf_counter() + TIMING_S
    while not times[0] or (len(times[0]) < RUNS and time.perf_counter() < end):
        for engine, own in zip(engines, times, strict=True):
            began = time.perf_counter()
            engine.infer(bgr)
            own.append((time.perf_counter() - began) * 1000)
    return [statistics.median(own) for own in times]


def _lowered(thresholds: Thresholds, score: float) -> Thresholds:
    return replace(thresholds, score=min(max(0.0, score), 1.0))


def _merged(
    parity: Parity, found: Detections, others: Detections, scale: float, limits: Limits
) -> Parity:
    """Add the differences of detections to their nearest counterparts of the same class."""
    if not len(found):
        return parity
    ious = iou_matrix(found.xyxy, others.xyxy)
    ious = np.where(found.class_ids[:, None] == others.class_ids[None], ious, 0.0)
    # a box of no area overlaps nothing, itself included
    apart = np.abs(found.xyxy[:, None] - others.xyxy[None]).max(-1, initial=0)
    ious = np.where((apart < 1e-3) & (found.class_ids[:, None] == others.class_ids), 1.0, ious)
    best = ious.argmax(1) if len(others) else np.zeros(len(found), np.int64)
    is_matched = ious.max(1, initial=0) >= SAME_IOU
    rows, nearest = np.flatnonzero(is_matched), best[is_matched]
    sides = np.ptp(found.xyxy[rows].reshape(-1, 2, 2), axis=1).max(1, initial=1)
    corners = np.abs(found.xyxy[rows] - others.xyxy[nearest]).max(1, initial=0)
    points = _gaps(found.keypoints_xy[rows], others.keypoints_xy[nearest]).max((1, 2), initial=0)
    scores = np.abs(found.scores[rows] - others.scores[nearest])
    allowed = np.maximum(limits.shift_px, limits.shift_share * sides * scale)
    excess = np.maximum(corners, points) * scale / allowed
    return replace(
        parity,
        detections=parity.detections + len(found),
        unmatched=parity.unmatched + int((~is_matched).sum()),
        box_px=max(parity.box_px, float(corners.max(initial=0)) * scale),
        keypoint_px=max(parity.keypoint_px, float(points.max(initial=0)) * scale),
        score=max(parity.score, float(scores.max(initial=0))),
        excess=max(parity.excess, float(excess.max(initial=0))),
    )


def _gaps(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return differences; infinite where only one of two values is a number."""
    only_one = np.isnan(first) != np.isnan(second)
    gaps: FloatArray = np.where(only_one, np.inf, np.nan_to_num(np.abs(first - second)))
    return gaps


def demo_images(spec: ModelSpec, count: int) -> list[ImageArray]:
    """Return frames spread over a demo: photographs, or strips for a grid model."""
    source = StripSource() if spec.architecture in GRID_ARCHITECTURES else DemoSource()
    frames = source.open().frame_count or count
    images = []
    for index in range(count):
        source.seek(index * frames // count)
        captured = source.read(new_image)
        assert captured is not None, "the demo has frames"
        images.append(captured.bgr)
    source.close()
    return images
