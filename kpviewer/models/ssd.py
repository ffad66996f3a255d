"""A single-shot detector with a keypoint head: class scores, boxes and points from anchors.

Source: Liu et al. 2016, SSD (arXiv:1512.02325). The keypoint head regresses points from the same
anchors, as Deng et al. 2019, RetinaFace (arXiv:1905.00641) does; where there is a region
head, the points of the best boxes are then read again from a grid over each box.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kpviewer.models.anchors import MapAnchors, anchor_boxes
from kpviewer.models.base import DecodedBatch
from kpviewer.models.boxes import decode_boxes, decode_points, encode_points, xyxy_to_cxcywh
from kpviewer.models.distinct import distinct
from kpviewer.models.point_refiner import PointRefiner
from kpviewer.models.region_points import RegionPoints
from kpviewer.models.spec import ModelSpec

MAX_CANDIDATES = 400
MAX_OBJECTS = 8
"""Objects whose points are read again; others keep the points of their anchor. Each costs 2 %
of the network's time."""
_POOL = 128
"""Best candidates that objects are looked for among: about ten are of one object."""


class SsdHeads(NamedTuple):
    """What an SSD network gives, for B images, P anchors, C classes and K keypoints."""

    class_logits: Tensor
    """(B, P, C) log-odds; or, where the network has a background class, (B, P, 1 + C) logits of a
    softmax, background first."""
    box_offsets: Tensor
    """(B, P, 4)."""
    point_offsets: Tensor
    """(B, P, K, 2)."""
    proposal_points: Tensor | None = None
    """(B, R, K, 2) offsets from the R proposals an image that were given, if any were."""


class SsdNetwork(nn.Module):
    """A backbone and one 3x3 convolution a map that predicts everything of each anchor.

    Args:
        backbone: images to feature maps, fine to coarse.
        channels: of each map.
        maps: anchors of each map.
        num_classes: C.
        num_keypoints: K.
        region_points: reads points again where boxes were found; without it, the first ones stay.

    Set ``point_refiner`` to have the points of the best objects read once more, after
    ``region_points``.
    """

    has_background = False
    """Whether the classes and a background class exclude each other (softmax); else each class is
    asked for alone (sigmoid). Region points want the latter."""

    def __init__(
        self,
        backbone: nn.Module,
        channels: tuple[int, ...],
        maps: tuple[MapAnchors, ...],
        num_classes: int,
        num_keypoints: int,
        region_points: RegionPoints | None = None,
    ) -> None:
        super().__init__()
        self._num_logits = num_classes + self.has_background
        self.backbone = backbone
        self.num_classes, self.num_keypoints = num_classes, num_keypoints
        self.region_points = region_points
        self.point_refiner: PointRefiner | None = None
        self._maps = maps
        self._anchors: dict[tuple[tuple[int, int], torch.device], Tensor] = {}
        self._row = self._num_logits + 4 + 2 * num_keypoints
        self.heads = nn.ModuleList(
            nn.Conv2d(inputs, len(anchors.sizes_wh) * self._row, 3, padding=1)
            for inputs, anchors in zip(channels, maps, strict=True)
        )
        self._initialise()

    def _initialise(self) -> None:
        """Start every class at probability 0.01, so that background doesn't swamp the first steps.

        A softmax starts with all classes alike: its loss takes few of the negatives.

        Source: Lin et al. 2017, focal loss, section 4.1 (arXiv:1708.02002).
        """
        for head in self.heads:
            assert isinstance(head, nn.Conv2d) and head.bias is not None
            nn.init.normal_(head.weight, std=0.01)
            nn.init.zeros_(head.bias)
            if not self.has_background:
                with torch.no_grad():
                    head.bias.view(-1, self._row)[:, : self.num_classes] = -math.log(99.0)

    def anchors(self, input_hw: tuple[int, int], device: torch.device) -> Tensor:
        """Anchors of an input size: (P, 4) cxcywh, input px, kept after the first call."""
        key = (input_hw, device)
        if key not in self._anchors:
            self._anchors[key] = anchor_boxes(self._maps, input_hw).to(device)
        return self._anchors[key]

    def forward(self, images: Tensor, proposals: Tensor | None = None) -> SsdHeads:
        """Predict.

        Args:
            images: (B, 3, H, W) normalised RGB images.
            proposals: (B, R, 4) xyxy boxes, input px, to read points from instead of the best
                boxes found: for training.
        """
        maps = self.backbone(images)
        rows = []
        for head, features in zip(self.heads, maps, strict=True):
            out = head(features).permute(0, 2, 3, 1)  # (B, h, w, A * row)
            rows.append(out.reshape(len(images), -1, self._row))
        everything = torch.cat(rows, 1)  # (B, P, row)
        widths = [self._num_logits, 4, 2 * self.num_keypoints]
        classes, boxes, points = torch.split(everything, widths, -1)
        shape = (*points.shape[:2], self.num_keypoints, 2)
        heads = SsdHeads(classes, boxes, points.reshape(shape))
        if self.region_points is None:
            return heads
        input_hw = (images.shape[2], images.shape[3])
        if proposals is not None:
            return heads._replace(proposal_points=self.region_points(maps, proposals, input_hw))
        return self._looked_at_again(heads, maps, images)

    def _looked_at_again(self, heads: SsdHeads, maps: list[Tensor], images: Tensor) -> SsdHeads:
        """Replace the point offsets of the best distinct boxes by what a second look gives."""
        assert self.region_points is not None
        input_hw = (images.shape[2], images.shape[3])
        anchors = self.anchors(input_hw, heads.class_logits.device)
        count = min(_POOL, len(anchors))
        best = best_logit(heads.class_logits).topk(count, dim=1).indices  # (B, pool)
        batch = torch.arange(len(best), device=best.device)[:, None]
        pool_xyxy = decode_boxes(heads.box_offsets[batch, best].float(), anchors[best])
        rows, _ = distinct(pool_xyxy, MAX_OBJECTS)  # (B, R)
        best, xyxy = best[batch, rows], pool_xyxy[batch, rows]
        offsets = self.region_points(maps, xyxy, input_hw)
        points_xy = decode_points(offsets.float(), xyxy_to_cxcywh(xyxy))
        if self.point_refiner is not None:
            points_xy = self.point_refiner(images, points_xy)
        chosen = anchors[best]  # (B, R, 4)
        again = encode_points(points_xy, chosen).to(heads.point_offsets.dtype)
        index = best[..., None, None].expand(again.shape)
        return heads._replace(point_offsets=heads.point_offsets.scatter(1, index, again))


