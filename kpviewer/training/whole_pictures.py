"""Whole pictures, moved a little with what is on them: what models of one answer learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import DatasetError
from kpviewer.models.picture_trunk import STRIDE
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.sources.opencv import cv2
from kpviewer.training.config import TrainConfig
from kpviewer.training.datasets import SampleCache
from kpviewer.training.placement import place
from kpviewer.training.points import JitterOptions, jittered
from kpviewer.training.samples import Sample
from kpviewer.training.transforms import photometric


class PictureStream(IterableDataset[Sample]):
    """Endless jittered pictures; the same seed and number of workers give the same stream.

    Args:
        images: what is drawn from, each as often.
        input_hw: size of the samples, px; pictures are letterboxed into it.
        seed: of the chances.
        jitter: how far they are moved.
        is_usable: says of a moved sample whether there is still something to learn from it.
    """

    def __init__(
        self,
        images: Sequence[AnnotatedImage],
        input_hw: tuple[int, int],
        seed: int,
        jitter: JitterOptions,
        is_usable: Callable[[Sample], bool] = lambda sample: True,
    ) -> None:
        super().__init__()
        if any(side % STRIDE for side in input_hw):
            raise DatasetError(
                f"Inputs of this family are multiples of {STRIDE}, got {input_hw}. Set inputs."
            )
        self._images, self._input_hw, self._seed = images, input_hw, seed
        self._jitter, self._is_usable = jitter, is_usable

    def __iter__(self) -> Iterator[Sample]:
        """Draw for ever."""
        worker = get_worker_info()
        number = worker.id if worker else 0
        rng = np.random.default_rng([self._seed, number])
        torch.manual_seed(self._seed * 1000 + number)
        colours, cache = photometric(), SampleCache()
        while True:
            whole = cache.load(self._images[int(rng.integers(len(self._images)))])
            height, width = whole.hw
            frame = np.array([0, 0, width, height], np.float32)
            placement = jittered(frame, 1.0, self._input_hw, self._jitter, rng)
            sample = place(whole, placement, (), cv2.BORDER_CONSTANT)
            if not self._is_usable(sample):
                continue
            if self._jitter.colours:
                pixels = torch.from_numpy(sample.rgb).permute(2, 0, 1)
                rgb = colours(pixels).permute(1, 2, 0).numpy()
                sample = Sample(
                    rgb,
                    sample.xyxy,
                    sample.class_ids,
                    sample.points_xy,
                    sample.labelled,
                    sample.ignore,
                )
            yield sample


def whole_picture_spec(
    config: TrainConfig,
    name: str,
    task: Task,
    class_names: tuple[str, ...],
    images: Sequence[AnnotatedImage],
) -> ModelSpec:
    """Describe a model of whole pictures.

    Args:
        config: the recipe; the largest of its inputs is the model's.
        name: of the model; "": its architecture's.
        task: what it predicts.
        class_names: of the data.
        images: what it is trained on.
    """
    sizes = [(size, size) if isinstance(size, int) else tuple(size) for size in config.inputs]
    return ModelSpec(
        name=name or config.model,
        architecture=config.model,
        task=task,
        class_names=class_names,
        input_hw=max(sizes),
        trained_on=", ".join(sorted({image.source for image in images} - {""})),
    )
