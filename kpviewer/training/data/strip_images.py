"""Streams for the grid keypoint detector: generated strip scenes, and augmented images of a set."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import IterableDataset
from torchvision.transforms import v2

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.geometry import Letterbox
from kpviewer.models.networks.grid import STRIDE
from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.strip.scenes import random_scene
from kpviewer.structures import FloatArray
from kpviewer.training.data.placement import Placement, place
from kpviewer.training.data.samples import Sample, load_sample
from kpviewer.training.data.streams import recoloured, worker_rng
from kpviewer.training.data.transforms import SensorNoise
from kpviewer.training.ranges import NotNegative, Positive, Share, ShareBelowOne

SMALLEST_SCENE_PX = 96
_SEED_KEY = 0x7261696E
"""Distinguishes the scenes of training from every scene that is made from one number."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """Augmentation of annotated images."""

    scale: ShareBelowOne = 0.1
    """Largest change of size, as a share."""
    shift_px: NotNegative = 8.0
    """Largest shift out of the input, px, if the whole image fits in."""
    object_share: Share = 0.8
    """Share of the crops of a larger image that are chosen to hold an object."""
    largest_px: Positive = 64.0
    """Longest side of an object; longer ones are ignored, for their centre isn't that of a mark."""


class StripSceneStream(IterableDataset[Sample]):
    """Endless generated scenes; the same seed and number of workers give the same stream."""

    def __init__(self, input_hw: tuple[int, int], seed: int) -> None:
        super().__init__()
        if min(input_hw) < SMALLEST_SCENE_PX:
            raise DatasetError(
                f"Scenes must have sides of at least {SMALLEST_SCENE_PX} px, got {input_hw}."
            )
        self._input_hw, self._seed = input_hw, seed

    def __iter__(self) -> Iterator[Sample]:
        """Yield scenes without end."""
        rng = worker_rng(self._seed, _SEED_KEY)
        while True:
            bgr, ground_truth = random_scene(rng, self._input_hw)
            rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            yield Sample(
                rgb, ground_truth.xyxy, ground_truth.class_ids, ground_truth.keypoints_xy,
                ground_truth.keypoints_visible, ground_truth.difficult,
            )  # fmt: skip


class StripImageStream(IterableDataset[Sample]):
    """Endless augmented images of a set; every class is drawn equally often."""

    def __init__(
        self,
        data: AnnotationSet,
        input_hw: tuple[int, int],
        limit_hw: tuple[int, int],
        seed: int,
        options: ImageOptions,
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
            raise DatasetError("A data set to train on must have objects, got none. Annotate some.")

    def __iter__(self) -> Iterator[Sample]:
        """Yield augmented images without end."""
        rng = worker_rng(self._seed, _SEED_KEY)
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
            yield recoloured(moved, colours)

    def _placement(self, sample: Sample, rng: np.random.Generator) -> Placement:
        """Draw a flip, a size and a position: the whole image if it fits, else a part of it."""
        options = self._options
        scale = Letterbox.fit(sample.hw, self._limit_hw, STRIDE).scale_x
        scale *= 1 + rng.uniform(-options.scale, options.scale)
        # a half turn of the mirrored image is the one flipped upside down
        is_mirrored, is_turned = bool(rng.random() < 0.5), bool(rng.random() < 0.5)
        aimed: FloatArray | None = None
        if len(sample.xyxy) and rng.random() < options.object_share:
            aimed = sample.points_xy[int(rng.integers(len(sample.xyxy))), 0]
        anchor, at = [], []
        for axis, flips in ((0, is_mirrored != is_turned), (1, is_turned)):
            side, room = sample.hw[1 - axis], self._input_hw[1 - axis]
            spare = room - side * scale
            if spare >= -options.shift_px:
                slack = max(abs(spare) / 2, options.shift_px)
                anchor.append(side / 2)
                at.append(room / 2 + float(rng.uniform(-slack, slack)))
                continue
            place_px = side / 2 if aimed is None else float(aimed[axis])
            half = side * scale / 2
            low, high = room - half, half  # of the image's centre: no padding is visible
            aim = float(rng.uniform(STRIDE, room - STRIDE)) if aimed is not None else None
            way = -1.0 if flips else 1.0
            centre = float(rng.uniform(low, high)) if aim is None else (
                aim - way * (place_px - side / 2) * scale
            )  # fmt: skip
            anchor.append(side / 2)
            at.append(min(max(centre, low), high))
        angle = float(np.pi) if is_turned else 0.0
        return Placement(
            (anchor[0], anchor[1]), (at[0], at[1]), float(scale), angle, is_mirrored, self._input_hw
        )


def with_centres(sample: Sample, largest_px: float) -> Sample:
    """Replace the points of each object by its box's centre; ignore objects of longer sides."""
    xyxy = sample.xyxy
    centres = ((xyxy[:, :2] + xyxy[:, 2:]) / 2)[:, None].astype(np.float32)
    too_long = (xyxy[:, 2:] - xyxy[:, :2]).max(1, initial=0) > largest_px
    labelled = np.ones((len(xyxy), 1), np.bool_)
    return replace(sample, points_xy=centres, labelled=labelled, ignore=sample.ignore | too_long)
