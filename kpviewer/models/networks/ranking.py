"""Selection of the best candidates of each image, in a fixed number of rows, by torch.

It serves networks of torch whose number of predictions isn't known beforehand;
``models.networks.ssd.detector`` ranks whole batches, ``models.ranking`` those of models in files.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.base import DecodedBatch
from kpviewer.models.ranking import FARTHEST_PX


class Rows(NamedTuple):
    """Predictions of one image in input px, in any order and number."""

    xyxy: Tensor
    """(P, 4) float boxes."""
    scores: Tensor
    """(P, C) float class scores in [0, 1]."""
    keypoints_xy: Tensor
    """(P, K, 2) float keypoints."""
    keypoint_scores: Tensor | None = None
    """(P, K) float in [0, 1]; None if the model predicts none."""


def ranked(images: Sequence[Rows], count: int) -> DecodedBatch:
    """Keep the ``count`` best rows of each image, by descending best score, padded with zeros.

    Rows with values that aren't finite get score 0. Boxes aren't clipped: overlaps are those of
    whole boxes.
    """
    chosen = [_best(rows, count) for rows in images]
    confidences = [each.keypoint_scores for each in chosen if each.keypoint_scores is not None]
    return DecodedBatch(
        torch.stack([each.xyxy for each in chosen]),
        torch.stack([each.scores for each in chosen]),
        torch.stack([each.keypoints_xy for each in chosen]),
        torch.stack(confidences) if len(confidences) == len(chosen) else None,
    )


def one_hot_scores(scores: Tensor, class_ids: Tensor, num_classes: int) -> Tensor:
    """Put the score of each row into the column of its class.

    Args:
        scores: (P,) float scores.
        class_ids: (P,) int64; rows of a class outside [0, C) get no score.
        num_classes: number of classes C.

    Returns:
        (P, C) float, zero elsewhere.
    """
    table = scores.new_zeros(len(scores), num_classes)
    is_known = (class_ids >= 0) & (class_ids < num_classes)
    ids = class_ids.clamp(0, num_classes - 1)
    return table.scatter(1, ids[:, None], (scores * is_known)[:, None])


def _best(rows: Rows, count: int) -> Rows:
    totals = rows.xyxy.sum(1) + rows.scores.sum(1) + rows.keypoints_xy.flatten(1).sum(1)
    ranks = torch.where(totals.isfinite(), rows.scores.amax(-1), 0.0)
    best = ranks.topk(min(count, len(ranks))).indices
    missing = count - len(best)
    xyxy, scores, points = rows.xyxy[best], rows.scores[best], rows.keypoints_xy[best]
    confidences = rows.keypoint_scores
    if confidences is not None:
        confidences = confidences[best].nan_to_num(0.0).clamp(0, 1)
        confidences = functional.pad(confidences, (0, 0, 0, missing))
    scores = torch.where(totals[best, None].isfinite(), scores, 0.0)
    xyxy = xyxy.nan_to_num(0.0).clamp(-FARTHEST_PX, FARTHEST_PX)
    points = points.nan_to_num(0.0).clamp(-FARTHEST_PX, FARTHEST_PX)
    return Rows(
        functional.pad(xyxy, (0, 0, 0, missing)),
        functional.pad(scores, (0, 0, 0, missing)),
        functional.pad(points, (0, 0, 0, 0, 0, missing)),
        confidences,
    )
