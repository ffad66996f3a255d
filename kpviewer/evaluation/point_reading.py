"""Runs of a point model on the boxes of the ground truth, or on whole images, and its scores.

The point model is scored alone, without a detector.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from kpviewer.annotations.derived.classes import normalised_name
from kpviewer.annotations.derived.keypoints import align_keypoints
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.evaluation.detections import WARM_UP, rows_by_source
from kpviewer.evaluation.timing import CallTimer, FrameTime, read_image
from kpviewer.metrics.points import PointScore, point_score
from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.networks.points.crops import crops_of, points_from_crops, regions_around
from kpviewer.models.networks.points.network import PointDetector
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import FloatArray, GroundTruth, ImageArray


@dataclass(frozen=True, slots=True, eq=False)
class ObjectPoints:
    """The objects of one image that count, with their predicted points."""

    image: AnnotatedImage
    """The image with these R objects alone."""
    found_xy: FloatArray
    """(R, K, 2) predicted points, px of the image."""


@dataclass(frozen=True, slots=True)
class PointScores:
    """Result of ``score_points``."""

    overall: PointScore
    groups: dict[str, PointScore]
    """Scores by ``AnnotatedImage.source``; empty if there is only one source."""
    object_ms: FrameTime
    """Time for one object, from the image in memory to its points: crop, network, decoding."""
    seen: tuple[ObjectPoints, ...]
    """Predicted points of each image."""


def score_points(
    detector: PointDetector,
    annotations: AnnotationSet,
    *,
    progress: Callable[[int], object] = lambda done: None,
) -> PointScores:
    """Score a point model on every object that a person labelled.

    Args:
        detector: point model on any device; its network is put into evaluation mode.
        annotations: ground truth with the detector's keypoints.
        progress: called after each image with the number of images done.

    Raises:
        DatasetError: if the keypoints are others, no object has a labelled point, or an image
            can't be read.
    """
    names = detector.spec.keypoint_names
    images = usable(detector.spec, annotations).images
    detector.network.eval()
    for image in images[:WARM_UP]:
        read_points(detector, read_image(image), image.targets.xyxy)
    seen: list[ObjectPoints] = []
    timer = CallTimer()
    for image in images:
        bgr, boxes = read_image(image), image.targets.xyxy
        found_xy = timer.measure(len(boxes), read_points, detector, bgr, boxes)
        seen.append(ObjectPoints(image, found_xy))
        progress(len(seen))
    return PointScores(
        overall=_score(seen, names),
        groups={
            source: _score([seen[row] for row in rows], names)
            for source, rows in rows_by_source(images).items()
        },
        object_ms=timer.times(),
        seen=tuple(seen),
    )


def usable(spec: ModelSpec, annotations: AnnotationSet) -> AnnotationSet:
    """Return the images with objects that count, with these objects alone.

    Their keypoints are those of the model, in its order; others are left out, and a note says so.

    Raises:
        DatasetError: if there are none, or the model's keypoints aren't among those of the data.
    """
    fitting = align_keypoints(annotations, spec.keypoint_names)
    wanted, known = (
        set(map(normalised_name, each))
        for each in (spec.keypoint_names, annotations.keypoint_names)
    )
    if not wanted <= known or len(fitting.keypoint_names) != len(spec.keypoint_names):
        raise DatasetError(
            f"{spec.name} places {', '.join(spec.keypoint_names)}; the data set has "
            f"{', '.join(annotations.keypoint_names) or 'no keypoints'}. Use data with the same."
        )
    images = tuple(_counted(fitting))
    if not images:
        raise DatasetError(
            "A data set to score points on must have objects with points labelled by people, got "
            "none."
        )
    return replace(fitting, images=images)


def _score(seen: Sequence[ObjectPoints], keypoint_names: Sequence[str]) -> PointScore:
    found_xy = np.concatenate([one.found_xy for one in seen])
    true = GroundTruth.joined([one.image.targets for one in seen])  # px of each image
    return point_score(found_xy, true, keypoint_names)


@torch.inference_mode()
def read_points(detector: PointDetector, bgr: ImageArray, xyxy: FloatArray) -> FloatArray:
    """Predict the points of N objects of one image.

    Returns:
        (N, K, 2), px of the image.
    """
    device = next(detector.network.parameters()).device
    margin = float(detector.network.crop_margin)
    boxes = torch.from_numpy(xyxy)
    if not margin:
        boxes = boxes.new_tensor([0, 0, bgr.shape[1], bgr.shape[0]]).expand(len(xyxy), 4)
    crop_hw = detector.spec.input_hw
    regions = regions_around(boxes, margin or 1.0, crop_hw)[None].to(device)  # (1, N, 4)
    rgb = torch.from_numpy(bgr).to(device).flip(-1)
    image = Normalisation(detector.spec, device)(rgb.permute(2, 0, 1)[None])  # (1, 3, H, W)
    crops = crops_of(image, regions, crop_hw)[0]  # (N, 3, h, w)
    points_n = detector.points_n(detector.network(crops), crop_hw)
    return points_from_crops(points_n, regions[0]).cpu().numpy()


def _counted(annotations: AnnotationSet) -> Iterator[AnnotatedImage]:
    """Yield the images with objects that count, with these alone."""
    for image in annotations.images:
        ground_truth = image.targets
        counts = ground_truth.keypoints_visible.any(1) & ~image.pseudo & ~ground_truth.difficult
        if counts.any():
            yield image.take(counts)
