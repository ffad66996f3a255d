"""Fast R-CNN: search for proposals, run the backbone once, pool each proposal from its map.

Source: Girshick 2015, Fast R-CNN (arXiv:1504.08083).
"""

from __future__ import annotations

from torch import nn

from kpviewer.models.regions.heads import LayersHead
from kpviewer.models.regions.network import RegionNetwork
from kpviewer.models.regions.pooling import roi_max_pooling
from kpviewer.models.regions.proposals import SearchedProposals
from kpviewer.models.spec import ModelSpec


class FastRCnn(RegionNetwork):
    """Selective search, RoI pooling of the shared map, two layers."""

    def __init__(self, spec: ModelSpec, backbone: nn.Module, channels: int) -> None:
        super().__init__(
            backbone,
            proposals=SearchedProposals(spec),
            pooling=roi_max_pooling(),
            head=LayersHead(channels, len(spec.class_names)),
        )
