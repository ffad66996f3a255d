"""Batches: several images in one run of a model, where that changes no result.

A batch takes other paths through a library than a single image, so the last bits of a result may
differ. Therefore the first batch of each number and size of images is also run one by one.
"""

import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import numpy as np

from kpviewer.structures import Candidates, ImageArray, arrays_of

T = TypeVar("T", bound=tuple[Candidates, Any])

_log = logging.getLogger(__name__)


class Batches:
    """Runs groups of images at once, or one by one where a batch fails or changes a result.

    Args:
        name: name of the model.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_same: dict[Hashable, bool] = {}
        """Whether batches of a number and a size give the results of one by one."""

    def run(
        self,
        images: Sequence[ImageArray],
        sizes: Sequence[tuple[int, int]],
        single: Callable[[ImageArray], T],
        joint: Callable[[Sequence[ImageArray]], list[T] | None],
    ) -> list[T]:
        """Return the result of each image, in order.

        Args:
            images: (H, W, 3) uint8 images.
            sizes: (height, width) of each image's input, px. Those of one size form batches of 2,
                4, 8 and so on.
            single: runs one image.
            joint: runs images of one input size at once; None where that isn't possible now.
        """
        results: dict[int, T] = {}
        for size in dict.fromkeys(sizes):
            rows = [row for row, own in enumerate(sizes) if own == size]
            while rows:
                count = 1 << (len(rows).bit_length() - 1)  # few numbers: each one is compiled
                part, rows = rows[:count], rows[count:]
                group = [images[row] for row in part]
                together = self._tried(group, (count, size), joint)
                found = together
                if found is None or (count, size) not in self._is_same:
                    found = [single(bgr) for bgr in group]
                    if together is not None:
                        self._note(together, found, (count, size))
                results.update(zip(part, found, strict=True))
        return [results[row] for row in range(len(images))]

    def _tried(
        self,
        images: list[ImageArray],
        key: Hashable,
        joint: Callable[[Sequence[ImageArray]], list[T] | None],
    ) -> list[T] | None:
        """Return the results of a batch; None if it can't run, or would change them."""
        if len(images) == 1 or not self._is_same.get(key, True):
            return None
        try:
            return joint(images)
        except Exception as error:  # such as a graph for one image, or too little memory
            _log.info("%s runs one by one: a batch failed (%s)", self._name, error)
            self._is_same[key] = False
            return None

    def _note(self, together: list[T], alone: list[T], key: Hashable) -> None:
        """Note whether a batch gives the results of one by one."""
        pairs = zip(together, alone, strict=True)
        self._is_same[key] = all(is_same(one[0], other[0]) for one, other in pairs)
        if not self._is_same[key]:
            _log.info("%s runs one by one: a batch changes its results", self._name)


def is_same(one: Candidates, other: Candidates) -> bool:
    """Return whether two results are the same to the last bit."""
    mine, others = arrays_of(one), arrays_of(other)
    return mine.keys() == others.keys() and all(
        np.array_equal(mine[name], others[name], equal_nan=True) for name in mine
    )
