"""Clusters of the sizes of a data set's boxes, as anchors: k-means whose distance is 1 - IoU.

Euclidean distance would favour large boxes; libraries' k-means has no other.

Source: Redmon & Farhadi 2017, YOLO9000 (arXiv:1612.08242), section 2, "Dimension Clusters".
"""

from typing import NamedTuple

import numpy as np

from kpviewer.annotations.reading.values import size_of_image
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import FloatArray

_MOST_BOXES = 20_000
"""Most boxes to cluster, drawn at random."""
_STARTS = 10
"""Number of starts; the best clusters are kept."""
_MOST_ROUNDS = 100


class BoxClusters(NamedTuple):
    """Sizes that represent a set of boxes."""

    sizes_wh: FloatArray
    """(K, 2) width and height, px, by ascending area."""
    mean_iou: float
    """Mean over the boxes of the IoU with the nearest size, both centred on one point."""


def input_sizes(data: AnnotationSet, spec: ModelSpec) -> FloatArray:
    """Return the sizes of all boxes in the model's input: (N, 2) width and height, px.

    Difficult objects and boxes without area are left out.

    Raises:
        DatasetError: if the size of an image can't be read.
    """
    sizes = [_input_sizes(image, spec) for image in data.images if len(image.targets)]
    every = np.concatenate([np.zeros((0, 2), np.float32), *sizes])
    return every[(every > 0).all(1)]


def _input_sizes(image: AnnotatedImage, spec: ModelSpec) -> FloatArray:
    width, height = image.size_wh
    if (width, height) == (0, 0):
        width, height = size_of_image(image.path, image.path.name)
    box = letterbox_of(spec, (height, width))
    corners = image.targets.xyxy[~image.targets.difficult]
    scale = np.array([box.scale_x, box.scale_y], np.float32)
    return np.asarray((corners[:, 2:] - corners[:, :2]) * scale, np.float32)


def cluster_boxes(sizes_wh: FloatArray, count: int, seed: int) -> BoxClusters:
    """Find the sizes whose IoU with the boxes is largest.

    Args:
        sizes_wh: (N, 2) width and height of boxes, px, above 0.
        count: number of clusters K.
        seed: seed of the starts.

    Raises:
        DatasetError: if the boxes have fewer than K different sizes, or 20,000 drawn ones have.
    """
    rng = np.random.default_rng(seed)
    if len(sizes_wh) > _MOST_BOXES:
        sizes_wh = sizes_wh[rng.choice(len(sizes_wh), _MOST_BOXES, replace=False)]
    different = len(np.unique(sizes_wh, axis=0))
    if different < count:
        raise DatasetError(
            f"anchors=auto must have boxes of at least {count} different sizes, got {different}. "
            "Annotate more images, or set anchors=coco."
        )
    found = [_clusters(sizes_wh, _spread(sizes_wh, count, rng)) for _ in range(_STARTS)]
    best = max(found, key=lambda clusters: clusters.mean_iou)
    return best._replace(sizes_wh=best.sizes_wh[np.argsort(best.sizes_wh.prod(1))])


def size_iou(a_wh: FloatArray, b_wh: FloatArray) -> FloatArray:
    """Return the IoU of (N, 2) and (K, 2) sizes with a common centre: (N, K)."""
    shared = np.minimum(a_wh[:, None], b_wh).prod(-1)
    union = a_wh.prod(-1)[:, None] + b_wh.prod(-1) - shared
    return np.asarray(shared / union)


def mean_best_iou(boxes_wh: FloatArray, sizes_wh: FloatArray) -> float:
    """Return the mean over (N, 2) boxes of the IoU with the nearest of (K, 2) sizes."""
    return float(size_iou(boxes_wh, sizes_wh).max(1).mean())


def _spread(sizes_wh: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Draw sizes far from each other, with the square of the distance as weight.

    Source: Arthur & Vassilvitskii 2007, k-means++, section 2.2.
    """
    chosen = [int(rng.integers(len(sizes_wh)))]
    distance = np.ones(len(sizes_wh))
    while len(chosen) < count:
        nearest = 1 - size_iou(sizes_wh, sizes_wh[chosen[-1:]])[:, 0]
        distance = np.minimum(distance, nearest.clip(0))
        distance[chosen] = 0
        weights = distance**2
        if not weights.any():  # the others differ by rounding errors
            weights = np.ones(len(sizes_wh))
            weights[chosen] = 0
        chosen.append(int(rng.choice(len(sizes_wh), p=weights / weights.sum())))
    return sizes_wh[chosen]


def _clusters(sizes_wh: FloatArray, centres_wh: FloatArray) -> BoxClusters:
    """Move each centre to the mean of its boxes until none changes its centre."""
    before = np.full(len(sizes_wh), -1)
    for _ in range(_MOST_ROUNDS):
        nearest = size_iou(sizes_wh, centres_wh).argmax(1)
        if (nearest == before).all():
            break
        before = nearest
        members = [sizes_wh[nearest == index] for index in range(len(centres_wh))]
        centres_wh = np.stack(
            [
                each.mean(0) if len(each) else old
                for each, old in zip(members, centres_wh, strict=True)
            ]
        )
    return BoxClusters(centres_wh, mean_best_iou(sizes_wh, centres_wh))
