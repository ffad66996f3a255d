"""Hierarchical grouping of segments, the core of selective search; it knows nothing of pixels.

Source: Uijlings et al. 2013, Selective Search for Object Recognition, section 3.1, algorithm 1.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.structures import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """R segments of an image that cover it, without gaps."""

    sizes: FloatArray
    """(R,) number of pixels."""
    xyxy: IntArray
    """(R, 4) bounding boxes, px."""
    histograms: FloatArray
    """(R, D): histograms of colour and texture side by side, each of sum 1 in every row."""
    pairs: IntArray
    """(E, 2) segments that touch, each pair once."""


def grouped_xyxy(segments: Segments) -> IntArray:
    """Merge the two most similar neighbours until one region is left.

    Returns:
        (2R - 1, 4) boxes, px: those of the segments, then those of the merged regions in the order
        of the merges. The last is the whole image.
    """
    regions = _Regions(segments)
    neighbours: list[set[int]] = [set() for _ in range(regions.capacity)]
    for one, other in segments.pairs.tolist():
        neighbours[one].add(other)
        neighbours[other].add(one)
    heap = list(_initial_pairs(regions, segments.pairs))
    heapq.heapify(heap)
    is_merged = [False] * regions.capacity
    while heap:
        _, one, other = heapq.heappop(heap)
        if is_merged[one] or is_merged[other]:  # similarities of regions that are gone
            continue
        new = regions.merge(one, other)
        is_merged[one] = is_merged[other] = True
        around = (neighbours[one] | neighbours[other]) - {one, other}
        for each in around:
            neighbours[each] -= {one, other}
            neighbours[each].add(new)
        neighbours[new] = around
        rest = np.array(sorted(around), np.int64)
        for each, value in zip(rest.tolist(), regions.similarities(new, rest), strict=True):
            heapq.heappush(heap, (-value, each, new))
    return regions.xyxy[: regions.count]


def _initial_pairs(regions: _Regions, pairs: IntArray) -> Iterator[tuple[float, int, int]]:
    """Yield entries of the heap for the segments; among equals, the first pair comes first."""
    values = regions.similarities(pairs[:, 0], pairs[:, 1])
    for (one, other), value in zip(pairs.tolist(), values, strict=True):
        yield -value, one, other


class _Regions:
    """Table of the regions: the segments, then a row for each merge."""

    def __init__(self, segments: Segments) -> None:
        self.count = len(segments.sizes)
        self.capacity = max(2 * self.count - 1, 0)
        self._area = float(segments.sizes.sum())
        self._sizes = self._extended(segments.sizes)
        self.xyxy = self._extended(segments.xyxy)
        self._histograms = self._extended(segments.histograms)

    def _extended(self, rows: NDArray[Any]) -> NDArray[Any]:
        table = np.zeros((self.capacity, *rows.shape[1:]), rows.dtype)
        table[: self.count] = rows
        return table

    def similarities(self, ones: int | IntArray, others: IntArray) -> list[float]:
        """Return the sum of the similarities of colour, texture, size and fill (eq. 1 to 6)."""
        alike = np.minimum(self._histograms[ones], self._histograms[others]).sum(1)
        sizes = self._sizes[ones] + self._sizes[others]
        first, second = self.xyxy[ones], self.xyxy[others]
        sides = np.maximum(first, second)[..., 2:] - np.minimum(first, second)[..., :2]
        fill = (sides[..., 0] * sides[..., 1] - sizes) / self._area
        similar: list[float] = (alike + (1 - sizes / self._area) + (1 - fill)).tolist()
        return similar

    def merge(self, one: int, other: int) -> int:
        """Append the union of two regions and return its row."""
        new, sizes = self.count, self._sizes
        sizes[new] = sizes[one] + sizes[other]
        weighted = sizes[one] * self._histograms[one] + sizes[other] * self._histograms[other]
        self._histograms[new] = weighted / sizes[new]
        self.xyxy[new, :2] = np.minimum(self.xyxy[one, :2], self.xyxy[other, :2])
        self.xyxy[new, 2:] = np.maximum(self.xyxy[one, 2:], self.xyxy[other, 2:])
        self.count += 1
        return new
