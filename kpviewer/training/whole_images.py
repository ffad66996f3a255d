"""Whole images, moved a little with what is on them: what models of one answer learn from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch.utils.data import IterableDataset

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.image_backbone import STRIDE
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.sources.opencv import cv2
from kpviewer.training.building import largest_input, sources_of
from kpviewer.training.config import TrainConfig
from kpviewer.training.crops import JitterOptions, jittered
from kpviewer.training.datasets import SampleCache
from kpviewer.training.placement import place
from kpviewer.training.samples import Sample
from kpviewer.training.streams import chances_of_worker, recoloured
from kpviewer.training.transforms import photometric


class WholeImageStream(IterableDataset[Sample]):
    """Endless jittered images; the same seed and number of workers give the same stream.

    Args:
        images: what is drawn from, each as often.
        input_hw: size of the samples, px; images are letterboxed into it.
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
        rng = chances_of_worker(self._seed)
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
                sample = recoloured(sample, colours)
            yield sample


def whole_image_spec(config: TrainConfig, name: str, task: Task, data: AnnotationSet) -> ModelSpec:
    """Describe a model of whole images.

    Args:
        config: the recipe; the largest of its inputs is the model's.
        name: of the model; "": its architecture's.
        task: what it predicts.
        data: what it is trained on; its classes are the model's.
    """
    return ModelSpec(
        name=name or config.model,
        architecture=config.model,
        task=task,
        class_names=data.class_names,
        input_hw=largest_input(config),
        trained_on=sources_of(data),
    )
