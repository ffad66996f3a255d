"""Keypoint models of other makers that read crops: of a detector's boxes, or the whole image.

Images come at their own size. The detector gets them resized as its description says, and crops are
cut from the original pixels, as the makers' own programs do.

Source of the crops: mmpose, projects/rtmpose, examples/onnxruntime/main.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from kpviewer.models.base import DecodedBatch, Detector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.inputs.resizing import resized
from kpviewer.models.networks.points.two_stage_spec import joined_spec
from kpviewer.models.networks.ranking import one_hot_scores
from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec, Resize, Sampling, Task
from kpviewer.structures import Candidates, Detections, NmsKind

MAX_OBJECTS = 300
"""Largest number of crops of an image."""
LARGEST_HW = (2160, 3840)
"""Images above this size are shrunk first, px."""
MARGIN = 1.25
"""Side of a crop over that of the box."""
_CROPS_AT_ONCE = 16
_LEAST_SCORE = 0.25
"""Boxes above it, or above half the detector's own threshold, get a crop."""


@dataclass(frozen=True)
class CropReader:
    """A network that reads keypoints in crops."""

    spec: ModelSpec
    """Description of the network; its input is a crop."""
    network: nn.Module
    read: Callable[[Any, tuple[int, int]], tuple[Tensor, Tensor]]
    """Returns (R, K, 2) positions, px of the crop, and (R, K) scores from the network's output."""


class TopDownHeads(NamedTuple):
    """Objects of B images with their keypoints, px of the input, padded with rows of score 0."""

    xyxy: Tensor
    """(B, R, 4) boxes."""
    scores: Tensor
    """(B, R, C) class scores."""
    points_xy: Tensor
    """(B, R, K, 2) keypoints."""
    point_scores: Tensor
    """(B, R, K) scores of the keypoints."""


class TopDownNetwork(nn.Module):
    """Network that finds boxes, cuts a crop around each, and reads keypoints in it.

    Args:
        reader: reads the crops.
        boxes: finds the boxes; None: one box, the whole image.
    """

    compile_refusal = "Crops of two stages can't be compiled by another engine. Use --backend auto."

    def __init__(self, reader: CropReader, boxes: Detector | None = None) -> None:
        super().__init__()
        self.point_network = reader.network
        self.box_network = boxes.network if boxes is not None else None
        self._reader, self._boxes = reader, boxes

    def forward(self, images: Tensor) -> TopDownHeads:
        """Run both networks on (B, 3, H, W) RGB images in [0, 1], of their own size."""
        found = [self._one((image[None].float() * 255).round()) for image in images]
        return TopDownHeads(*(_stacked(parts) for parts in zip(*found, strict=True)))

    def _one(self, pixels: Tensor) -> TopDownHeads:
        """Return the objects of a (1, 3, H, W) image in [0, 255], without the batch axis."""
        whole = pixels.new_tensor([[0, 0, pixels.shape[3], pixels.shape[2]]])
        if self._boxes is None:
            classes = len(self._reader.spec.class_names)
            scores = one_hot_scores(whole.new_ones(1), whole.new_zeros(1).long(), classes)
            return TopDownHeads(whole, scores, *self._points(pixels, whole))
        found = self._found(pixels)
        xyxy, best, class_ids = (
            torch.from_numpy(part).to(pixels.device)
            for part in (found.xyxy, found.scores, found.class_ids)
        )
        scores = one_hot_scores(best, class_ids, len(self._boxes.spec.class_names))
        inside = torch.minimum(xyxy.clamp(min=0), whole[:, 2:].repeat(1, 2))
        return TopDownHeads(xyxy, scores, *self._points(pixels, inside))

    def _found(self, pixels: Tensor) -> Detections:
        """Return the boxes of a (1, 3, H, W) image that get a crop, px of the image."""
        assert self._boxes is not None
        assert self.box_network is not None
        spec = self._boxes.spec
        box = letterbox_of(spec, (pixels.shape[2], pixels.shape[3]))
        raw = self.box_network(resized_input(pixels, spec))
        decoded = self._boxes.decode(raw, box.input_hw)
        xyxy, scores = (part[0].float().cpu().numpy() for part in (decoded.xyxy, decoded.scores))
        candidates = Candidates(
            box.to_source(xyxy),
            np.ascontiguousarray(scores),
            np.zeros((len(xyxy), 0, 2), "f4"),
            overlaps=None if decoded.overlaps is None else decoded.overlaps[0].cpu().numpy(),
        )
        thresholds = replace(
            spec.thresholds,
            score=min(_LEAST_SCORE, spec.score_threshold / 2),
            classes=read_classes(spec, self._reader.spec),
            max_detections=MAX_OBJECTS,
        )
        return select(candidates, thresholds)

    def _points(self, pixels: Tensor, xyxy: Tensor) -> tuple[Tensor, Tensor]:
        """Return (R, K, 2) keypoints and (R, K) scores of (R, 4) boxes, px of the image."""
        spec = self._reader.spec
        count = len(spec.keypoint_names)
        points = [pixels.new_zeros(0, count, 2)]
        certain = [pixels.new_zeros(0, count)]
        normalise, exact = Normalisation(spec, pixels.device), pixels.double()
        for start in range(0, len(xyxy), _CROPS_AT_ONCE):
            boxes = xyxy[start : start + _CROPS_AT_ONCE]
            low, extent = crop_regions(boxes, spec.input_hw)
            crops = cut(exact, low, extent, spec.input_hw)
            raw = self.point_network(normalise(crops))
            places, scores = self._reader.read(raw, spec.input_hw)
            scale = extent / extent.new_tensor([spec.input_hw[1], spec.input_hw[0]])
            points.append((low[:, None] + places * scale[:, None]).float())
            certain.append(scores)
        return torch.cat(points), torch.cat(certain)


