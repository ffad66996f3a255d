"""A box detector and a keypoint model whose answers are known by hand."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from kpviewer.models.base import DecodedBatch
from kpviewer.models.networks.points.network import POINT_ARCHITECTURES, PointDetector
from kpviewer.models.spec import ModelSpec, Task

SPEC = ModelSpec("one", "points-mobilenet", Task.KEYPOINTS, ("dot",), (32, 32), ("dot",))
BOXES_SPEC = ModelSpec("boxes", "fixed", Task.DETECT, ("dot",), (64, 64), stride=32)


class FixedBoxes:
    """Detector of the same two boxes, and a duplicate of the first, in every image of 64 px."""

    spec = BOXES_SPEC
    network = nn.Identity()

    def decode(self, raw: Tensor, input_hw: tuple[int, int]) -> DecodedBatch:
        xyxy = torch.tensor([[4.0, 4, 24, 24], [5, 4, 25, 24], [30, 30, 62, 62]])
        scores = torch.tensor([[0.9], [0.8], [0.7]])
        count = len(raw)
        return DecodedBatch(
            xyxy.expand(count, 3, 4), scores.expand(count, 3, 1), torch.zeros(count, 3, 0, 2)
        )


class BrightestHead(nn.Module):
    """Head that predicts the mean position of bright pixels, as a trained one would for a dot."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        bright = maps[-1].mean(1, keepdim=True).clamp(min=0)  # (B, 1, h, w)
        return bright

    def coordinates(self, raw: Tensor) -> Tensor:
        weight = raw / raw.sum((2, 3), keepdim=True).clamp(min=1e-6)
        steps = (torch.arange(raw.shape[3]) + 0.5) * (2 / raw.shape[3]) - 1
        return torch.stack([(weight.sum(2) * steps).sum(-1), (weight.sum(3) * steps).sum(-1)], -1)


def dot_finder(margin: float = 1.2, tta_runs: int = 1) -> PointDetector:
    detector = POINT_ARCHITECTURES["points-mobilenet"](replace(SPEC, tta_runs=tta_runs))
    detector.network.backbone = nn.Sequential(nn.Identity())
    detector.network.head = BrightestHead()  # type: ignore[assignment]
    detector.network.crop_margin.fill_(margin)
    detector.network.eval()
    return detector
