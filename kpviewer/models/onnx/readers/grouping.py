"""Animals from the peaks of their keypoints, by scores of the lines between two of them.

Source: Cao et al. 2017, part affinity fields (arXiv:1611.08050), section 2.4, with the Hungarian
method for the pairs of a line; sleap-nn 0.3.5, inference/ops/paf.py.
"""

from collections.abc import Sequence

import numpy as np

from kpviewer.structures import BoolArray, FloatArray, IntArray

_LEAST_SCORE = 0.25
"""Score of a line that joins two keypoints of an animal."""
_NO_LINE = 1e6
"""Cost of a pair that isn't one."""


def grouped(
    scores: FloatArray, are_pairs: BoolArray, lines: Sequence[tuple[int, int]], nodes: int
) -> IntArray:
    """Return the peak of each of K keypoints of N animals; -1 where there is none: (N, K).

    Args:
        scores: (L, P, P) scores of each line from each of P peaks to each of P peaks.
        are_pairs: (L, P, P) pairs of peaks that exist.
        lines: first and second keypoint of each of L lines.
        nodes: K.
    """
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 - few files need it

    owner = np.full((nodes, scores.shape[1] if len(scores) else 0), -1)
    count = 0
    for line in _from_root(lines):
        first, second = lines[line]
        cost = np.where(are_pairs[line], -scores[line].astype(np.float64), _NO_LINE)
        starts, ends = linear_sum_assignment(np.nan_to_num(cost, nan=_NO_LINE))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            if cost[start, end] > -_LEAST_SCORE:
                continue
            if owner[first, start] < 0:
                owner[first, start] = count
                count += 1
            owner[second, end] = owner[first, start]
    animals = np.full((count, nodes), -1)
    node, peak = np.nonzero(owner >= 0)
    animals[owner[node, peak], node] = peak
    return animals


def _from_root(lines: Sequence[tuple[int, int]]) -> list[int]:
    """Return the lines that lead away from the first root to each keypoint, the nearest first."""
    targets = {second for _, second in lines}
    reached = [first for first, _ in lines if first not in targets][:1]
    order = []
    for node in reached:  # it grows
        for line, (first, second) in enumerate(lines):
            if first == node and second not in reached:
                reached.append(second)
                order.append(line)
    return order