class TopDownDetector:
    """Keypoint model for crops, on the boxes of a detector or on whole images.

    Args:
        reader: reads keypoints in crops.
        boxes: finds the objects; None: the whole image is one.
    """

    def __init__(self, reader: CropReader, boxes: Detector | None = None) -> None:
        self.reader = reader
        self.spec = _spec(reader.spec, boxes.spec if boxes is not None else None)
        self.network = TopDownNetwork(reader, boxes)
        self.network.eval()

    def decode(self, raw: TopDownHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Return one candidate per object, best first."""
        return DecodedBatch(*raw)


def _stacked(parts: Sequence[Tensor]) -> Tensor:
    """Stack parts of B images, padded with zeros to the longest, of at least one row."""
    rows = pad_sequence(list(parts), batch_first=True)
    return rows if rows.shape[1] else rows.new_zeros(len(rows), 1, *rows.shape[2:])


def read_classes(boxes: ModelSpec, reader: ModelSpec) -> frozenset[int] | None:
    """Return the classes of a detector whose objects are read: the reader's own; None: all."""
    own = [index for index, name in enumerate(boxes.class_names) if name in reader.class_names]
    return frozenset(own) or None


def resized_input(pixels: Tensor, spec: ModelSpec) -> Tensor:
    """Convert (1, 3, H, W) pixels in [0, 255] to a network's input, as ``Preprocessor`` does."""
    box = letterbox_of(spec, (pixels.shape[2], pixels.shape[3]))
    pixels = resized(pixels, box.resized_hw, spec.sampling)
    normalise = Normalisation(spec, pixels.device)
    if box.resized_hw == box.input_hw:
        return normalise.in_one_pass(pixels)
    colour = normalise.mean if spec.padding is None else pixels.new_tensor(spec.padding)
    canvas = colour[None, :, None, None].expand(1, 3, *box.input_hw).clone()
    height, width = box.resized_hw
    canvas[..., box.top : box.top + height, box.left : box.left + width] = pixels
    return normalise.in_one_pass(canvas)


def crop_regions(xyxy: Tensor, crop_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return corner (R, 2) and size (R, 2) of the regions that crops show, px.

    A region is MARGIN times its box, widened to the proportions of the crop.
    """
    boxes = xyxy.double()  # a crop is many times finer than single precision
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1) * MARGIN
    crop = boxes.new_tensor([crop_hw[1], crop_hw[0]])
    extent = (sides / crop).amax(1, keepdim=True) * crop
    return (boxes[:, :2] + boxes[:, 2:]) / 2 - extent / 2, extent


def cut(pixels: Tensor, low: Tensor, extent: Tensor, crop_hw: tuple[int, int]) -> Tensor:
    """Cut crops of an image, black outside.

    As ``cv2.warpAffine`` does, pixel (0, 0) of a crop is sampled at its region's corner, where
    whole numbers are the centres of pixels.

    Args:
        pixels: (1, 3, H, W) double: in single precision some pixels would be rounded otherwise.
        low: (R, 2) double, corners of the regions, px.
        extent: (R, 2) double, sizes of the regions, px.
        crop_hw: size of the crops, px.

    Returns:
        (R, 3, h, w) float of whole numbers.
    """
    height, width = crop_hw
    size = pixels.new_tensor([pixels.shape[3], pixels.shape[2]])
    starts, spans = (low + 0.5) / size * 2 - 1, extent / size * 2
    shape = (len(low), height, width)
    steps_x = torch.arange(width, dtype=pixels.dtype, device=pixels.device) / width
    steps_y = torch.arange(height, dtype=pixels.dtype, device=pixels.device) / height
    x = (starts[:, :1] + spans[:, :1] * steps_x)[:, None, :].expand(shape)
    y = (starts[:, 1:] + spans[:, 1:] * steps_y)[:, :, None].expand(shape)
    grid = torch.stack([x, y], -1).flatten(0, 1)[None]  # (1, R * h, w, 2)
    seen = functional.grid_sample(pixels, grid, padding_mode="zeros", align_corners=False)[0]
    return seen.round().float().reshape(3, *shape).transpose(0, 1)


def _spec(reader: ModelSpec, boxes: ModelSpec | None) -> ModelSpec:
    """Describe both networks as one that takes images of their own size."""
    common: dict[str, Any] = {
        "input_hw": LARGEST_HW,
        "resize": Resize.NONE,
        "sampling": Sampling.LINEAR,
        "content_hw": None,
        "whole_input": False,
        "stride": 1,
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "padding": (0, 0, 0),
        "activation_ranges": (),
    }
    if boxes is None:
        return replace(reader, task=Task.DETECT_KEYPOINTS, nms=NmsKind.NONE, **common)
    notes = boxes.notes
    if read_classes(boxes, reader) is not None and len(boxes.class_names) > 1:
        notes += (f"Only objects of the class {', '.join(reader.class_names)} are read.",)
    return joined_spec(boxes, reader, notes=notes, **common)
