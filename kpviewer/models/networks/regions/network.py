"""The part that all region-based detectors share: proposals, features of each, predictions."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from kpviewer.errors import PipelineError
from kpviewer.models.networks.regions.heads import RoiPredictions
from kpviewer.models.networks.regions.pooling import roi_rows
from kpviewer.models.networks.regions.proposals import ProposalNetwork, SearchedProposals


class RegionOutputs(NamedTuple):
    """Outputs of the network for B images."""

    rois: list[Tensor]
    """B tensors (P, 4) of proposals, xyxy, input px."""
    predictions: RoiPredictions
    """Predictions for the proposals of all images, one after the other."""


class RegionNetwork(nn.Module):
    """A detector of three choices: where proposals come from, what is cut out, what reads it.

    Its parts bear these names, and a composition says in which order they run. Their number of RoIs
    depends on the image. A trace would be wrong, so it is refused.

    Args:
        backbone: network (B, 3, H, W) -> (B, channels, H/16, W/16).
        proposals: source of proposals.
        pooling: module from a tensor and (R, 5) RoIs to what is cut out for each.
        head: module from what was cut out to ``RoiPredictions``.
    """

    compile_refusal = (
        "Region-based detectors have a different number of RoIs in each image, so only torch runs "
        "them. Use --backend torch."
    )
    export_refusal = "the number of its RoIs depends on the image, and a graph needs a fixed one"

    def __init__(
        self,
        backbone: nn.Module,
        proposals: SearchedProposals | ProposalNetwork,
        pooling: nn.Module,
        head: nn.Module,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.proposals = proposals
        self.pooling = pooling
        self.head = head

    def shared(self, images: Tensor) -> Tensor:
        """Compute what all RoIs of an image share: by default, the backbone's map."""
        features: Tensor = self.backbone(images)
        return features

    def roi_features(self, shared: Tensor, rois: Tensor) -> Tensor:
        """Compute what the head reads, from what RoIs share and (R, 5) rows of RoIs."""
        features: Tensor = self.pooling(shared, rois)
        return features

    def predict(self, shared: Tensor, xyxy: list[Tensor]) -> RoiPredictions:
        """Predict for proposals of each image, (P, 4), input px."""
        rows = roi_rows(xyxy)
        logits, offsets = self.head(self.roi_features(shared, rows))
        return RoiPredictions(logits.float(), offsets.float())

    def forward(self, images: Tensor) -> RegionOutputs:
        """Propose and predict, from (B, 3, H, W) normalised RGB."""
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise PipelineError(self.compile_refusal)
        shared = self.shared(images)
        rois = self.proposals(images, shared).xyxy
        return RegionOutputs(rois, self.predict(shared, rois))
