"""A single-shot detector with a keypoint head: class scores, boxes and points from anchors.

Source: Liu et al. 2016, SSD (arXiv:1512.02325). The keypoint head regresses points from the same
anchors, as Deng et al. 2019, RetinaFace (arXiv:1905.00641) do. With a refiner, the points of the
best objects are then read again from the pixels.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kpviewer.models.base import DecodedBatch
from kpviewer.models.networks.backbones.light import start_small
from kpviewer.models.networks.boxes import clipped, decode_boxes, decode_points
from kpviewer.models.networks.distinct import distinct
from kpviewer.models.networks.points.refiner import PointRefiner
from kpviewer.models.networks.ssd.anchors import MapAnchors, anchor_boxes
from kpviewer.models.spec import ModelSpec

MAX_CANDIDATES = 400
"""Candidates per image."""
MAX_OBJECTS = 8
"""Objects whose points are refined; others keep those of their anchor."""
REFINED_SCORE = 0.3
"""Least score of an object whose points are refined: pixels of anything else hold no points."""
_REFINED_LOGIT = math.log(REFINED_SCORE / (1 - REFINED_SCORE))
_POOL = 128
"""Best candidates that distinct objects are chosen from: about ten belong to one object."""


class Refinement(NamedTuple):
    """Points of P anchors per image, before and after those of R objects are refined."""

    rows: Tensor
    """(B, R) int64 rows of the objects among the anchors; -1: its points aren't refined."""
    rough_xy: Tensor
    """(B, P, K, 2) points of the anchors, input px."""
    refined_xy: Tensor
    """(B, P, K, 2) the same, with refined points in ``rows``."""


class SsdHeads(NamedTuple):
    """Outputs of an SSD network for B images, P anchors, C classes and K keypoints."""

    class_logits: Tensor
    """(B, P, C) log-odds; with a background class, (B, P, 1 + C) logits of a softmax, background
    first."""
    box_offsets: Tensor
    """(B, P, 4) box offsets."""
    point_offsets: Tensor
    """(B, P, K, 2) point offsets."""
    best: Tensor | None = None
    """(B, P) indices of the anchors, if P are the best ones by descending score; None for all."""
    refinement: Refinement | None = None
    """The decoded points of the best anchors; None without a refiner."""


@dataclass(frozen=True, slots=True)
class AnchorOutputs:
    """Predictions of each anchor, beside its box."""

    num_classes: int
    """Number of classes C, without the background."""
    num_keypoints: int
    """Number of keypoints K."""
    has_background: bool = False
    """Whether a softmax over the classes and the background gives the scores, else a sigmoid for
    each class. A refiner requires the latter."""

    @property
    def num_logits(self) -> int:
        """Number of logits: one per class, and one of the background if there is one."""
        return self.num_classes + self.has_background


