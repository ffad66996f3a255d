"""Training of point networks on annotated objects, and streams of their crops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.utils.data import IterableDataset

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.metrics.keypoint import FACE_POINTS
from kpviewer.models.names.coco_keypoints import mirrored_keypoints
from kpviewer.models.networks.points.crops import regions_around
from kpviewer.models.networks.points.network import (
    BOX_MIN_POINTS,
    POINT_ARCHITECTURES,
    PointDetector,
)
from kpviewer.models.spec import MAX_TTA_RUNS, ModelSpec, Task
from kpviewer.sources.opencv import cv2
from kpviewer.training.building import check_model, read_sets, start_pretrained
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.data.crops import JitterOptions, jittered
from kpviewer.training.data.datasets import Batch, SampleCache, collate
from kpviewer.training.data.label_bias import LabelBias, NamedBias
from kpviewer.training.data.merging import sources_of, without_pseudo_points
from kpviewer.training.data.occlusion import occlude_faces
from kpviewer.training.data.placement import Placement, place
from kpviewer.training.data.samples import Sample, only
from kpviewer.training.data.streams import recoloured, usable, worker_rng
from kpviewer.training.data.transforms import photometric
from kpviewer.training.losses.points import PointLossOptions, coordinate_loss, read_heat_loss
from kpviewer.training.objective import Objective, train_part
from kpviewer.training.ranges import CountOrZero, Positive, Share

_NONE_SWAPS = (
    "no keypoint swaps in mirrored crops, as none is called left or right. If some should, name "
    "them so, as left_eye and right_eye, or set jitter.mirror=0"
)
STRIDE = 32
"""Stride of the backbones, px; the sides of an input are multiples of it."""


@dataclass(frozen=True, slots=True)
class PointOptions:
    """Options of a recipe of this family, beside ``TrainConfig``."""

    name: str = ""
    """Name of the model and its file; empty: name of the architecture."""
    crop: Literal["box", "image"] = "box"
    """Input of the network: a crop around each object's box, or whole images."""
    margin: Positive = 1.25
    """Side of the crop over that of the box."""
    pseudo_points: bool = True
    """Whether points that a detector placed (``pseudo`` in the data) are targets."""
    pretrained: str = ""
    """Weights of the backbone: "imagenet", which torchvision downloads, or a .pt or .pth file of
    torchvision's classifier; empty: random weights."""
    frozen_steps: CountOrZero = 0
    """Number of first steps in which a pretrained backbone is frozen."""
    tta_runs: Annotated[int, Meta(ge=1, le=MAX_TTA_RUNS)] = 1
    """Number of runs of the trained network on shifted copies of an image, for the mean."""
    occluded_share: Share = 0.0
    """Share of the objects that are covered in part; only for faces of five points."""
    mirrored_bias: NamedBias = field(default_factory=dict)
    """Bias of the labels of sources that are shifted against each other (``label_bias``). Sources
    absent from the data are ignored."""
    jitter: JitterOptions = field(default_factory=JitterOptions)
    loss: PointLossOptions = field(default_factory=PointLossOptions)


class PointStream(IterableDataset[Sample]):
    """Endless jittered crops; the same seed and number of workers give the same stream."""

    def __init__(
        self,
        objects: Sequence[tuple[AnnotatedImage, int]],
        input_hw: tuple[int, int],
        seed: int,
        swap: tuple[int, ...],
        options: PointOptions,
        bias: LabelBias | None = None,
    ) -> None:
        super().__init__()
        self._objects, self._options, self._bias = objects, options, bias
        self._input_hw, self._seed, self._swap = input_hw, seed, swap

    def __iter__(self) -> Iterator[Sample]:
        """Yield crops without end."""
        colours, rng = photometric(), worker_rng(self._seed)
        for sample in usable(self._cropped(rng), lambda sample: bool(sample.labelled.any())):
            yield recoloured(sample, colours) if self._options.jitter.colours else sample

    def _cropped(self, rng: np.random.Generator) -> Iterator[Sample]:
        cache = SampleCache()
        while True:
            item, row = self._objects[int(rng.integers(len(self._objects)))]
            whole = only(cache.load(item), row)
            placement = self._placement(whole, rng)
            if placement.mirror and self._bias is not None:
                whole = self._bias.before_mirroring(whole, item, row)
            if self._options.occluded_share:
                whole = occlude_faces(whole, rng, self._options.occluded_share)
            yield place(whole, placement, self._swap, cv2.BORDER_CONSTANT)

    def _placement(self, sample: Sample, rng: np.random.Generator) -> Placement:
        height, width = sample.hw
        box = np.array([0, 0, width, height], np.float32)
        margin = 1.0
        if self._options.crop == "box":
            box, margin = sample.xyxy[0], self._options.margin
        return jittered(box, margin, self._input_hw, self._options.jitter, rng)


