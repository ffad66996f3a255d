"""Results of a frame at other thresholds, without running the model again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpviewer.metrics.frame_error import frame_error
from kpviewer.models.selection import of_shown_classes, select_again
from kpviewer.models.spec import Task
from kpviewer.pipeline.results.tracking import with_tracks_of
from kpviewer.structures import Candidates, Detections

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpviewer.models.spec import ModelSpec
    from kpviewer.pipeline.results.comparing import SecondModel
    from kpviewer.structures import FrameError, FrameResult, GroundTruth, Thresholds


def reselected(
    result: FrameResult,
    thresholds: Thresholds,
    spec: ModelSpec,
    second: SecondModel | None = None,
    known: Detections | None = None,
) -> FrameResult:
    """Return the result of the same frame at other thresholds, from its candidates.

    Args:
        result: result of the frame at any thresholds.
        thresholds: thresholds to select by.
        spec: the model that found the candidates.
        second: the second model, at its present thresholds; None compares with none.
        known: detections with the track ids, trails and smoothed keypoints to keep; None takes
            those of ``result``, where thresholds between may have dropped some.
    """
    detections = select_again(result.candidates, thresholds)
    second_result = None
    if second is not None and result.second is not None:
        second_result = second.reselect(result.second, detections, spec)
    return replace(
        result,
        detections=with_tracks_of(result.detections if known is None else known, detections),
        error=error_of(detections, result.frame.ground_truth, thresholds, spec),
        second=second_result,
        thresholds=thresholds,
    )


def of_models(
    result: FrameResult,
    first: Callable[[object], bool],
    second: Callable[[object], bool] | None,
) -> FrameResult:
    """Return a result without what other models found.

    Args:
        result: result of any models.
        first: returns whether the first model found a result with a description.
        second: likewise; None is no model.
    """
    if result.spec is not None and not first(result.spec):
        return replace(
            result,
            candidates=Candidates.empty(),
            detections=Detections.empty(),
            error=None,
            has_model=False,
            second=None,
            spec=None,
            thresholds=None,
        )
    its = result.second
    is_kept = its is None or its.spec is None or (second is not None and second(its.spec))
    return result if is_kept else replace(result, second=None)


def error_of(
    detections: Detections,
    ground_truth: GroundTruth | None,
    thresholds: Thresholds,
    spec: ModelSpec,
) -> FrameError | None:
    """Return the error of detections against the ground truth of their frame.

    Returns:
        None if there is no ground truth, or if the model predicts no boxes.
    """
    if ground_truth is None or spec.task is Task.CLASSIFY:
        return None
    return frame_error(detections, of_shown_classes(ground_truth, thresholds))
