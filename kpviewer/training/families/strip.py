"""Training of the grid keypoint detector, on generated strip scenes or on an annotated set."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.utils.data import IterableDataset

from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.grid import GRID_ARCHITECTURES, STRIDE, STRIP_SPEC, GridDetector
from kpviewer.models.spec import ModelSpec
from kpviewer.sources.synthetic.strip.world import CLASS_NAMES
from kpviewer.training.building import check_model, read_sets
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.datasets import Batch, collate
from kpviewer.training.data.samples import Sample
from kpviewer.training.data.strip_images import ImageOptions, StripImageStream, StripSceneStream
from kpviewer.training.losses.grid import GridLossOptions, grid_losses
from kpviewer.training.objective import Objective

DEMO = "demo"
"""Name of generated scenes on the command line."""
DEMO_EPOCH_SCENES = 500
"""Number of scenes in an epoch of generated scenes, no two of which are the same."""


def spec_for(data: AnnotationSet | None) -> ModelSpec:
    """Describe a grid detector for an annotated set, or for generated scenes.

    The largest input is a square of the longest side of the images: the detector runs on them at
    their own size.
    """
    if data is None:
        return STRIP_SPEC
    longest = max((max(image.size_wh) for image in data.images), default=0)
    limit = -(-longest // STRIDE) * STRIDE or STRIP_SPEC.input_hw[0]
    return dataclasses.replace(STRIP_SPEC, class_names=data.class_names, input_hw=(limit, limit))


class StripObjective(Objective):
    """Trains a grid keypoint detector; without ``data``, on generated scenes.

    Raises:
        DatasetError: if detector and data share no class, or nothing is annotated.
    """

    detector: GridDetector
    loss_names = ("offsets", "classes")
    collate = staticmethod(collate)

    def __init__(
        self,
        detector: GridDetector,
        data: AnnotationSet | None,
        loss: GridLossOptions | None = None,
        images: ImageOptions | None = None,
    ) -> None:
        names = detector.spec.class_names
        if data is None and names != CLASS_NAMES:
            raise DatasetError(f"Generated scenes show {CLASS_NAMES}, the detector has {names}.")
        super().__init__(detector, DEMO_EPOCH_SCENES if data is None else len(data))
        self._data = None if data is None else align_classes(data, names)
        self._loss = loss or GridLossOptions()
        self._images = images or ImageOptions()

    def dataset(self, input_hw: tuple[int, int], seed: int) -> IterableDataset[Sample]:
        """Return an endless stream of images of one size: multiples of 32.

        Generated strips are along the longer side; in a square, along either. Train on squares for
        a detector of both orientations.
        """
        if any(side % STRIDE for side in input_hw):
            raise DatasetError(f"Sides of the input must be multiples of {STRIDE}, got {input_hw}.")
        if self._data is None:
            return StripSceneStream(input_hw, seed)
        limit = self.detector.spec.input_hw
        return StripImageStream(self._data, input_hw, limit, seed, self._images)

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the losses of offsets and classes."""
        return tuple(grid_losses(network(images), batch, self._loss))


@dataclass(frozen=True, slots=True)
class StripOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    loss: GridLossOptions = dataclasses.field(default_factory=GridLossOptions)
    images: ImageOptions = dataclasses.field(default_factory=ImageOptions)


def strip_objective(config: TrainConfig, data_specs: Sequence[str]) -> StripObjective:
    """Read the data, or use generated scenes if the data are "demo"; build the objective.

    Raises:
        DatasetError: if the data can't be read, or the recipe is wrong.
    """
    options = family_options(StripOptions, config)
    check_model(config, GRID_ARCHITECTURES)
    is_demo = list(data_specs) == [DEMO]
    data = None if is_demo else read_sets(data_specs)
    origin = "generated strip scenes" if data is None else ", ".join(data_specs)
    spec = dataclasses.replace(
        spec_for(data), name=config.model, architecture=config.model, trained_on=origin
    )
    detector = ARCHITECTURES[config.model](spec)
    assert isinstance(detector, GridDetector)
    return StripObjective(detector, data, options.loss, options.images)
