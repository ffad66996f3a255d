"""A training image with its ground truth, on its way through the augmentation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import DatasetError
from kpviewer.sources.images.source import load_image
from kpviewer.sources.opencv import cv2
from kpviewer.structures import BoolArray, FloatArray, ImageArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image and its N objects, with K keypoints each. Coordinates are pixels of ``rgb``."""

    rgb: ImageArray
    """(H, W, 3) uint8."""
    xyxy: FloatArray
    """(N, 4) boxes."""
    class_ids: IntArray
    """(N,) classes."""
    points_xy: FloatArray
    """(N, K, 2) keypoints."""
    labelled: BoolArray
    """(N, K): points whose position is known."""
    ignore: BoolArray
    """(N,): objects that are neither positives nor background."""
    proposals_xyxy: FloatArray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    """(M, 4) boxes that were searched for beforehand (``training.data.proposal_cache``), for models
    that learn from them; else M = 0. They follow the augmentation, as objects do."""

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width, px."""
        return self.rgb.shape[0], self.rgb.shape[1]


_OF_OBJECTS = ("xyxy", "class_ids", "points_xy", "labelled", "ignore")
"""Fields with a row for each object, in order."""
LoadSample: TypeAlias = Callable[[AnnotatedImage], Sample]
"""Function that reads an image with its annotations, as ``load_sample`` does."""


def load_sample(item: AnnotatedImage) -> Sample:
    """Read the image of an annotation.

    Raises:
        DatasetError: if the file can't be decoded.
    """
    bgr = load_image(item.path)
    if bgr is None:
        raise DatasetError(f"{item.path} can't be read as an image. Is the file complete?")
    return Sample(
        np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8),
        item.targets.xyxy,
        item.targets.class_ids,
        item.targets.keypoints_xy,
        item.keypoints_labelled,
        item.targets.difficult,
    )


def images_of(samples: Sequence[Sample]) -> Tensor:
    """Return the images of samples of one size as a batch: (B, 3, H, W) uint8."""
    return torch.from_numpy(np.stack([sample.rgb for sample in samples])).permute(0, 3, 1, 2)


def concatenate(rgb: ImageArray, parts: list[Sample]) -> Sample:
    """Return an image with the objects of ``parts``, already in pixels of ``rgb``."""
    names = (*_OF_OBJECTS, "proposals_xyxy")
    return Sample(rgb, *(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def only(sample: Sample, index: int) -> Sample:
    """Return the same image with one of its objects."""
    return replace(
        sample, **{name: getattr(sample, name)[index : index + 1] for name in _OF_OBJECTS}
    )


def shifted(sample: Sample, left: float, top: float) -> Sample:
    """Return the objects in pixels of a canvas on which the sample is at (left, top)."""
    shift = np.array([left, top], np.float32)
    return replace(
        sample,
        xyxy=sample.xyxy + np.tile(shift, 2),
        points_xy=sample.points_xy + shift,
        proposals_xyxy=sample.proposals_xyxy + np.tile(shift, 2),
    )
