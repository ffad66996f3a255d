"""Training of the grid keypoint detector: on generated strip scenes, or on an annotated set.

``StripObjective`` is what the training loop wants of a family of models; it knows nothing of steps,
rates or files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import IterableDataset, get_worker_info
from torchvision.transforms import v2

from kpviewer.annotations.classes import align_classes
from kpviewer.annotations.spec import read_annotations
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.geometry import Letterbox
from kpviewer.models.grid import GRID_ARCHITECTURES, STRIDE, STRIP_SPEC, GridDetector
from kpviewer.models.spec import ModelSpec
from kpviewer.models.weights import ARCHITECTURES
from kpviewer.sources.opencv import cv2
from kpviewer.sources.strip_scenes import CLASS_NAMES, random_scene
from kpviewer.structures import FloatArray, ImageArray
from kpviewer.training.config import TrainConfig, family_options
from kpviewer.training.datasets import IGNORED, PADDED
from kpviewer.training.grid_loss import GridBatch, GridLossOptions, grid_losses
from kpviewer.training.merging import merge
from kpviewer.training.placement import Placement, place
from kpviewer.training.samples import Sample, load_sample
from kpviewer.training.transforms import SensorNoise

DEMO = "demo"
"""What generated scenes are called on the command line."""
DEMO_EPOCH_SCENES = 500
"""What counts as an epoch of generated scenes, of which no two are the same."""
SMALLEST_SCENE_PX = 96
_SEED_KEY = 0x7261696E
"""Keeps the scenes of training apart from every scene that is made from one number."""


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """How annotated pictures are changed."""

    scale: float = 0.1
    """Largest change of size, as a share."""
    shift_px: float = 8.0
    """Largest shift out of the input, px, where the whole picture fits in."""
    object_share: float = 0.8
    """Share of the crops of a larger picture that hold an object on purpose."""
    largest_px: float = 64.0
    """Objects with a longer side teach nothing: what is centred in their box isn't known."""


