"""How two models differ in every frame that both were run on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpviewer.scanning.frame_errors import FrameErrors
from kpviewer.scanning.ground_truth import GroundTruthColumns
from kpviewer.scanning.matches import joined, scan_matches
from kpviewer.scanning.matching import renamed
from kpviewer.scanning.selection import Survivors, shown
from kpviewer.structures import GroundTruth, Thresholds


def differences(
    first: Sequence[Survivors],
    second: Sequence[Survivors],
    thresholds: tuple[Thresholds, Thresholds],
    shared_ids: Mapping[int, int],
    points: Sequence[int] | None = None,
) -> FrameErrors | None:
    """Compare the detections of two models, as ``pipeline.results.comparing.difference`` does.

    Args:
        first: survivors of the first model; they serve as ground truth.
        second: survivors of the second model.
        thresholds: thresholds of both.
        shared_ids: class ids of the second model to those of the first, where both have the class.
        points: ``pipeline.results.comparing.shared_points`` of the models.

    Returns:
        Errors of the second model in the frames that both were run on: false negatives are those
        that only the first has. None without such a frame.
    """
    if not first:
        return None
    truth = _as_ground_truth(first, thresholds[0])
    if points is not None:
        truth = replace(truth, objects=truth.objects.with_keypoints(points))
    num_classes = max(part.columns.num_classes for part in first)
    everything = Thresholds(score=0.0, keypoint=thresholds[1].keypoint)
    parts = []
    for part in second:
        found = _shown(part, thresholds[1])
        ids = renamed(found.class_ids, shared_ids, num_classes)
        parts.append(scan_matches(replace(found, class_ids=ids), truth, None))
    parts = [part for part in parts if len(part)]
    return joined(parts).errors(everything) if parts else None


def _shown(survivors: Survivors, thresholds: Thresholds) -> Survivors:
    """Return the survivors that are detections."""
    rows = np.flatnonzero(shown(survivors, thresholds))
    return replace(
        survivors,
        starts=np.searchsorted(rows, survivors.starts),
        frame_rows=survivors.frame_rows[rows],
        candidate_rows=survivors.candidate_rows[rows],
        class_ids=survivors.class_ids[rows],
        scores=survivors.scores[rows],
    )


def _as_ground_truth(parts: Sequence[Survivors], thresholds: Thresholds) -> GroundTruthColumns:
    """Return detections as the ground truth that others are compared with."""
    found = [_shown(part, thresholds) for part in parts]
    firsts = np.cumsum([0, *(len(part.columns) for part in found)])
    return GroundTruthColumns(
        frame_index=np.concatenate([part.columns.frame_index for part in found]),
        frame_rows=np.concatenate(
            [part.frame_rows + at for part, at in zip(found, firsts, strict=False)]
        ),
        objects=GroundTruth.joined([_objects(part, thresholds.keypoint) for part in found]),
        labelled=(None,),
        labelled_rows=np.zeros(firsts[-1], np.int64),
    )


def _objects(found: Survivors, keypoint_score: float) -> GroundTruth:
    columns, rows = found.columns, found.candidate_rows
    keypoints_xy, scores = columns.keypoints_xy[rows], columns.keypoint_scores
    is_visible = np.asarray(np.isfinite(keypoints_xy).all(axis=2))
    if scores is not None:
        is_visible &= ~(scores[rows] < np.float32(keypoint_score))
    is_difficult = np.zeros(len(found.class_ids), np.bool_)
    objects = GroundTruth(found.xyxy, found.class_ids, keypoints_xy, is_visible, is_difficult)
    return replace(objects, outlines_xy=columns.outlines_of(rows))
