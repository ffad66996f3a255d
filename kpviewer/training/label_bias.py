"""Labels of mirrored crops, where sources of images disagree on where a point is.

If the labels of one source lie to the right of where others put them, they lie to the left in its
mirrored crops, and a network that can't tell an image from its mirror image learns the middle.
Moved by twice that, they lie as in all images of the source: crops can be mirrored, and what the
source is like can be learnt all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import DatasetError
from kpviewer.metrics.keypoint import normalisers
from kpviewer.structures import FloatArray
from kpviewer.training.samples import Sample

NamedBias = Mapping[str, Mapping[str, Sequence[float]]]
"""By source and keypoint, x and y: ``bias_by_point`` as ``kpviewer eval --json`` writes it, of a
network that learnt from mirrored crops. Mean of found minus true place, to the right and down, in
the unit of NME."""


class LabelBias:
    """Moves labels of images that will be mirrored, by source; other sources' stay.

    Args:
        named: the bias of each source that has one.
        keypoint_names: K names.
        swap: index that each point takes in a mirrored image.

    Raises:
        DatasetError: if a source hasn't an x and y for each keypoint.
    """

    def __init__(
        self, named: NamedBias, keypoint_names: Sequence[str], swap: Sequence[int]
    ) -> None:
        self._shifts = {
            source: _shift(_array(source, points, keypoint_names), swap)
            for source, points in named.items()
        }

    def before_mirroring(self, sample: Sample, item: AnnotatedImage, row: int) -> Sample:
        """Move the labels of one object, so that they are right once the image is mirrored.

        An object without the length that NME is over stays as it is.

        Args:
            sample: the image with that object alone.
            item: the image's annotation.
            row: of the object in it.
        """
        shift = self._shifts.get(item.source)
        if shift is None:
            return sample
        moved = sample.points_xy + np.nan_to_num(shift * normalisers(item.targets)[row])
        return replace(sample, points_xy=moved)


def _shift(bias: FloatArray, swap: Sequence[int]) -> FloatArray:
    """(K, 2) from the labels of an image to those whose mirror image has the same bias."""
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
