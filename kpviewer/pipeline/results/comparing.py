"""A second model on the same frames, and how its detections differ from those of the first.

It runs after the first, in the same thread, so both results always belong to the same frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kpviewer.annotations.derived.classes import matched_classes
from kpviewer.annotations.derived.keypoints import matched_keypoints
from kpviewer.metrics.agreement import as_ground_truth
from kpviewer.metrics.frame_error import frame_error
from kpviewer.models.selection import select, select_again
from kpviewer.structures import (
    Detections,
    FrameError,
    ImageArray,
    SecondResult,
    Thresholds,
)

if TYPE_CHECKING:
    from kpviewer.models.spec import ModelSpec
    from kpviewer.pipeline.clock import Clock
    from kpviewer.pipeline.protocols import InferenceEngine

_NS_A_MS = 1e6


@dataclass(frozen=True, slots=True)
class SecondModel:
    """A model that is compared with the first one."""

    engine: InferenceEngine
    thresholds: Thresholds

    def infer(
        self, bgr: ImageArray, first: Detections, first_spec: ModelSpec, clock: Clock
    ) -> SecondResult:
        """Run on a frame on which the first model has run.

        Args:
            bgr: the frame, (H, W, 3) uint8.
            first: detections of the first model.
            first_spec: description of the first model, for its class names.
            clock: clock that measures the time.
        """
        started_ns = clock.now_ns()
        candidates, _ = self.engine.infer(bgr)
        detections = select(candidates, self.thresholds)
        model_ms = (clock.now_ns() - started_ns) / _NS_A_MS
        differs = self._difference(first, detections, first_spec)
        return SecondResult(candidates, detections, model_ms, differs, self.engine.spec)

    def reselect(
        self, before: SecondResult, first: Detections, first_spec: ModelSpec
    ) -> SecondResult:
        """Select again from the same candidates, beside other detections of the first model."""
        detections = select_again(before.candidates, self.thresholds)
        differs = self._difference(first, detections, first_spec)
        return replace(before, detections=detections, difference=differs)

    def _difference(
        self, first: Detections, second: Detections, first_spec: ModelSpec
    ) -> FrameError:
        spec = self.engine.spec
        points = shared_points(first_spec.keypoint_names, spec.keypoint_names)
        return difference(first, second, first_spec.class_names, spec.class_names, points)


def difference(
    first: Detections,
    second: Detections,
    first_names: tuple[str, ...],
    second_names: tuple[str, ...],
    points: Sequence[int] | None = None,
) -> FrameError:
    """Return how the detections of two models in one frame differ, at an IoU of at least 0.5.

    Classes match by name, whatever its case. Two models of one class each match anyway.

    Args:
        first: detections that serve as ground truth: false negatives are those that only it has.
        second: detections compared with them: false positives are those that only it has.
        first_names: classes of the first model.
        second_names: classes of the second model.
        points: ``shared_points`` of the models.
    """
    shared = shared_ids(first_names, second_names)
    # A class without a counterpart gets an id that the first model lacks: it matches nothing.
    ids = [shared.get(each, len(first_names) + each) for each in second.class_ids.tolist()]
    renamed = replace(second, class_ids=np.array(ids, np.int64))
    expected = as_ground_truth(first)
    return frame_error(renamed, expected if points is None else expected.with_keypoints(points))


def second_thresholds(
    asked: Thresholds, first: ModelSpec, second: ModelSpec, *, is_edited: bool
) -> Thresholds:
    """Return the second model's thresholds.

    Args:
        asked: thresholds of the first model.
        first: the first model.
        second: the second model.
        is_edited: whether the user has set ``asked``; else another model uses its own.
    """
    if second == first:
        return asked
    own = second.thresholds
    shared = shared_ids(first.class_names, second.class_names)
    if is_edited:
        own = replace(
            own,
            score=asked.score,
            iou=asked.iou,
            nms=asked.nms,
            sigma=asked.sigma,
            keypoint=own.keypoint if first.keypoint_threshold is None else asked.keypoint,
            class_scores={
                mine: asked.class_scores[its]
                for mine, its in shared.items()
                if its in asked.class_scores
            },
        )
    if asked.classes is not None:
        every = range(len(second.class_names))
        shown = (mine for mine in every if shared.get(mine) in (None, *asked.classes))
        own = replace(own, classes=frozenset(shown))
    return own


@lru_cache(maxsize=8)
def shared_ids(first: tuple[str, ...], second: tuple[str, ...]) -> Mapping[int, int]:
    """Map class ids of the second model to those of the first, where both have the class."""
    return matched_classes(second, first)


@lru_cache(maxsize=8)
def shared_points(first: tuple[str, ...], second: tuple[str, ...]) -> Sequence[int] | None:
    """Return the first model's keypoint for each of the second's, -1 without; None by position."""
    return matched_keypoints(first, second)
