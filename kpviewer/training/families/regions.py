"""Training of region-based detectors: proposals, RoIs drawn from them, one loss for all parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.regions.architectures import REGION_ARCHITECTURES, REGION_SPEC
from kpviewer.models.networks.regions.detector import RegionDetector
from kpviewer.models.networks.regions.network import RegionNetwork
from kpviewer.models.networks.regions.proposals import ProposalNetwork, RegionTarget
from kpviewer.models.spec import ModelSpec
from kpviewer.training.building import box_spec, check_model, read_objects, start_pretrained
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.datasets import IGNORED, Batch
from kpviewer.training.data.proposal_cache import ProposalCache
from kpviewer.training.data.proposal_search import prepare
from kpviewer.training.data.samples import LoadSample, load_sample
from kpviewer.training.data.scenes import SceneObjective, SceneOptions
from kpviewer.training.losses.regions import RoiLosses, RoiLossOptions, drawn_rois, roi_losses
from kpviewer.training.ranges import Positive


@dataclass(frozen=True, slots=True)
class RegionsOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    name: str = ""
    """Name of the model and its file; empty: name of the architecture."""
    pretrained: str = ""
    """Weights of the backbone: "imagenet", or a .pt or .pth file of torchvision's classifier; for a
    light backbone, a model of kpviewer that has the same, such as face-ssd."""
    anchor_sides: tuple[Positive, Positive, Positive] | None = None
    """Square roots of the areas of the anchors, input px; None: 32, 64 and 128. For a proposal
    network only."""
    proposals_folder: str = ""
    """Folder that keeps the proposals of a search (``training.data.proposal_cache``); empty: the
    user's cache folder. For rcnn and fast-rcnn only."""
    scenes: SceneOptions = field(default_factory=SceneOptions)
    loss: RoiLossOptions = field(default_factory=RoiLossOptions)


class RegionsObjective(SceneObjective):
    """Trains a region-based detector on annotated images, end to end."""

    detector: RegionDetector

    def __init__(
        self,
        detector: RegionDetector,
        data: AnnotationSet,
        options: RegionsOptions,
        load: LoadSample = load_sample,
    ) -> None:
        super().__init__(detector, data, options.scenes, load)
        # those of the RoIs, then those of a proposal network
        self.loss_names = (*RoiLosses._fields, *detector.network.proposals.loss_names)
        self._options = options

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> tuple[Tensor, ...]:
        """Propose, draw RoIs, predict for them; compute the losses in the order of their names."""
        assert isinstance(network, RegionNetwork)
        options = self._options.loss
        targets = targets_of(batch)
        shared = network.shared(images)
        proposals = network.proposals(images, shared, targets)
        rois = drawn_rois(proposals.xyxy, targets, options)
        found = roi_losses(network.predict(shared, rois.xyxy), rois)
        weighted = (each * options.proposal_weight for each in proposals.losses)
        return (found.classification, found.boxes * options.box_weight, *weighted)


def targets_of(batch: Batch) -> list[RegionTarget]:
    """Return the ground truth of each image of a batch, without padding."""
    return [
        {
            "boxes": xyxy[class_ids >= 0],
            "labels": class_ids[class_ids >= 0] + 1,
            "ignored": xyxy[class_ids == IGNORED],
            "proposals": proposals[proposals[:, 2] > proposals[:, 0]],
        }
        for xyxy, class_ids, proposals in zip(
            batch.xyxy, batch.class_ids, batch.proposals, strict=True
        )
    ]


def regions_objective(config: TrainConfig, data_specs: Sequence[str]) -> RegionsObjective:
    """Read the data and build the objective of a recipe."""
    options = family_options(RegionsOptions, config)
    check_model(config, REGION_ARCHITECTURES)
    data = read_objects(data_specs)
    spec = box_spec(REGION_SPEC, config, options.name, data)
    detector = REGION_ARCHITECTURES[config.model](spec)
    start_pretrained(detector.network.backbone, config, options.pretrained)
    if isinstance(detector.network.proposals, ProposalNetwork):
        _set_up_network(detector.network.proposals, options, detector.spec)
        return RegionsObjective(detector, data, options)
    _refuse_network_options(options, detector.spec)
    cache = ProposalCache(options.proposals_folder)
    prepare(data.images, cache, config.workers)
    return RegionsObjective(detector, data, options, cache.sample)


def _set_up_network(proposals: ProposalNetwork, options: RegionsOptions, spec: ModelSpec) -> None:
    """Set the sides of the anchors, if a recipe has them."""
    if options.proposals_folder:
        raise DatasetError(
            f"{spec.architecture} doesn't search for proposals: a network predicts them. "
            "Leave out proposals_folder."
        )
    if options.anchor_sides is not None:
        proposals.anchor_generator.sides_px.copy_(torch.tensor(options.anchor_sides))


def _refuse_network_options(options: RegionsOptions, spec: ModelSpec) -> None:
    """Refuse options of a proposal network."""
    if options.anchor_sides is not None:
        raise DatasetError(
            f"{spec.architecture} has no anchors: it searches for its proposals. "
            "Leave out anchor_sides."
        )
    if options.loss.proposal_weight != RoiLossOptions().proposal_weight:
        raise DatasetError(
            f"{spec.architecture} has no proposal network: it searches for its proposals. "
            "Leave out loss.proposal_weight."
        )
