"""A second model on the same frames: what it sees, and how far that is from what the first sees.

It runs after the first, in the same thread, so both always speak of the same frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kpviewer.metrics.frame_error import frame_error
from kpviewer.models.selection import select
from kpviewer.structures import (
    Detections,
    FrameError,
    GroundTruth,
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
    """The model that is compared with."""

    engine: InferenceEngine
    thresholds: Thresholds

    def look(
        self, bgr: ImageArray, first: Detections, first_spec: ModelSpec, clock: Clock
    ) -> SecondResult:
        """Look at a frame that the first model has looked at.

        Args:
            bgr: (H, W, 3) uint8, the frame.
            first: what the first model detected.
            first_spec: the first model, for the names of its classes.
            clock: that times it.
        """
        started_ns = clock.now_ns()
        candidates, _ = self.engine.infer(bgr)
        detections = select(candidates, self.thresholds)
        model_ms = (clock.now_ns() - started_ns) / _NS_A_MS
        names = (first_spec.class_names, self.engine.spec.class_names)
        return SecondResult(candidates, detections, model_ms, difference(first, detections, *names))

    def look_again(
        self, before: SecondResult, first: Detections, first_spec: ModelSpec
    ) -> SecondResult:
        """Select anew from the candidates that are there, beside other detections of the first."""
        detections = select(before.candidates, self.thresholds)
        names = (first_spec.class_names, self.engine.spec.class_names)
        return replace(
            before, detections=detections, difference=difference(first, detections, *names)
        )


def difference(
    first: Detections,
    second: Detections,
    first_names: tuple[str, ...],
    second_names: tuple[str, ...],
) -> FrameError:
    """Compare what two models detect in one frame, at an IoU of at least 0.5.

    Args:
        first: taken for the ground truth: false negatives are what only it has.
        second: what is compared with it: false positives are what only it has.
        first_names: classes of the first model.
        second_names: classes of the second; those of equal names are the same, and the only class
            of a model is that of the other's only class.
    """
    shared = _shared_ids(first_names, second_names)
    # What has no counterpart gets an id that the first model hasn't, so that it matches nothing.
    ids = [shared.get(each, len(first_names) + each) for each in second.class_ids.tolist()]
    renamed = replace(second, class_ids=np.array(ids, np.int64))
    return frame_error(renamed, _as_ground_truth(first))


def second_thresholds(
    asked: Thresholds, first: ModelSpec, second: ModelSpec, *, is_edited: bool
) -> Thresholds:
    """Give the second model's thresholds.

    Args:
        asked: those of the first model.
        first: the first model.
        second: the second one.
        is_edited: whether the user has set ``asked``; else another model goes by its own.
    """
    if second == first:
        return asked
    own = second.thresholds
    shared = _shared_ids(first.class_names, second.class_names)
    if is_edited:
        own = replace(
            own,
            score=asked.score,
            iou=asked.iou,
            nms=asked.nms,
            sigma=asked.sigma,
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
def _shared_ids(first: tuple[str, ...], second: tuple[str, ...]) -> Mapping[int, int]:
    """Give the first model's class id for those of the second's that it has too."""
    if len(first) == len(second) == 1:
        return {0: 0}
    ids = {name.casefold(): class_id for class_id, name in enumerate(first)}
    return {
        class_id: ids[name.casefold()]
        for class_id, name in enumerate(second)
        if name.casefold() in ids
    }


def _as_ground_truth(detections: Detections) -> GroundTruth:
    visible = np.asarray(np.isfinite(detections.keypoints_xy).all(axis=2), np.bool_)
    return GroundTruth(
        detections.xyxy,
        detections.class_ids,
        detections.keypoints_xy,
        visible,
        np.zeros(len(detections), np.bool_),
    )