class PointObjective(Objective):
    """Trains a point network on annotated objects.

    Raises:
        DatasetError: if no object has a labelled point, or the options don't fit the points.
    """

    detector: PointDetector
    loss_names = ("points",)
    collate = staticmethod(collate)

    def __init__(self, detector: PointDetector, data: AnnotationSet, options: PointOptions) -> None:
        self._options = options
        self._objects = labelled_objects(
            data if options.pseudo_points else without_pseudo_points(data)
        )
        if not self._objects:
            raise DatasetError(
                "A data set to train points on must have objects with labelled points, got none. "
                "Label keypoints, or train boxes with light-ssd."
            )
        super().__init__(detector, len(self._objects))
        names, swap = detector.spec.keypoint_names, detector.spec.mirrored_keypoints
        if options.occluded_share and len(names) != FACE_POINTS:
            raise DatasetError(
                f"occluded_share is for faces of {FACE_POINTS} points, got {len(names)} points. "
                "Leave it at 0."
            )
        sources = {item.source for item, _ in self._objects}
        named = {name: bias for name, bias in options.mirrored_bias.items() if name in sources}
        if options.jitter.mirror and not swap and len(names) > 1:
            self.notes = (_NONE_SWAPS,)
        self._bias = LabelBias(named, names, swap or range(len(names)))
        self._extent = mean_extent(self._objects)
        self._describe()
        margin = float(detector.network.crop_margin)
        detector.network.head.start_at(
            mean_points(
                self._objects,
                detector.spec.input_hw,
                margin,
                swap if options.jitter.mirror else (),
            )
        )

    def _describe(self) -> None:
        """Store in the network the margin of its crops and the mean box around its points."""
        network = self.detector.network
        network.crop_margin.fill_(0.0 if self._options.crop == "image" else self._options.margin)
        if self._extent is not None:
            network.box_extent.copy_(self._extent)

    def dataset(self, input_hw: tuple[int, int], seed: int) -> PointStream:
        """Return a stream of jittered crops."""
        if any(side % STRIDE for side in input_hw):
            raise DatasetError(
                f"Inputs of point models must be multiples of {STRIDE}, got {input_hw}."
            )
        self._describe()  # again: initial weights may be of other crops
        swap = self.detector.spec.mirrored_keypoints
        return PointStream(self._objects, input_hw, seed, swap, self._options, self._bias)

    def losses(self, network: nn.Module, batch: Batch, images: Tensor) -> tuple[Tensor]:
        """Compute the mean loss of the points."""
        if self._options.frozen_steps:
            train_part(self.detector.network.backbone, self._step >= self._options.frozen_steps)
        input_hw = (images.shape[2], images.shape[3])
        points_xy, labelled = batch.points_xy[:, 0], batch.labelled[:, 0]  # of one object each
        size = points_xy.new_tensor([input_hw[1], input_hw[0]])
        target_n = points_xy / size * 2 - 1
        raw, options = network(images), self._options.loss
        if raw.ndim == 4:
            return (read_heat_loss(raw, target_n, labelled, input_hw, options),)
        return (coordinate_loss(raw, target_n, labelled, input_hw, options),)


