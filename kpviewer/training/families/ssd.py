"""Training of the face SSD: composed images, matched anchors, refined points."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor, nn

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.ssd.detector import SsdDetector
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC
from kpviewer.training.building import check_model, read_sets
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.datasets import Batch, MosaicStream, StreamOptions, collate
from kpviewer.training.data.merging import sources_of, without_pseudo_points
from kpviewer.training.data.mosaic import MosaicOptions
from kpviewer.training.data.transforms import LightOptions
from kpviewer.training.losses.refining import refiner_loss
from kpviewer.training.losses.ssd import SsdLosses, SsdLossOptions, ssd_losses
from kpviewer.training.objective import Objective
from kpviewer.training.ranges import Share


@dataclass(frozen=True, slots=True)
class SsdOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    learn: Literal["all", "detector", "refiner"] = "all"
    """Trained parts: "refiner" is the network that refines points; "detector", all but it."""
    pseudo_points: bool = True
    """Whether points that a detector placed (``pseudo`` in the data) are targets."""
    occluded_share: Share = 0.2
    """Share of the faces that are covered in part."""
    source_shares: Mapping[str, Share] = field(default_factory=dict)
    """Share of the draws from a source of images, by its name; the others have the rest."""
    light: LightOptions = field(default_factory=LightOptions)
    mosaic: MosaicOptions = field(default_factory=MosaicOptions)
    loss: SsdLossOptions = field(default_factory=SsdLossOptions)


class SsdObjective(Objective):
    """Trains an SSD on annotated images."""

    detector: SsdDetector
    loss_names = SsdLosses._fields
    collate = staticmethod(collate)

    def __init__(self, detector: SsdDetector, data: AnnotationSet, options: SsdOptions) -> None:
        super().__init__(detector, len(data))
        self._data = data if options.pseudo_points else without_pseudo_points(data)
        self._options = options
        if options.learn == "refiner":
            if detector.network.point_refiner is None:
                raise DatasetError(f"{detector.spec.name} has no refiner to train. Set learn=all.")
            detector.network.requires_grad_(False)
            detector.network.point_refiner.requires_grad_(True)

    def dataset(self, input_hw: tuple[int, int], seed: int) -> MosaicStream:
        """Return a stream of composed images."""
        stream = StreamOptions(
            hw=input_hw,
            seed=seed,
            swap=self.detector.spec.mirrored_keypoints,
            mosaic=self._options.mosaic,
            occluded_share=self._options.occluded_share,
            light=self._options.light,
            source_shares=self._options.source_shares,
        )
        return MosaicStream(self._data, stream)

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> SsdLosses:
        """Compute class, box and point losses; the refiner reads windows that are jittered."""
        refiner, options = self.detector.network.point_refiner, self._options.loss
        refined = images.new_zeros(())
        if refiner is not None and self._options.learn != "detector":
            refined = options.refiner_weight * refiner_loss(refiner, images, batch)
        if self._options.learn == "refiner":
            zero = images.new_zeros(())
            return SsdLosses(zero, zero, zero, refined)
        input_hw = (images.shape[2], images.shape[3])
        anchors = self.detector.network.anchors(input_hw, images.device)
        found = ssd_losses(network(images), batch, anchors, options)
        return found._replace(refined_points=refined)


def ssd_objective(config: TrainConfig, data_specs: Sequence[str]) -> SsdObjective:
    """Read the data and build the objective of a recipe."""
    options = family_options(SsdOptions, config)
    check_model(config, (FACE_SPEC.architecture,))
    data = read_sets(data_specs)
    if data.keypoint_names != FACE_SPEC.keypoint_names:
        raise DatasetError(
            f"{config.model} is trained on faces with the keypoints "
            f"{', '.join(FACE_SPEC.keypoint_names)}; the data have "
            f"{', '.join(data.keypoint_names) or 'none'}. For boxes without keypoints, use the "
            "recipe light-ssd."
        )
    spec = dataclasses.replace(FACE_SPEC, trained_on=sources_of(data))
    detector = ARCHITECTURES[config.model](spec)
    assert isinstance(detector, SsdDetector)
    return SsdObjective(detector, data, options)
