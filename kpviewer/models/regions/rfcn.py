"""R-FCN: compute score maps of the whole image, and let each proposal average its bins.

Source: Dai et al. 2016, R-FCN (arXiv:1605.06409).
"""

from __future__ import annotations

from torch import Tensor, nn

from kpviewer.models.regions.heads import PositionSensitiveMaps, VotingHead
from kpviewer.models.regions.network import RegionNetwork
from kpviewer.models.regions.pooling import position_sensitive_alignment
from kpviewer.models.regions.proposals import ProposalNetwork
from kpviewer.models.spec import ModelSpec


class RFcn(RegionNetwork):
    """Proposal network, position-sensitive alignment with maps of scores, a vote."""

    def __init__(self, spec: ModelSpec, backbone: nn.Module, channels: int) -> None:
        super().__init__(
            backbone,
            proposals=ProposalNetwork(channels),
            pooling=position_sensitive_alignment(),
            head=VotingHead(),
        )
        self.maps = PositionSensitiveMaps(channels, len(spec.class_names))

    def roi_features(self, shared: Tensor, rois: Tensor) -> Tensor:
        """Compute all layers for the whole image; an RoI costs no more than its pooling."""
        return super().roi_features(self.maps(shared), rois)