class SsdNetwork(nn.Module):
    """A backbone, and one 3x3 convolution per map for all predictions of each anchor.

    Set ``point_refiner`` to refine the points of the best objects, but not in training mode.

    Args:
        backbone: network from images to feature maps, fine to coarse.
        channels: channels of each map.
        maps: anchors of each map.
        outputs: predictions of each anchor.
    """

    def __init__(
        self,
        backbone: nn.Module,
        channels: tuple[int, ...],
        maps: tuple[MapAnchors, ...],
        outputs: AnchorOutputs,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.outputs = outputs
        self.point_refiner: PointRefiner | None = None
        self._maps = maps
        self._anchors: dict[tuple[tuple[int, int], torch.device], Tensor] = {}
        self._row = outputs.num_logits + 4 + 2 * outputs.num_keypoints
        self.heads = nn.ModuleList(
            nn.Conv2d(inputs, len(anchors.sizes_wh) * self._row, 3, padding=1)
            for inputs, anchors in zip(channels, maps, strict=True)
        )
        self._initialise()

    def _initialise(self) -> None:
        """Start every class at probability 0.01, so that the background doesn't dominate at first.

        A softmax starts with equal classes, as its loss uses few of the negatives.

        Source: Lin et al. 2017, focal loss, section 4.1 (arXiv:1708.02002).
        """
        for head in self.heads:
            assert isinstance(head, nn.Conv2d) and head.bias is not None
            start_small(head)
            if not self.outputs.has_background:
                with torch.no_grad():
                    head.bias.view(-1, self._row)[:, : self.outputs.num_classes] = -math.log(99.0)

    def anchors(self, input_hw: tuple[int, int], device: torch.device) -> Tensor:
        """Return the anchors of an input size, kept after the first call: (P, 4) cxcywh, px."""
        key = (input_hw, device)
        if key not in self._anchors:
            self._anchors[key] = anchor_boxes(self._maps, input_hw).to(device)
        return self._anchors[key]

    def forward(self, images: Tensor) -> SsdHeads:
        """Predict from images.

        Args:
            images: (B, 3, H, W) normalised RGB images.

        Returns:
            Heads of all anchors; with a refiner, and not in training mode, of the best ones.
        """
        rows = []
        for head, features in zip(self.heads, self.backbone(images), strict=True):
            out = head(features).permute(0, 2, 3, 1)  # (B, h, w, A * row)
            rows.append(out.reshape(images.shape[0], -1, self._row))
        predictions = torch.cat(rows, 1)  # (B, P, row)
        if self.point_refiner is None or self.training:
            return self._heads(predictions)
        return self._refined_heads(predictions, images, self.point_refiner)

    def _heads(self, predictions: Tensor) -> SsdHeads:
        """Split (B, P, row) predictions."""
        widths = [self.outputs.num_logits, 4, 2 * self.outputs.num_keypoints]
        classes, boxes, points = torch.split(predictions, widths, -1)
        shape = (*points.shape[:2], self.outputs.num_keypoints, 2)
        return SsdHeads(classes, boxes, points.reshape(shape))

    def _refined_heads(
        self, predictions: Tensor, images: Tensor, refiner: PointRefiner
    ) -> SsdHeads:
        """Return the best anchors, with the points of the best distinct objects refined."""
        anchors = self.anchors((images.shape[2], images.shape[3]), predictions.device)
        best = best_anchors(predictions[..., : self.outputs.num_logits], len(anchors))
        batch = torch.arange(best.shape[0], device=best.device)[:, None]
        chosen = anchors[best]
        heads = self._heads(predictions[batch, best])
        xyxy = decode_boxes(heads.box_offsets[:, :_POOL].float(), chosen[:, :_POOL])
        rows, is_object = distinct(xyxy, MAX_OBJECTS)  # (B, R)
        is_refined = is_object & (best_logit(heads.class_logits)[batch, rows] >= _REFINED_LOGIT)
        rough_xy = decode_points(heads.point_offsets.float(), chosen)
        points_xy = rough_xy[batch, rows]
        refined_xy = torch.where(is_refined[..., None, None], refiner(images, points_xy), points_xy)
        index = rows[..., None, None].expand(refined_xy.shape)
        refinement = Refinement(
            torch.where(is_refined, rows, -1), rough_xy, rough_xy.scatter(1, index, refined_xy)
        )
        return heads._replace(best=best, refinement=refinement)


class SsdDetector:
    """An SSD network with its description and decoding."""

    def __init__(self, spec: ModelSpec, network: SsdNetwork) -> None:
        self.spec = spec
        self.network = network

    def decode(self, raw: SsdHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Decode the best anchors by class score to boxes and points.

        Args:
            raw: heads for an input of ``input_hw``.
            input_hw: input size, px.

        Returns:
            M = min(P, 400) rows per image, by descending best score; input px, boxes clipped.
        """
        logits = raw.class_logits.float()
        if self.network.outputs.has_background:
            logits = softmax_log_odds(logits)
        anchors = self.network.anchors(input_hw, logits.device)
        boxes, offsets, best = raw.box_offsets, raw.point_offsets, raw.best
        has_points = self.network.outputs.num_keypoints > 0
        if best is None:
            best = best_anchors(logits, len(anchors))
            batch = torch.arange(best.shape[0], device=best.device)[:, None]
            logits, boxes = logits[batch, best], boxes[batch, best]
            if has_points:  # OpenVINO can't index a tensor without columns
                offsets = offsets[batch, best]
        chosen = anchors[best]  # (B, M, 4)
        xyxy = clipped(decode_boxes(boxes.float(), chosen), input_hw)
        points = chosen.new_zeros(*chosen.shape[:2], 0, 2)
        if raw.refinement is not None:
            points = raw.refinement.refined_xy
        elif has_points:
            points = decode_points(offsets.float(), chosen)
        return DecodedBatch(xyxy, logits.sigmoid(), points)


def best_anchors(class_logits: Tensor, count: int) -> Tensor:
    """Return the indices of the best of ``count`` anchors: (B, P, C) -> (B, min(P, 400))."""
    return best_logit(class_logits).topk(min(MAX_CANDIDATES, count), dim=1).indices


def best_logit(class_logits: Tensor) -> Tensor:
    """Return the highest logit of the classes: (B, P, C) -> (B, P); a view for one class."""
    return class_logits[..., 0] if class_logits.shape[-1] == 1 else class_logits.amax(-1)


def softmax_log_odds(logits: Tensor) -> Tensor:
    """Return the log-odds of each class but the first, whose sigmoid is the softmax.

    Args:
        logits: (B, P, 1 + C) logits, background first.

    Returns:
        (B, P, C), infinite where a class has all of the probability.
    """
    log_p = logits.log_softmax(-1)[..., 1:]
    return log_p - torch.log1p(-log_p.exp())
