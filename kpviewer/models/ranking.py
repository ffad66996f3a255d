"""Candidates of models in files, as NumPy arrays: what readers return, and the best of them.

Nothing here needs torch. ``models.networks.ranking`` does the same for networks of torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kpviewer.structures import FloatArray, IntArray

MAX_CANDIDATES = 400
"""Most candidates per image of models that predict an object a few times."""
MAX_DENSE_CANDIDATES = 4000
"""Most candidates per image of dense heads, which predict each object of a crowd many times."""
LEAST_SCORE = 0.001
"""Rows below it aren't worth keeping: detectors are scored down to it, as COCO's tools do."""
FARTHEST_PX = 1e5
"""Largest coordinate, px: boxes and keypoints may leave the input but must be drawable."""


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """Masks of P predictions of one image: a mask is where a map is above a limit, within the box.

    Each prediction has a map of its own, or one mixed from prototypes that all of them use. Source:
    Bolya et al. 2019, YOLACT, eq. 1 (arXiv:1904.02689); its logistic function is above 0.5 there.
    """

    maps: FloatArray
    """(N, h, w) float32 maps over the whole input; with coefficients, (D, h, w) prototypes."""
    input_hw: tuple[int, int]
    """Height and width of the input, px."""
    coefficients: FloatArray | None = None
    """(P, D) float32; None: each prediction has a map."""
    limit: float = 0.0
    """Value above which a pixel belongs to the mask."""
    own: IntArray | None = None
    """(P,) index of each prediction's map; None: they are in order."""

    def __getitem__(self, rows: IntArray) -> Masks:
        if self.coefficients is not None:
            return replace(self, coefficients=self.coefficients[rows])
        return replace(self, own=rows if self.own is None else self.own[rows])  # maps may be large

    def levels(self, row: int, window: tuple[slice, slice]) -> FloatArray:
        """Return how far a prediction's map is above the limit, in a window of rows and columns.

        BLAS isn't used: its threads would keep the cores busy that the network needs.
        """
        if self.coefficients is None:
            found = self.maps[row if self.own is None else self.own[row]][window]
        else:
            found = np.einsum("d,dhw->hw", self.coefficients[row], self.maps[:, *window])
        return np.asarray(found - self.limit, np.float32)


class Rows(NamedTuple):
    """Predictions of one image in input px, in any order and number."""

    xyxy: FloatArray
    """(P, 4) float32 boxes."""
    scores: FloatArray
    """(P, C) float32 class scores in [0, 1]."""
    keypoints_xy: FloatArray
    """(P, K, 2) float32 keypoints."""
    keypoint_scores: FloatArray | None = None
    """(P, K) float32 in [0, 1]; None if the model predicts none."""
    overlaps: FloatArray | None = None
    """(P,) float32 as in ``models.base.DecodedBatch``."""
    outlines_xy: FloatArray | None = None
    """(P, V, 2) float32 corners of the objects, such as of rotated boxes; None: the boxes'."""
    masks: Masks | None = None
    """What the objects cover; None if the model predicts no masks."""

    def take(self, rows: IntArray) -> Rows:
        """Return some of the predictions, in the order of their indices."""
        return Rows(*(None if part is None else part[rows] for part in self))  # type: ignore[arg-type]


class DecodedArrays(NamedTuple):
    """Candidates of a batch in input px, padded with rows of score 0.

    The fields are those of ``models.base.DecodedBatch``, as float32 arrays.
    """

    xyxy: FloatArray
    scores: FloatArray
    keypoints_xy: FloatArray
    keypoint_scores: FloatArray | None = None
    overlaps: FloatArray | None = None
    outlines_xy: FloatArray | None = None
    """(B, M, V, 2) float32 as in ``Rows``."""
    masks: tuple[Masks, ...] = ()
    """Masks of each image, without padding; empty if the model predicts none."""


def dense(images: Sequence[Rows]) -> DecodedArrays:
    """Keep all rows of each image that a slider may show, best first, at most 4,000.

    Rows with values that aren't finite are left out. Boxes aren't clipped: overlaps are those of
    whole boxes.

    Args:
        images: predictions of B images, each with its own number of rows.

    Returns:
        As many rows as the fullest image has, at least one.
    """
    chosen = [_best(rows) for rows in images]
    count = max([1, *(len(each.xyxy) for each in chosen)])
    fields = Rows._fields[:-1]
    parts = [_stacked([getattr(each, name) for each in chosen], count) for name in fields]
    masks = tuple(each.masks for each in chosen if each.masks is not None)
    return DecodedArrays(*parts, masks)  # type: ignore[arg-type, call-arg]


def largest(values: FloatArray, count: int) -> IntArray:
    """Return the indices of the ``count`` largest of (N,) values, the largest first."""
    if count < len(values):
        some = np.sort(np.argpartition(-values, count - 1)[:count]) if count else np.arange(0)
    else:
        some = np.arange(len(values))
    indices: IntArray = some[np.argsort(-values[some], kind="stable")]
    return indices


def one_hot_scores(scores: FloatArray, class_ids: IntArray, num_classes: int) -> FloatArray:
    """Put the score of each row into the column of its class.

    Args:
        scores: (P,) float scores.
        class_ids: (P,) integers; rows of a class outside [0, C) get no score.
        num_classes: number of classes C.

    Returns:
        (P, C) float32, zero elsewhere.
    """
    table = np.zeros((len(scores), num_classes), np.float32)
    known = np.flatnonzero((class_ids >= 0) & (class_ids < num_classes))
    table[known, class_ids[known]] = scores[known]
    return table


def _best(rows: Rows) -> Rows:
    """Return the finite rows of at least the least score, best first."""
    ranks = rows.scores.max(-1)
    rows, ranks = rows.take(found := np.flatnonzero(ranks >= LEAST_SCORE)), ranks[found]
    with np.errstate(invalid="ignore"):  # of infinities, whose rows go
        totals = rows.xyxy.sum(1) + rows.scores.sum(1) + rows.keypoints_xy.sum((1, 2))
    finite = np.flatnonzero(np.isfinite(totals))
    rows = rows.take(finite[largest(ranks[finite], MAX_DENSE_CANDIDATES)])
    points, outlines = rows.keypoint_scores, rows.outlines_xy
    return rows._replace(
        xyxy=rows.xyxy.clip(-FARTHEST_PX, FARTHEST_PX),
        outlines_xy=None if outlines is None else outlines.clip(-FARTHEST_PX, FARTHEST_PX),
        keypoints_xy=rows.keypoints_xy.clip(-FARTHEST_PX, FARTHEST_PX),
        keypoint_scores=None if points is None else np.nan_to_num(points, nan=0.0).clip(0, 1),
    )


def _stacked(parts: Sequence[FloatArray | None], count: int) -> FloatArray | None:
    """Return (N, ...) arrays of several images as (B, count, ...) float32, padded with zeros."""
    table: FloatArray | None = None
    for image, part in enumerate(parts):
        if part is None:
            return None
        if table is None:
            table = np.zeros((len(parts), count, *part.shape[1:]), np.float32)
        table[image, : len(part)] = part
    return table
