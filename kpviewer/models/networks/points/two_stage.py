"""Two-stage detector as one network of torch, for export: ``models.top_down`` runs others.

Crops have more pixels than the box detector needs: a face of 40 px in its input has 80 px in the
crop.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.base import DecodedBatch, Detector
from kpviewer.models.networks.boxes import clipped, constant
from kpviewer.models.networks.distinct import distinct
from kpviewer.models.networks.points.crops import crops_of, points_from_crops, regions_around
from kpviewer.models.networks.points.network import PointDetector
from kpviewer.models.spec import ModelSpec
from kpviewer.models.top_down import joined_spec

MAX_CROPS = 8
"""Most objects per image: each takes a run of the point network."""
ZOOM = 2
"""Ratio of the side of the image that crops are cut from to that of the box detector's input."""
_ZOOM_LIMIT_PX = 640
"""Largest input side that is zoomed; crops of larger ones come from the box detector's input."""


class TwoStageHeads(NamedTuple):
    """Outputs of both networks for B images, with R crops each."""

    xyxy: Tensor
    """(B, R, 4) boxes, input px."""
    scores: Tensor
    """(B, R, C) scores by descending best score; 0 for rows without an object."""
    points_xy: Tensor
    """(B, R, K, 2) keypoints, input px."""


class TwoStageNetwork(nn.Module):
    """Network that finds boxes in a shrunk image and points in crops of the best distinct ones.

    Args:
        boxes: box detector.
        points: point detector for crops.
        zoom: side of the input over that of the box detector's.
    """

    def __init__(self, boxes: Detector, points: PointDetector, zoom: int) -> None:
        super().__init__()
        self.box_network, self.point_network = boxes.network, points.network
        self._boxes, self._points, self._zoom = boxes, points, zoom
        self._scale = _ratio(boxes.spec.std, points.spec.std)
        self._shift = _ratio(
            tuple(a - b for a, b in zip(boxes.spec.mean, points.spec.mean, strict=True)),
            points.spec.std,
        )

    def forward(self, images: Tensor) -> TwoStageHeads:
        """(B, 3, H, W), normalised for the box detector, H and W multiples of the zoom -> heads."""
        shrunk = functional.avg_pool2d(images, self._zoom) if self._zoom > 1 else images
        input_hw = (shrunk.shape[2], shrunk.shape[3])
        found = self._boxes.decode(self.box_network(shrunk), input_hw)
        best, is_object = distinct(found.xyxy, MAX_CROPS)
        batch = torch.arange(best.shape[0], device=best.device)[:, None]
        xyxy = found.xyxy[batch, best].float() * self._zoom
        scores = found.scores[batch, best].float() * is_object[..., None]
        crop_hw = self._points.spec.input_hw
        regions = regions_around(xyxy, self.point_network.crop_margin.float(), crop_hw)
        crops = crops_of(self._renormalised(images), regions, crop_hw)  # (B, R, 3, h, w)
        raw = self.point_network.forward_once(
            crops.flatten(0, 1)
        )  # TTA would cost frames per second
        points_n = self._points.points_n(raw, crop_hw)
        points_n = points_n.reshape(*regions.shape[:2], -1, 2)  # (B, R, K, 2)
        return TwoStageHeads(xyxy, scores, points_from_crops(points_n, regions))

    def _renormalised(self, images: Tensor) -> Tensor:
        """Convert images from the box detector's normalisation to the point detector's."""
        if self._scale == (1.0, 1.0, 1.0) and self._shift == (0.0, 0.0, 0.0):
            return images
        scale = constant(images, *self._scale).view(3, 1, 1)
        return images * scale + constant(images, *self._shift).view(3, 1, 1)


class TwoStageDetector:
    """Two detectors combined into one.

    Args:
        boxes: any detector.
        points: point detector for crops of the objects that ``boxes`` finds.
    """

    def __init__(self, boxes: Detector, points: PointDetector) -> None:
        zoom = zoom_of(boxes.spec)
        self.spec = two_stage_spec(boxes.spec, points.spec)
        self.network = TwoStageNetwork(boxes, points, zoom)
        self.network.eval()

    def decode(self, raw: TwoStageHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode to one candidate per crop: at most 8 rows, boxes clipped to the input."""
        return DecodedBatch(clipped(raw.xyxy, input_hw), raw.scores, raw.points_xy)


def zoom_of(boxes: ModelSpec) -> int:
    """Return the ratio of the side of the input to that of the box detector's."""
    return ZOOM if max(boxes.input_hw) <= _ZOOM_LIMIT_PX else 1


def two_stage_spec(boxes: ModelSpec, points: ModelSpec) -> ModelSpec:
    """Return the description of a two-stage detector as one network."""
    zoom = zoom_of(boxes)
    ranges = (*_renamed("box_network", boxes), *_renamed("point_network", points))
    return joined_spec(
        boxes,
        points,
        activation_ranges=ranges,
        input_hw=(boxes.input_hw[0] * zoom, boxes.input_hw[1] * zoom),
        stride=boxes.stride * zoom if boxes.stride else None,
    )


def _renamed(stage: str, spec: ModelSpec) -> tuple[tuple[str, float, float], ...]:
    """Return the ranges of a stage's convolutions by their names in the combined network."""
    return tuple((f"{stage}.{name}", low, high) for name, low, high in spec.activation_ranges)


def _ratio(top: tuple[float, ...], bottom: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a / b for a, b in zip(top, bottom, strict=True))