def spec_for(data: AnnotationSet | None) -> ModelSpec:
    """Describe a grid detector for an annotated set, or for generated scenes.

    The largest input is a square with the longest side of the pictures, so that they are looked at
    in their own size.
    """
    if data is None:
        return STRIP_SPEC
    longest = max((max(image.size_wh) for image in data.images), default=0)
    limit = -(-longest // STRIDE) * STRIDE or STRIP_SPEC.input_hw[0]
    return dataclasses.replace(STRIP_SPEC, class_names=data.class_names, input_hw=(limit, limit))


class StripObjective:
    """What a grid keypoint detector is trained to do.

    Args:
        detector: with the class names of the data.
        data: annotated pictures; None for generated scenes.
        loss: reach and weights.
        pictures: how annotated pictures are changed.

    Raises:
        DatasetError: if detector and data share no class, or nothing is annotated.
    """

    loss_names = ("offsets", "classes")

    def __init__(
        self,
        detector: GridDetector,
        data: AnnotationSet | None,
        loss: GridLossOptions | None = None,
        pictures: PictureOptions | None = None,
    ) -> None:
        names = detector.spec.class_names
        if data is None and names != CLASS_NAMES:
            raise DatasetError(f"Generated scenes show {CLASS_NAMES}, the detector wants {names}.")
        self.detector = detector
        self._data = None if data is None else align_classes(data, names)
        self._loss = loss or GridLossOptions()
        self._pictures = pictures or PictureOptions()

    def dataset(self, input_hw: tuple[int, int], seed: int) -> IterableDataset[Sample]:
        """Make an endless stream of pictures of one size: multiples of 32.

        Generated strips lie along the longer side, and along either in a square: train on squares
        for a detector that works both ways round.
        """
        if any(side % STRIDE for side in input_hw):
            raise DatasetError(f"Sides of the input must be multiples of {STRIDE}, got {input_hw}.")
        if self._data is None:
            return SceneStream(input_hw, seed)
        limit = self.detector.spec.input_hw
        return PictureStream(self._data, input_hw, limit, seed, self._pictures)

    @property
    def epoch_samples(self) -> int:
        """Pictures of the set, or a round number of generated ones."""
        return DEMO_EPOCH_SCENES if self._data is None else len(self._data)

    def collate(self, samples: list[Sample]) -> GridBatch:
        """Stack samples of one size, padding their targets to the longest list."""
        most = max(1, *(len(sample.xyxy) for sample in samples))
        centres = torch.zeros(len(samples), most, 2)
        class_ids = torch.full((len(samples), most), PADDED)
        for row, sample in enumerate(samples):
            count = len(sample.xyxy)
            unknown = sample.ignore | ~sample.labelled[:, 0]
            centres[row, :count] = torch.from_numpy(sample.points_xy[:, 0])
            class_ids[row, :count] = torch.from_numpy(np.where(unknown, IGNORED, sample.class_ids))
        images = torch.from_numpy(np.stack([sample.rgb for sample in samples]))
        return GridBatch(images.permute(0, 3, 1, 2), centres, class_ids)

    def losses(self, network: nn.Module, batch: GridBatch, images: Tensor) -> tuple[Tensor, ...]:
        """Run the network and compare.

        Args:
            network: the detector's, perhaps wrapped.
            batch: the truth, on the network's device.
            images: (B, 3, H, W) normalised float of the same pictures.
        """
        return tuple(grid_losses(network(images), batch, self._loss))


@dataclass(frozen=True, slots=True)
class StripOptions:
    """What a recipe of this family may say beside ``TrainConfig``."""

    loss: GridLossOptions = dataclasses.field(default_factory=GridLossOptions)
    pictures: PictureOptions = dataclasses.field(default_factory=PictureOptions)


def strip_objective(config: TrainConfig, data_specs: Sequence[str]) -> StripObjective:
    """Read the data, or take generated scenes where they are called "demo".

    Raises:
        DatasetError: if the data can't be read, or the recipe has a key that isn't known.
    """
    options = family_options(StripOptions, config)
    if config.model not in GRID_ARCHITECTURES:
        known = ", ".join(sorted(GRID_ARCHITECTURES))
        raise DatasetError(f"Family strip trains {known}, got {config.model!r}.")
    is_demo = list(data_specs) == [DEMO]
    data = None if is_demo else merge([read_annotations(spec) for spec in data_specs])
    told = "generated strip scenes" if data is None else ", ".join(data_specs)
    spec = dataclasses.replace(
        spec_for(data), name=config.model, architecture=config.model, trained_on=told
    )
    detector = ARCHITECTURES[config.model](spec)
    assert isinstance(detector, GridDetector)
    return StripObjective(detector, data, options.loss, options.pictures)


class SceneStream(IterableDataset[Sample]):
    """Endless generated scenes; the same seed and number of workers give the same stream."""

    def __init__(self, input_hw: tuple[int, int], seed: int) -> None:
        super().__init__()
        if min(input_hw) < SMALLEST_SCENE_PX:
            raise DatasetError(f"Scenes need sides of {SMALLEST_SCENE_PX} px, got {input_hw}.")
        self._input_hw, self._seed = input_hw, seed

    def __iter__(self) -> Iterator[Sample]:
        """Paint for ever."""
        rng = np.random.default_rng([_SEED_KEY, self._seed, _worker_number()])
        while True:
            bgr, truth = random_scene(rng, self._input_hw)
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            yield Sample(
                rgb, truth.xyxy, truth.class_ids, truth.keypoints_xy,
                truth.keypoints_visible, truth.difficult,
            )  # fmt: skip


class PictureStream(IterableDataset[Sample]):
    """Endless changed pictures of a set; every class is drawn as often as any other.

    Args:
        data: the set.
        input_hw: of the samples, px.
        limit_hw: the model's largest input: it sets the size at which pictures are looked at.
        seed: of the stream.
        options: how pictures are changed.
    """

    def __init__(
        self,
        data: AnnotationSet,
        input_hw: tuple[int, int],
        limit_hw: tuple[int, int],
        seed: int,
        options: PictureOptions,
    ) -> None:
        super().__init__()
        self._data, self._input_hw, self._limit_hw = data, input_hw, limit_hw
        self._seed, self._options = seed, options
        self._by_class = [
            rows
            for class_id in range(len(data.class_names))
            if (rows := [i for i, one in enumerate(data.images)
                         if class_id in one.targets.class_ids])
        ]  # fmt: skip
        if not self._by_class:
            raise DatasetError("The data set names no object, so there is nothing to learn.")

    def __iter__(self) -> Iterator[Sample]:
        """Change pictures for ever."""
        number = _worker_number()
        rng = np.random.default_rng([_SEED_KEY, self._seed, number])
        torch.manual_seed(self._seed * 1000 + number)
        colours = v2.Compose(
            [
                v2.RandomApply([v2.ColorJitter(brightness=0.35, contrast=0.3)], p=0.8),
                v2.RandomApply([v2.GaussianBlur((5, 5), (0.3, 1.2))], p=0.2),
                v2.RandomApply([SensorNoise()], p=0.2),
            ]
        )
        while True:
            rows = self._by_class[int(rng.integers(len(self._by_class)))]
            item = self._data.images[rows[int(rng.integers(len(rows)))]]
            sample = with_centres(load_sample(item), self._options.largest_px)
            placement = self._placement(sample, rng)
            moved = place(sample, placement, (), cv2.BORDER_CONSTANT)
            pixels = colours(torch.from_numpy(moved.rgb).permute(2, 0, 1))
            rgb: ImageArray = pixels.permute(1, 2, 0).contiguous().numpy()
            yield dataclasses.replace(moved, rgb=rgb)

    def _placement(self, sample: Sample, rng: np.random.Generator) -> Placement:
        """Draw a flip, a size and a place: the whole picture where it fits, else a part of it."""
        options = self._options
        scale = Letterbox.fit(sample.hw, self._limit_hw, STRIDE).scale_x
        scale *= 1 + rng.uniform(-options.scale, options.scale)
        # a half turn of the mirrored picture is the one flipped upside down
        is_mirrored, is_turned = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        wanted: FloatArray | None = None
        if len(sample.xyxy) and rng.random() < options.object_share:
            wanted = sample.points_xy[int(rng.integers(len(sample.xyxy))), 0]
        anchor, at = [], []
        for axis, flips in ((0, is_mirrored != is_turned), (1, is_turned)):
            side, room = sample.hw[1 - axis], self._input_hw[1 - axis]
            spare = room - side * scale
            if spare >= -options.shift_px:
                slack = max(abs(spare) / 2, options.shift_px)
                anchor.append(side / 2)
                at.append(room / 2 + float(rng.uniform(-slack, slack)))
                continue
            place_px = side / 2 if wanted is None else float(wanted[axis])
            half = side * scale / 2
            low, high = room - half, half  # of the picture's middle, so that no padding is seen
            aim = float(rng.uniform(STRIDE, room - STRIDE)) if wanted is not None else None
            way = -1.0 if flips else 1.0
            middle = float(rng.uniform(low, high)) if aim is None else (
                aim - way * (place_px - side / 2) * scale
            )  # fmt: skip
            anchor.append(side / 2)
            at.append(min(max(middle, low), high))
        angle = float(np.pi) if is_turned else 0.0
        return Placement(
            (anchor[0], anchor[1]), (at[0], at[1]), float(scale), angle, is_mirrored, self._input_hw
        )


def with_centres(sample: Sample, largest_px: float) -> Sample:
    """Make the box's centre the only point of each object; ignore those longer than given."""
    xyxy = sample.xyxy
    centres = ((xyxy[:, :2] + xyxy[:, 2:]) / 2)[:, None].astype(np.float32)
    too_long = (xyxy[:, 2:] - xyxy[:, :2]).max(1, initial=0) > largest_px
    labelled = np.ones((len(xyxy), 1), np.bool_)
    return Sample(sample.rgb, xyxy, sample.class_ids, centres, labelled, sample.ignore | too_long)


def _worker_number() -> int:
    worker = get_worker_info()
    return worker.id if worker else 0
