"""R-CNN: search for proposals, crop the image around each, run the whole network on every crop.

Source: Girshick et al. 2014, Rich feature hierarchies (arXiv:1311.2524).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kpviewer.models.regions.heads import LayersHead
from kpviewer.models.regions.network import RegionNetwork
from kpviewer.models.regions.pooling import ImageCrops
from kpviewer.models.regions.proposals import SearchedProposals
from kpviewer.models.spec import ModelSpec

_AT_ONCE = 64
"""Crops that the backbone reads at once, outside training: 2,000 would take gigabytes."""


class RCnn(RegionNetwork):
    """Selective search, crops of the image, two layers."""

    def __init__(self, spec: ModelSpec, backbone: nn.Module, channels: int) -> None:
        super().__init__(
            backbone,
            proposals=SearchedProposals(spec),
            pooling=ImageCrops(),
            head=LayersHead(channels, len(spec.class_names)),
        )

    def shared(self, images: Tensor) -> Tensor:
        """Return the images: RoIs share no computation."""
        return images

    def roi_features(self, shared: Tensor, rois: Tensor) -> Tensor:
        """Crop first, then run the backbone on each crop."""
        parts = torch.split(rois, max(1, len(rois)) if self.training else _AT_ONCE)
        return torch.cat([self.backbone(self.pooling(shared, part)) for part in parts])
