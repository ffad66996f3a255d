"""Anchors of YOLOv3: sizes of boxes, split over the maps by area."""

from __future__ import annotations

from collections.abc import Sequence

Sizes = Sequence[tuple[float, float]]
"""Widths and heights, input px."""

COCO_ANCHORS: Sizes = (
    (10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326),
)  # fmt: skip
"""Clusters of COCO's boxes at 416 px (arXiv:1804.02767, section 2.3)."""


def by_map(sizes_wh: Sizes, maps: int) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Split sizes evenly over maps, the smallest areas to the finest map.

    Args:
        sizes_wh: widths and heights in any order, a multiple of ``maps``.
        maps: number of maps, fine to coarse.

    Raises:
        ValueError: if they can't be split evenly.
    """
    if not sizes_wh or len(sizes_wh) % maps:
        raise ValueError(f"{len(sizes_wh)} anchors can't be split evenly over {maps} maps")
    ordered = sorted(sizes_wh, key=lambda size: (size[0] * size[1], size))
    count = len(ordered) // maps
    return tuple(tuple(ordered[first : first + count]) for first in range(0, len(ordered), count))
