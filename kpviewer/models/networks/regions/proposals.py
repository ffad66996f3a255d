"""Where proposals come from: selective search, or a region proposal network.

R-CNN and Fast R-CNN search an image for segments that belong together, before any network sees it.
Faster R-CNN and R-FCN predict proposals from the map that the detector reads anyway.
"""

from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead

from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.networks.boxes import box_area, intersection
from kpviewer.models.networks.regions.selective_search import FAST, selective_search
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import ImageArray

RegionTarget: TypeAlias = dict[str, Tensor]
"""Ground truth of one training image, by torchvision's names; boxes are xyxy, input px:

- ``boxes``: (T, 4) objects, and ``labels``: (T,) int64, their classes from 1;
- ``ignored``: (I, 4) objects that are neither positives nor background;
- ``proposals``: (P, 4) boxes that were searched for beforehand; none for a proposal network.
"""

ANCHOR_SIDES_PX = (32.0, 64.0, 128.0)
"""Square roots of the three areas of the anchors. The authors have 128, 256 and 512 px for images
of 600 x 1000 px; these are the same shares of an input of 320 x 320 px, whose objects measure 20 to
300 px."""
ANCHOR_RATIOS = (0.5, 1.0, 2.0)
"""Ratios of height to width."""
IGNORE_OVERLAP = 0.4
"""Share of an anchor or proposal inside an ignored object from which it isn't background."""

LEAST_SIDE_PX = 5.0
"""Side below which searched proposals are left out: in training, ``placement`` leaves them out."""


class Proposals(NamedTuple):
    """Boxes of B images that may hold an object, and the losses of the network that found them."""

    xyxy: list[Tensor]
    """B tensors (P, 4), input px, best first; P differs between images."""
    losses: tuple[Tensor, ...] = ()
    """Scalars, in the order of ``loss_names``; none outside training."""


class SearchedProposals(nn.Module):
    """Selective search on the pixels of the input: about 2,000 proposals, found on the CPU.

    It learns nothing. In training, the proposals of each image were searched for beforehand.

    Args:
        spec: description of the model, by which normalised inputs become pixels again.
    """

    loss_names: tuple[str, ...] = ()
    takes_seconds = True
    """Whether a frame takes seconds (``models.base.takes_seconds``)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__()
        self._spec = spec

    def forward(
        self, images: Tensor, features: Tensor, targets: list[RegionTarget] | None = None
    ) -> Proposals:
        """Search (B, 3, H, W) normalised images, or return the proposals of the targets."""
        if targets is not None:
            return Proposals([target["proposals"] for target in targets])
        if images.is_meta:  # a dry run has no pixels
            return Proposals([images.new_empty(FAST.most, 4) for _ in images])
        pixels = Normalisation(self._spec, images.device).pixels(images)
        found = [_searched(rgb) for rgb in pixels.permute(0, 2, 3, 1).cpu().numpy()]
        return Proposals([xyxy.to(images.device) for xyxy in found])


def _searched(rgb: ImageArray) -> Tensor:
    """Return the proposals of an image: (P, 4)."""
    xyxy = torch.from_numpy(selective_search(rgb))
    return xyxy[(xyxy[:, 2:] - xyxy[:, :2]).amin(1) >= LEAST_SIDE_PX]


class ProposalNetwork(RegionProposalNetwork):  # type: ignore[misc]
    """Nine anchors at each place of a map, each with an objectness and box offsets.

    Anchors are labelled by IoU: objects from 0.7, and the best of each object; background below
    0.3. Of each training image, 256 are compared with the ground truth, objects and background at
    1:1, as far as there are objects.

    Source: Ren et al. 2015, Faster R-CNN, section 3.1 (arXiv:1506.01497).
    """

    loss_names: tuple[str, ...] = ("objectness", "proposal_boxes")

    def __init__(self, channels: int) -> None:
        super().__init__(
            Anchors(),
            RPNHead(channels, len(ANCHOR_SIDES_PX) * len(ANCHOR_RATIOS)),
            fg_iou_thresh=0.7,
            bg_iou_thresh=0.3,
            batch_size_per_image=256,
            positive_fraction=0.5,
            pre_nms_top_n={"training": 1000, "testing": 1000},
            post_nms_top_n={"training": 300, "testing": 300},
            nms_thresh=0.7,
        )

    def forward(
        self, images: Tensor, features: Tensor, targets: list[RegionTarget] | None = None
    ) -> Proposals:
        """Predict from (B, C, h, w) features of (B, 3, H, W) images; with targets, the losses too.

        Boxes are computed in single precision, as half of it would round them to whole pixels.
        """
        if features.is_meta:  # a dry run has no scores to choose by
            count = self.post_nms_top_n()
            return Proposals([features.new_empty(count, 4) for _ in images])
        sizes_hw = [(images.shape[2], images.shape[3])] * len(images)
        with torch.autocast(features.device.type, enabled=False):
            xyxy, losses = super().forward(
                ImageList(images, sizes_hw), {"shared": features.float()}, targets
            )
        return Proposals(xyxy, tuple(losses.values()))

    def assign_targets_to_anchors(
        self, anchors: list[Tensor], targets: list[RegionTarget]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Label anchors as torchvision does, but leave out background inside ignored objects."""
        labels, boxes = super().assign_targets_to_anchors(anchors, targets)
        for own, xyxy, target in zip(labels, anchors, targets, strict=True):
            own[(own == 0) & is_ignored(xyxy, target["ignored"])] = -1
        return labels, boxes


class Anchors(AnchorGenerator):  # type: ignore[misc]
    """torchvision's anchors of one map, whose sides are saved with the weights.

    They are centred on the first corner of each cell.
    """

    sides_px: Tensor
    """(3,) float, square roots of the areas."""

    def __init__(self) -> None:
        super().__init__((ANCHOR_SIDES_PX,), (ANCHOR_RATIOS,))
        self.register_buffer("sides_px", torch.tensor(ANCHOR_SIDES_PX))

    def set_cell_anchors(self, dtype: torch.dtype, device: torch.device) -> None:
        """Compute the anchors of a cell from the saved sides."""
        ratios: Any = ANCHOR_RATIOS
        self.cell_anchors = [self.generate_anchors(self.sides_px, ratios, dtype, device)]


def is_ignored(xyxy: Tensor, ignored: Tensor) -> Tensor:
    """Return which of (N, 4) boxes lie inside one of (I, 4) ignored objects: (N,) bool."""
    shared = intersection(xyxy, ignored)  # (N, I)
    return (shared > IGNORE_OVERLAP * box_area(xyxy)[:, None]).any(1)