def labelled_objects(data: AnnotationSet) -> list[tuple[AnnotatedImage, int]]:
    """Return the objects that have a labelled point, as images and rows."""
    return [
        (image, row)
        for image in data.images
        for row in range(len(image.targets))
        if image.keypoints_labelled[row].any() and not image.targets.difficult[row]
    ]


def mean_points(
    objects: Sequence[tuple[AnnotatedImage, int]],
    input_hw: tuple[int, int],
    margin: float,
    swap: tuple[int, ...],
) -> Tensor:
    """Compute the mean position of each point in crops without jitter.

    Args:
        objects: images and rows.
        input_hw: size of the crops, px.
        margin: margin of the crops; 0: whole images.
        swap: index that each point takes in mirrored images; empty if none are mirrored.

    Returns:
        (K, 2) normalised; 0 for unknown points.
    """
    usable = [(image, row) for image, row in objects if margin or image.size_wh != (0, 0)]
    if not usable:
        return torch.zeros(objects[0][0].targets.keypoints_xy.shape[1], 2)
    boxes = np.stack([
        image.targets.xyxy[row] if margin else np.array((0, 0, *image.size_wh), np.float32)
        for image, row in usable
    ])  # fmt: skip
    regions = regions_around(torch.from_numpy(boxes), margin or 1.0, input_hw)[:, None]  # (N, 1, 4)
    points = torch.from_numpy(np.stack([i.targets.keypoints_xy[row] for i, row in usable]))
    known = torch.from_numpy(np.stack([i.keypoints_labelled[row] for i, row in usable]))
    positions = (points - regions[..., :2]) / (regions[..., 2:] - regions[..., :2]) * 2 - 1
    mean = torch.where(known[..., None], positions, torch.nan).nanmean(0).nan_to_num()
    if swap:
        mean = (mean + mean[list(swap)] * mean.new_tensor([-1.0, 1.0])) / 2
    return mean


def mean_extent(objects: Sequence[tuple[AnnotatedImage, int]]) -> Tensor | None:
    """Compute the mean box around the points, (4,), for ``networks.points.network.boxes_around``.

    Return None if no object has all of at least three points.
    """
    whole = [(image, row) for image, row in objects if image.keypoints_labelled[row].all()]
    if not whole or whole[0][0].targets.keypoints_xy.shape[1] < BOX_MIN_POINTS:
        return None
    points = np.stack([image.targets.keypoints_xy[row] for image, row in whole])  # (N, K, 2)
    boxes = np.stack([image.targets.xyxy[row] for image, row in whole])
    centre = points.mean(1)
    radius = np.sqrt(((points - centre[:, None]) ** 2).sum(-1).mean(-1, keepdims=True))
    extent = (boxes - np.concatenate([centre, centre], 1)) / np.maximum(radius, 1e-3)
    return torch.from_numpy(np.median(extent, 0).astype(np.float32))


def point_objective(config: TrainConfig, data_specs: Sequence[str]) -> PointObjective:
    """Read the data and build the objective of a recipe."""
    options = family_options(PointOptions, config)
    check_model(config, POINT_ARCHITECTURES)
    data = read_sets(data_specs)
    if not data.keypoint_names:
        raise DatasetError(
            "A data set to train points on must name keypoints, got none. Use COCO keypoints, or "
            "train boxes with light-ssd."
        )
    detector = POINT_ARCHITECTURES[config.model](_spec(config, options, data))
    start_pretrained(detector.network.backbone, config, options.pretrained)
    return PointObjective(detector, data, options)


def _spec(config: TrainConfig, options: PointOptions, data: AnnotationSet) -> ModelSpec:
    swap = data.mirrored_keypoints or mirrored_keypoints(data.keypoint_names)
    return ModelSpec(
        name=options.name or config.model,
        architecture=config.model,
        task=Task.KEYPOINTS,
        class_names=data.class_names[:1] or ("object",),
        input_hw=config.largest_input_hw,
        keypoint_names=data.keypoint_names,
        skeleton=data.skeleton,
        tta_runs=options.tta_runs,
        mirrored_keypoints=swap if swap != tuple(range(len(swap))) else (),
        trained_on=sources_of(data),
    )
