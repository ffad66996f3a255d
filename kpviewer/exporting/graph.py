"""The graph that is exported: normalisation, network, decoding and, if requested, NMS.

It takes one image as Ultralytics' exports do, (1, 3, H, W) RGB in [0, 1], and has one output of
the layouts of theirs that fit: columns of candidates, rows of detections, or class scores.
"""

from typing import Any

import torch
from torch import Tensor, nn

from kpviewer.errors import InputError, KpviewerError
from kpviewer.models.base import DecodedBatch, Detector
from kpviewer.models.networks.boxes import xyxy_to_cxcywh
from kpviewer.models.onnx.description import OutputKind
from kpviewer.models.opening.zoo import ZooDetector
from kpviewer.models.spec import Task
from kpviewer.runtime.torch.fusion import fused
from kpviewer.structures import NmsKind

MAX_DETECTIONS = 300
"""Rows of an output after NMS, as in Ultralytics' exports; unused ones are 0."""
MAX_PAIRS = 4000
"""Most pairs of a box and a class that NMS compares."""


def output_kind(detector: Detector, *, with_nms: bool) -> OutputKind:
    """Return the kind of output that a detector's graph has.

    Raises:
        InputError: if NMS is requested, and the model has none or one that graphs lack.
    """
    spec = detector.spec
    if isinstance(detector, ZooDetector):
        return OutputKind.BOXES  # torchvision's detectors apply NMS themselves
    if with_nms and (spec.task is Task.CLASSIFY or spec.nms not in (NmsKind.HARD, NmsKind.NONE)):
        what = "class scores" if spec.task is Task.CLASSIFY else f"NMS of the kind {spec.nms}"
        raise InputError(f"--nms is for hard NMS, and {spec.name} has {what}. Omit it.")
    if spec.task is Task.CLASSIFY:
        return OutputKind.CLASSES
    return OutputKind.BOXES if with_nms else OutputKind.CANDIDATES


def export_graph(
    detector: Detector, kind: OutputKind, input_hw: tuple[int, int], network: nn.Module | None
) -> nn.Module:
    """Return the graph of a detector, in evaluation mode.

    Raises:
        KpviewerError: if the network is run by another library, or is no graph of fixed shapes.
    """
    if isinstance(detector, ZooDetector):
        return _ZooGraph(detector).eval()
    for module in detector.network.modules():
        if reason := getattr(module, "export_refusal", None):
            raise KpviewerError(f"{detector.spec.name} can't be exported: {reason}.")
        if hasattr(module, "compile_refusal"):
            raise KpviewerError(
                f"{detector.spec.name} is run by another library, so kpviewer can't export it. "
                "Use the file itself, or export it with the program that made it."
            )
    return _Graph(detector, kind, input_hw, network or fused(detector.network)).eval()


class _Graph(nn.Module):
    """Graph of a detector that decodes with operations of constant shape."""

    _mean: Tensor
    _std: Tensor

    def __init__(
        self, detector: Detector, kind: OutputKind, input_hw: tuple[int, int], network: nn.Module
    ) -> None:
        super().__init__()
        self.network = network
        self._detector, self._kind, self._input_hw = detector, kind, input_hw
        spec = detector.spec
        self.register_buffer("_mean", torch.tensor(spec.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("_std", torch.tensor(spec.std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(1, 3, H, W) RGB in [0, 1] -> the output of the kind."""
        raw: Any = self.network((images - self._mean) / self._std)
        decoded = self._detector.decode(raw, self._input_hw)
        if self._kind is OutputKind.CLASSES:
            return decoded.scores[:, 0]
        if self._kind is OutputKind.BOXES:
            spec = self._detector.spec
            return _detections(decoded, spec.iou_threshold if spec.nms is NmsKind.HARD else None)
        boxes = xyxy_to_cxcywh(decoded.xyxy)
        return torch.cat([boxes, decoded.scores, _points(decoded)], 2).transpose(1, 2)


class _ZooGraph(nn.Module):
    """Graph of a torchvision detector: its detections as rows, as many as there can be."""

    def __init__(self, detector: ZooDetector) -> None:
        super().__init__()
        self.network = detector.network.detector
        self._detector = detector

    def forward(self, images: Tensor) -> Tensor:
        """(1, 3, H, W) RGB in [0, 1] -> (1, 300, 6 + 2K)."""
        found = self.network([images[0]])
        (found,) = found[1] if isinstance(found, tuple) else found  # scripted ones return losses
        scores = found["scores"][:, None].float()
        classes = self._detector.class_ids(found["labels"])[:, None].float()
        parts = [found["boxes"].float(), scores, classes]
        if self._detector.spec.keypoint_names:
            parts.append(found["keypoints"][..., :2].float().flatten(1))
        return _filled(torch.cat(parts, 1))


def _points(decoded: DecodedBatch) -> Tensor:
    """Return keypoints in columns, with their scores if there are any: (B, M, K * 2 or 3)."""
    points = decoded.keypoints_xy
    if decoded.keypoint_scores is not None:
        points = torch.cat([points, decoded.keypoint_scores[..., None]], -1)
    return points.flatten(2)


def _detections(decoded: DecodedBatch, iou: float | None) -> Tensor:
    """Apply NMS to the candidates of one image: (1, 300, 6 + K*D), best first.

    A box may be detected as several classes, as in ``models.selection``.
    """
    from torchvision.ops import nms  # noqa: PLC0415 - takes seconds

    boxes, scores, points = decoded.xyxy[0], decoded.scores[0], _points(decoded)[0]
    classes = scores.shape[1]
    pairs = scores.flatten().topk(min(MAX_PAIRS, scores.numel()))
    rows, class_ids = pairs.indices // classes, pairs.indices % classes
    values = pairs.values[:, None]
    found = torch.cat([boxes[rows], values, class_ids[:, None].to(boxes.dtype), points[rows]], 1)
    if iou is not None:
        corners = found[:, :4]
        # classes far apart; torchvision's batched_nms adds branches, which runtimes refuse
        apart = class_ids[:, None] * (corners.max() - corners.min() + 1)
        found = found[nms(corners + apart, pairs.values, iou)]
    return _filled(found)


def _filled(rows: Tensor) -> Tensor:
    """Return the first rows of (N, D) and then zeros: (1, 300, D)."""
    columns = rows.shape[1]
    filled = torch.cat([rows, rows.new_zeros(MAX_DETECTIONS, columns)])[:MAX_DETECTIONS]
    return filled.reshape(1, MAX_DETECTIONS, columns)  # of known size for the runtimes
