"""A detector made of two: one finds boxes, one reads points in a crop of each.

The points are read from the image at more pixels than the boxes need: a face of 40 px in the
box detector's input is 80 px in the crop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.errors import WeightsError
from kpviewer.models.base import DecodedBatch, Detector
from kpviewer.models.crops import crops_of, points_from_crops, regions_around
from kpviewer.models.distinct import distinct
from kpviewer.models.names import TWO_STAGE, split_two_stage
from kpviewer.models.points import PointDetector
from kpviewer.models.spec import ModelSpec, Task

MAX_CROPS = 8
"""Objects an image: each costs a run of the point network."""
ZOOM = 2
"""Side of the image that crops are cut from over that of the box detector's input."""
_ZOOM_LIMIT_PX = 640
"""Box detectors with larger inputs than this share theirs: twice that would cost more than it
brings."""


class TwoStageHeads(NamedTuple):
    """What both networks say of B images, for R crops of each."""

    xyxy: Tensor
    """(B, R, 4) boxes, px of the input."""
    scores: Tensor
    """(B, R, C), by descending best score; 0 where there is no object left to crop."""
    points_xy: Tensor
    """(B, R, K, 2), px of the input."""


class TwoStageNetwork(nn.Module):
    """Finds boxes in a shrunk image, crops the best distinct ones and reads points in each.

    Args:
        boxes: the box detector.
        points: the point detector, which looks at crops.
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
        """(B, 3, H, W), normalised as the box detector wants it, H and W multiples of the zoom."""
        shrunk = functional.avg_pool2d(images, self._zoom) if self._zoom > 1 else images
        input_hw = (shrunk.shape[2], shrunk.shape[3])
        found = self._boxes.decode(self.box_network(shrunk), input_hw)
        best, is_object = distinct(found.xyxy, MAX_CROPS)
        batch = torch.arange(len(best), device=best.device)[:, None]
        xyxy = found.xyxy[batch, best].float() * self._zoom
        scores = found.scores[batch, best].float() * is_object[..., None]
        crop_hw = self._points.spec.input_hw
        regions = regions_around(xyxy, self.point_network.crop_margin.float(), crop_hw)
        crops = crops_of(self._renormalised(images), regions, crop_hw)  # (B, R, 3, h, w)
        raw = self.point_network.forward_once(crops.flatten(0, 1))  # more would cost frames
        points_n = self._points.points_n(raw, crop_hw)
        points_n = points_n.reshape(*regions.shape[:2], -1, 2)  # (B, R, K, 2)
        return TwoStageHeads(xyxy, scores, points_from_crops(points_n, regions))

    def _renormalised(self, images: Tensor) -> Tensor:
        """From the box detector's mean and deviation of colours to the point detector's."""
        if self._scale == (1.0, 1.0, 1.0) and self._shift == (0.0, 0.0, 0.0):
            return images
        scale = images.new_tensor(self._scale).view(3, 1, 1)
        return images * scale + images.new_tensor(self._shift).view(3, 1, 1)


class TwoStageDetector:
    """Two detectors as one.

    Args:
        boxes: any detector.
        points: reads points of the objects that ``boxes`` finds.

    Raises:
        WeightsError: if ``points`` looks at whole images, not at crops of boxes.
    """

    def __init__(self, boxes: Detector, points: PointDetector) -> None:
        if float(points.network.crop_margin) <= 0:
            raise WeightsError(
                f"{points.spec.name} looks at whole images, so it can't read points in boxes. "
                'Train it on crops of boxes (crop = "box" in the recipe).'
            )
        zoom = ZOOM if max(boxes.spec.input_hw) <= _ZOOM_LIMIT_PX else 1
        self.spec = _spec(boxes.spec, points.spec, zoom)
        self.network = TwoStageNetwork(boxes, points, zoom)
        self.network.eval()

    def decode(self, raw: TwoStageHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Give one candidate a crop: at most 8 rows, boxes clipped to the input."""
        height, width = input_hw
        limit = raw.xyxy.new_tensor([width, height, width, height])
        xyxy = torch.minimum(raw.xyxy.clamp(min=0), limit)
        return DecodedBatch(xyxy, raw.scores, raw.points_xy)


def open_two_stage(name: str, open_model: Callable[[str], Detector]) -> TwoStageDetector:
    """Open ``two-stage:BOXES+POINTS``.

    Args:
        name: BOXES and POINTS are what ``open_model`` takes; POINTS may contain a "+".
        open_model: opens a model by name.

    Raises:
        WeightsError: if one can't be opened, or POINTS is no point model.
    """
    boxes, points = split_two_stage(name)
    if not boxes or not points:
        raise WeightsError(
            f"Two stages are named {TWO_STAGE}BOXES+POINTS, such as "
            f"{TWO_STAGE}face-ssd+points.safetensors; got {name!r}."
        )
    reader = open_model(points)
    if not isinstance(reader, PointDetector):
        raise WeightsError(
            f"The second stage must be a point model, got {points} ({reader.spec.architecture}). "
            "Train one with: kpviewer train face-points"
        )
    return TwoStageDetector(open_model(boxes), reader)


def _spec(boxes: ModelSpec, points: ModelSpec, zoom: int) -> ModelSpec:
    return replace(
        boxes,
        name=f"{boxes.name}+{points.name}",
        architecture="two-stage",
        task=Task.DETECT_KEYPOINTS,
        activation_ranges=(
            *_renamed("box_network", boxes),
            *_renamed("point_network", points),
        ),
        keypoint_names=points.keypoint_names,
        skeleton=points.skeleton,
        mirrored_keypoints=points.mirrored_keypoints,
        input_hw=(boxes.input_hw[0] * zoom, boxes.input_hw[1] * zoom),
        stride=boxes.stride * zoom if boxes.stride else None,
        licence="; ".join(dict.fromkeys(filter(None, (boxes.licence, points.licence)))),
        trained_on="; ".join(dict.fromkeys(filter(None, (boxes.trained_on, points.trained_on)))),
    )


def _renamed(stage: str, spec: ModelSpec) -> tuple[tuple[str, float, float], ...]:
    """The ranges of a stage's convolutions, by their names in the network of both."""
    return tuple((f"{stage}.{name}", low, high) for name, low, high in spec.activation_ranges)


def _ratio(top: tuple[float, ...], bottom: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(a / b for a, b in zip(top, bottom, strict=True))
