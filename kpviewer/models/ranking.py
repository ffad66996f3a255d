"""The best candidates of one picture, in a fixed number of rows: what every ``decode`` ends with.

For models whose number of outputs isn't known beforehand; ``models.ssd`` ranks whole batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.models.base import DecodedBatch

MAX_CANDIDATES = 400
"""Rows of a picture that the viewer keeps: ``structures.Candidates``."""


class Rows(NamedTuple):
    """The predictions of one picture, in any order and number. Input pixels."""

    xyxy: Tensor
    """(P, 4) float."""
    scores: Tensor
    """(P, C) float in [0, 1]."""
    keypoints_xy: Tensor
    """(P, K, 2) float."""


def ranked(pictures: Iterable[Rows], input_hw: tuple[int, int], count: int) -> DecodedBatch:
    """Keep the best rows of each picture, by descending best score, and fill up with zeros.

    Args:
        pictures: B of them, each with a number of rows of its own.
        input_hw: input size, px, that boxes are clipped to.
        count: rows that each picture gets.
    """
    chosen = [_best(rows, input_hw, count) for rows in pictures]
    xyxy, scores, points = (torch.stack(parts) for parts in zip(*chosen, strict=True))
    return DecodedBatch(xyxy, scores, points)


def one_hot_scores(scores: Tensor, class_ids: Tensor, num_classes: int) -> Tensor:
    """Put the score of each row into the column of its class.

    Args:
        scores: (P,) float.
        class_ids: (P,) int64; rows of a class outside [0, C) get no score.
        num_classes: C.

    Returns:
        (P, C) float, zero elsewhere.
    """
    table = scores.new_zeros(len(scores), num_classes)
    is_known = (class_ids >= 0) & (class_ids < num_classes)
    ids = class_ids.clamp(0, num_classes - 1)
    return table.scatter(1, ids[:, None], (scores * is_known)[:, None])


def _best(rows: Rows, input_hw: tuple[int, int], count: int) -> Rows:
    best = rows.scores.amax(-1).topk(min(count, len(rows.scores))).indices
    missing = count - len(best)
    height, width = input_hw
    limit = rows.xyxy.new_tensor([width, height, width, height])
    xyxy = torch.minimum(rows.xyxy[best].clamp(min=0), limit)
    return Rows(
        functional.pad(xyxy, (0, 0, 0, missing)),
        functional.pad(rows.scores[best], (0, 0, 0, missing)),
        functional.pad(rows.keypoints_xy[best], (0, 0, 0, 0, 0, missing)),
    )
