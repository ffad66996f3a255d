"""Labels of mirrored crops, where sources of images disagree on where a point is.

If the labels of one source are too far right, those of its mirrored crops are too far left, and a
network that can't distinguish the two learns the mean. Labels of mirrored crops that are moved by
twice the bias keep the bias of their source: crops can be mirrored, and the bias can be learned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import DatasetError
from kpviewer.metrics.keypoint import normalisers
from kpviewer.structures import FloatArray
from kpviewer.training.data.samples import Sample

NamedBias: TypeAlias = Mapping[str, Mapping[str, tuple[float, float]]]
"""Bias (x, y) by source and keypoint: ``bias_by_point`` of ``kpviewer eval --json``, for a network
that was trained on mirrored crops. It is the mean of prediction minus ground truth, to the right
and down, in the unit of NME."""


class LabelBias:
    """Moves the labels of images that will be mirrored, for each source with a known bias.

    Raises:
        DatasetError: if a source lacks an x and y for a keypoint.
    """

    def __init__(
        self, named: NamedBias, keypoint_names: Sequence[str], swap: Sequence[int]
    ) -> None:
        self._shifts = {
            source: _shift(_array(source, points, keypoint_names), swap)
            for source, points in named.items()
        }

    def before_mirroring(self, sample: Sample, item: AnnotatedImage, row: int) -> Sample:
        """Move the labels of one object to be correct once the image is mirrored.

        An object without the length that NME is normalised by keeps its labels.
        """
        shift = self._shifts.get(item.source)
        if shift is None:
            return sample
        moved = sample.points_xy + np.nan_to_num(shift * normalisers(item.targets)[row])
        return replace(sample, points_xy=moved)


def _shift(bias: FloatArray, swap: Sequence[int]) -> FloatArray:
    """Return the shift (K, 2) of labels after which the mirrored image has the same bias."""
    return bias - bias[list(swap)] * np.array([-1, 1], np.float32)


def _array(source: str, points: object, keypoint_names: Sequence[str]) -> FloatArray:
    found = points if isinstance(points, Mapping) else {}
    pairs = [found.get(name) for name in keypoint_names]
    if len(found) != len(pairs) or not all(map(_is_pair, pairs)):
        raise DatasetError(
            f"mirrored_bias.{source} must have [x, y] for each of {', '.join(keypoint_names)} and "
            f"no other, got {points!r}."
        )
    return np.array(pairs, np.float32)


def _is_pair(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and len(value) == 2
        and all(isinstance(each, int | float) for each in value)
    )
