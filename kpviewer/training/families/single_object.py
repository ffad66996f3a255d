"""Training of single-object models: class and box together, or one after the other.

Sources of the losses: Girshick 2015, Fast R-CNN (arXiv:1504.08083), eq. 1-3, for cross-entropy and
smooth L1 side by side; Rezatofighi et al. 2019 (arXiv:1902.09630) for GIoU.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import generalized_box_iou_loss

from kpviewer.annotations.derived.single import with_one_object
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.boxes import cxcywh_to_xyxy, xyxy_to_cxcywh
from kpviewer.models.networks.single_object import SINGLE_OBJECT_ARCHITECTURES, SingleObjectDetector
from kpviewer.models.spec import Task
from kpviewer.training.building import check_model, read_sets, start_pretrained
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.crops import JitterOptions
from kpviewer.training.data.datasets import Batch, collate
from kpviewer.training.data.samples import Sample
from kpviewer.training.data.whole_images import WholeImageStream, whole_image_spec
from kpviewer.training.objective import Objective, train_part
from kpviewer.training.ranges import InnerShare, NotNegative, Positive, Share

Order: TypeAlias = Literal["together", "backbone-first"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SingleObjectLossOptions:
    """Weights of the parts of the loss."""

    classes: NotNegative = 1.0
    """Weight of the cross-entropy of classes."""
    box: NotNegative = 5.0
    """Weight of the smooth L1 of cx, cy, w, h in shares of the image."""
    beta: Positive = 0.05
    """Error at which smooth L1 turns from quadratic to linear, in shares of the image."""
    overlap: NotNegative = 1.0
    """Weight of 1 - GIoU."""
    label_smoothing: Share = 0.05
    """Label smoothing of the cross-entropy."""


@dataclass(frozen=True, slots=True)
class SingleObjectOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    name: str = ""
    """Name of the model and its file; empty: name of the architecture."""
    order: Order = "together"
    """"together": backbone and both heads learn from both losses; "backbone-first": backbone and
    class head learn classes, then both are frozen and the box head learns."""
    class_share: InnerShare = 0.6
    """Share of the steps that train classes, with "backbone-first"."""
    pretrained: str = ""
    """Weights of the backbone: "imagenet", or a .pt or .pth file of torchvision's classifier."""
    jitter: JitterOptions = field(default_factory=JitterOptions)
    loss: SingleObjectLossOptions = field(default_factory=SingleObjectLossOptions)


class SingleObjectLosses(NamedTuple):
    """Weighted parts of the loss; scalars."""

    classes: Tensor
    box: Tensor
    overlap: Tensor


class SingleObjectObjective(Objective):
    """Trains the class and the box of single objects."""

    detector: SingleObjectDetector
    loss_names = SingleObjectLosses._fields
    collate = staticmethod(collate)

    def __init__(
        self,
        detector: SingleObjectDetector,
        data: AnnotationSet,
        options: SingleObjectOptions,
        class_steps: int,
    ) -> None:
        super().__init__(detector, len(data))
        self._data, self._options, self._class_steps = data, options, class_steps

    def dataset(self, input_hw: tuple[int, int], seed: int) -> WholeImageStream:
        """Return a stream of jittered images whose object is inside."""
        images, jitter = self._data.images, self._options.jitter
        return WholeImageStream(images, input_hw, seed, jitter, _shows_its_object)

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> SingleObjectLosses:
        """Compute the losses of the present phase; those of other phases are 0."""
        input_hw, own = (images.shape[2], images.shape[3]), self.detector.network
        is_first = self._step < self._class_steps
        if self._options.order == "backbone-first":
            train_part(own.backbone, is_first)
            train_part(own.classes, is_first)
            train_part(own.box, not is_first)
        found = single_object_losses(network(images), batch, input_hw, self._options.loss)
        if self._options.order == "together":
            return found
        if is_first:
            return SingleObjectLosses(found.classes, found.box * 0, found.overlap * 0)
        return SingleObjectLosses(found.classes * 0, found.box, found.overlap)


def single_object_losses(
    raw: tuple[Tensor, Tensor],
    batch: Batch,
    input_hw: tuple[int, int],
    options: SingleObjectLossOptions,
) -> SingleObjectLosses:
    """Compare the output of the network with the ground truth.

    Args:
        raw: logits (B, C), and boxes (B, 4) cxcywh in shares of the input.
        batch: the ground truth, one object for each image.
        input_hw: input size, px.
        options: weights.
    """
    logits, found_n = raw
    height, width = input_hw
    xyxy = batch.xyxy[:, 0]
    target_xyxy_n = xyxy / xyxy.new_tensor([width, height, width, height])
    target_n = xyxy_to_cxcywh(target_xyxy_n)
    classes = functional.cross_entropy(
        logits, batch.class_ids[:, 0], label_smoothing=options.label_smoothing
    )
    box = functional.smooth_l1_loss(found_n, target_n, beta=options.beta)
    found_xyxy_n = cxcywh_to_xyxy(found_n)
    overlap = generalized_box_iou_loss(found_xyxy_n, target_xyxy_n, reduction="mean")
    return SingleObjectLosses(
        classes * options.classes, box * options.box, overlap * options.overlap
    )


def _shows_its_object(sample: Sample) -> bool:
    return len(sample.xyxy) == 1 and not sample.ignore[0]


def single_object_objective(
    config: TrainConfig, data_specs: Sequence[str]
) -> SingleObjectObjective:
    """Read the data and build the objective of a recipe.

    Images without exactly one object are left out; a warning counts them.

    Raises:
        DatasetError: if the data can't be read, no image has exactly one object, or the recipe
            is wrong.
        WeightsError: if the weights of the backbone can't be read, or don't fit.
    """
    options = family_options(SingleObjectOptions, config)
    check_model(config, SINGLE_OBJECT_ARCHITECTURES)
    data = with_one_object(read_sets(data_specs))
    if not data.images:
        raise DatasetError(
            "A data set of single objects must have images with exactly one, got none. "
            "Train several objects with light-ssd."
        )
    for note in data.notes:
        _log.warning("%s", note)
    spec = whole_image_spec(config, options.name, Task.DETECT, data)
    detector = SINGLE_OBJECT_ARCHITECTURES[config.model](spec)
    start_pretrained(detector.network.backbone, config, options.pretrained)
    return SingleObjectObjective(detector, data, options, round(config.steps * options.class_share))
