"""The systems: where their proposals come from, what is cut out for each, and what reads it.

Sources: Girshick et al. 2014, Rich feature hierarchies (arXiv:1311.2524); Girshick 2015, Fast R-CNN
(arXiv:1504.08083); Ren et al. 2015, Faster R-CNN (arXiv:1506.01497); Dai et al. 2016, R-FCN
(arXiv:1605.06409).
"""

import torch
from torch import Tensor, nn

from kpviewer.models.networks.regions.heads import LayersHead, PositionSensitiveMaps, VotingHead
from kpviewer.models.networks.regions.network import RegionNetwork
from kpviewer.models.networks.regions.pooling import (
    ImageCrops,
    position_sensitive_alignment,
    roi_alignment,
    roi_max_pooling,
)
from kpviewer.models.networks.regions.proposals import ProposalNetwork, SearchedProposals
from kpviewer.models.spec import ModelSpec

_AT_ONCE = 64
"""Crops that the backbone reads at once, outside training: 2,000 would take gigabytes."""


class RCnn(RegionNetwork):
    """Selective search, crops of the image, the whole network on every crop."""

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
        is_whole = self.training or rois.is_meta  # a dry run takes no memory, but time for each
        parts = torch.split(rois, max(1, len(rois)) if is_whole else _AT_ONCE)
        return torch.cat([self.backbone(self.pooling(shared, part)) for part in parts])


class FastRCnn(RegionNetwork):
    """Selective search, RoI pooling of the map that the backbone computes once, two layers."""

    def __init__(self, spec: ModelSpec, backbone: nn.Module, channels: int) -> None:
        super().__init__(
            backbone,
            proposals=SearchedProposals(spec),
            pooling=roi_max_pooling(),
            head=LayersHead(channels, len(spec.class_names)),
        )


class FasterRCnn(RegionNetwork):
    """Proposals predicted from the shared map, RoI alignment, two layers; trained as one."""

    def __init__(self, spec: ModelSpec, backbone: nn.Module, channels: int) -> None:
        super().__init__(
            backbone,
            proposals=ProposalNetwork(channels),
            pooling=roi_alignment(),
            head=LayersHead(channels, len(spec.class_names)),
        )


class RFcn(RegionNetwork):
    """Predicted proposals, position-sensitive alignment with maps of scores, a vote of the bins."""

    def __init__(self, spec: ModelSpec, backbone: nn.Module, channels: int) -> None:
        pooling = position_sensitive_alignment()
        super().__init__(backbone, ProposalNetwork(channels), pooling, VotingHead())
        self.maps = PositionSensitiveMaps(channels, len(spec.class_names))

    def roi_features(self, shared: Tensor, rois: Tensor) -> Tensor:
        """Compute all layers for the whole image; an RoI costs no more than its pooling."""
        return super().roi_features(self.maps(shared), rois)