class SoftmaxSsdNetwork(SsdNetwork):
    """An SSD network with a background class, as its authors have it."""

    has_background = True


class SsdDetector:
    """An SSD network with its description and its decoding."""

    def __init__(self, spec: ModelSpec, network: SsdNetwork) -> None:
        self.spec = spec
        self.network = network

    def decode(self, raw: SsdHeads, input_hw: tuple[int, int]) -> DecodedBatch:
        """Keep the best anchors by class score and turn them into boxes and points.

        Args:
            raw: heads for an input of ``input_hw``.
            input_hw: input size, px.

        Returns:
            M = min(P, 400) rows an image, by descending best score; input px, boxes clipped.
        """
        logits = raw.class_logits.float()
        if self.network.has_background:
            logits = softmax_log_odds(logits)
        anchors = self.network.anchors(input_hw, logits.device)
        keep = min(MAX_CANDIDATES, len(anchors))
        best = best_logit(logits).topk(keep, dim=1).indices  # (B, M)
        batch = torch.arange(len(logits), device=logits.device)[:, None]
        chosen = anchors[best]  # (B, M, 4)
        xyxy = decode_boxes(raw.box_offsets[batch, best].float(), chosen)
        height, width = input_hw
        limit = xyxy.new_tensor([width, height, width, height])
        xyxy = torch.minimum(xyxy.clamp(min=0), limit)
        points = chosen.new_zeros(*chosen.shape[:2], 0, 2)
        if self.network.num_keypoints:  # OpenVINO can't index what has no columns
            points = decode_points(raw.point_offsets[batch, best].float(), chosen)
        return DecodedBatch(xyxy, logits[batch, best].sigmoid(), points)


def best_logit(class_logits: Tensor) -> Tensor:
    """The highest of the classes: (B, P, C) -> (B, P). With one class that is a view."""
    return class_logits[..., 0] if class_logits.shape[-1] == 1 else class_logits.amax(-1)


def softmax_log_odds(logits: Tensor) -> Tensor:
    """Log-odds of each class but the first: their sigmoid is the softmax.

    Args:
        logits: (B, P, 1 + C), background first.

    Returns:
        (B, P, C), infinite where a class has all of the probability.
    """
    log_p = logits.log_softmax(-1)[..., 1:]
    return log_p - torch.log1p(-log_p.exp())
