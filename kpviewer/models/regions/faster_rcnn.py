"""Faster R-CNN: run the backbone once, predict proposals from its map, align each with it.

Source: Ren et al. 2015, Faster R-CNN (arXiv:1506.01497), trained as one network.
"""

from __future__ import annotations

from torch import nn

from kpviewer.models.regions.heads import LayersHead
from kpviewer.models.regions.network import RegionNetwork
from kpviewer.models.regions.pooling import roi_alignment
from kpviewer.models.regions.proposals import ProposalNetwork
from kpviewer.models.spec import ModelSpec


class FasterRCnn(RegionNetwork):
    """Proposal network, RoI alignment with the shared map, two layers."""

    def __init__(self, spec: ModelSpec, backbone: nn.Module, channels: int) -> None:
        super().__init__(
            backbone,
            proposals=ProposalNetwork(channels),
            pooling=roi_alignment(),
            head=LayersHead(channels, len(spec.class_names)),
        )
