"""Jittered whole images with their objects, for models with one prediction for each image."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch.utils.data import IterableDataset

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.backbones.image import STRIDE
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.sources.opencv import cv2
from kpviewer.training.config import TrainConfig
from kpviewer.training.data.crops import JitterOptions, jittered
from kpviewer.training.data.datasets import SampleCache
from kpviewer.training.data.merging import sources_of
from kpviewer.training.data.placement import place
from kpviewer.training.data.samples import Sample
from kpviewer.training.data.streams import recoloured, usable, worker_rng
from kpviewer.training.data.transforms import photometric


class WholeImageStream(IterableDataset[Sample]):
    """Endless jittered images; the same seed and number of workers give the same stream.

    Args:
        images: annotated images, drawn equally often.
        input_hw: size of the samples, px; images are letterboxed into it.
        seed: seed of the stream.
        jitter: largest changes.
        is_usable: returns whether a jittered sample can still be used.
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
                f"Inputs of this family must be multiples of {STRIDE}, got {input_hw}. Set inputs."
            )
        self._images, self._input_hw, self._seed = images, input_hw, seed
        self._jitter, self._is_usable = jitter, is_usable

    def __iter__(self) -> Iterator[Sample]:
        """Yield jittered images without end."""
        colours, rng = photometric(), worker_rng(self._seed)
        for sample in usable(self._jittered(rng), self._is_usable):
            yield recoloured(sample, colours) if self._jitter.colours else sample

    def _jittered(self, rng: np.random.Generator) -> Iterator[Sample]:
        cache = SampleCache()
        while True:
            whole = cache.load(self._images[int(rng.integers(len(self._images)))])
            height, width = whole.hw
            frame = np.array([0, 0, width, height], np.float32)
            placement = jittered(frame, 1.0, self._input_hw, self._jitter, rng)
            yield place(whole, placement, (), cv2.BORDER_CONSTANT)


def whole_image_spec(config: TrainConfig, name: str, task: Task, data: AnnotationSet) -> ModelSpec:
    """Return the description of a model of whole images."""
    return ModelSpec(
        name=name or config.model,
        architecture=config.model,
        task=task,
        class_names=data.class_names,
        input_hw=config.largest_input_hw,
        trained_on=sources_of(data),
    )
