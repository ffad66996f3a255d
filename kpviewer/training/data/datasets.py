"""Endless, seeded stream of composed images, and its batches."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.training.data.mosaic import Mosaic, MosaicOptions
from kpviewer.training.data.occlusion import occlude_faces
from kpviewer.training.data.samples import LoadSample, Sample, images_of, load_sample
from kpviewer.training.data.streams import recoloured, worker_rng
from kpviewer.training.data.transforms import LightOptions, light_from_side, photometric


class Batch(NamedTuple):
    """B images with T objects and P proposals each, padded."""

    images: Tensor
    """(B, 3, H, W) uint8 RGB."""
    xyxy: Tensor
    """(B, T, 4) float32, input px; 0 where padded."""
    class_ids: Tensor
    """(B, T) int64; -1 where padded, -2 where the object is ignored."""
    points_xy: Tensor
    """(B, T, K, 2) float32, input px."""
    labelled: Tensor
    """(B, T, K) bool."""
    proposals: Tensor = torch.zeros(0)
    """(B, P, 4) float32 boxes that were searched for, input px; 0 where padded."""


PADDED, IGNORED = -1, -2


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """Options of a stream of composed images."""

    hw: tuple[int, int]
    """Height and width, px."""
    seed: int
    swap: tuple[int, ...]
    """Index that each keypoint takes in a mirrored image."""
    mosaic: MosaicOptions
    occluded_share: float = 0.2
    """Share of the faces that are covered in part."""
    light: LightOptions = field(default_factory=LightOptions)
    """Changes of light and colours."""
    source_shares: Mapping[str, float] = field(default_factory=dict)
    """Share of the samples from a source, by its name."""


class MosaicStream(IterableDataset[Sample]):
    """Endless composed images; the same seed and number of workers give the same stream.

    Each source is weighted by the square root of its number of images. By number, small sources of
    natural scenes would be rare among thousands of crops; with equal weights, they would repeat too
    often. ``source_shares`` replaces these weights for the sources that it names.

    Raises:
        DatasetError: if no image is without objects, or a share can't be given.
    """

    def __init__(self, data: AnnotationSet, options: StreamOptions) -> None:
        super().__init__()
        self._options = options
        self._groups: dict[str, list[AnnotatedImage]] = {}
        for item in data.images:
            self._groups.setdefault(item.source, []).append(item)
        self._empty = [item for item in data.images if len(item.targets) == 0]
        if not self._empty:
            raise DatasetError(
                "The data set must have images without any object, as backgrounds; it has none. "
                "Add images without annotations."
            )
        self._weights = source_weights(
            {name: len(items) for name, items in self._groups.items()}, options.source_shares
        )

    def __iter__(self) -> Iterator[Sample]:
        """Yield composed images without end."""
        rng = worker_rng(self._options.seed)
        names = sorted(self._groups)
        weights = [self._weights[name] for name in names]
        mosaic = Mosaic(self._options.mosaic, self._options.swap)
        light = self._options.light
        colours, cache = photometric(light), SampleCache()

        def pick(items: list[AnnotatedImage]) -> Sample:
            return cache.load(items[int(rng.integers(len(items)))])

        def draw() -> Sample:
            return pick(self._groups[names[int(rng.choice(len(names), p=weights))]])

        while True:
            sample = mosaic.compose(draw, lambda: pick(self._empty), self._options.hw, rng)
            sample = occlude_faces(sample, rng, self._options.occluded_share)
            sample = light_from_side(sample, rng, light.side_light_share)
            yield recoloured(sample, colours)


def source_weights(counts: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, float]:
    """Return the share of the draws from each source; they sum to 1.

    Args:
        counts: number of images of each source.
        shares: given shares of some of them. The other sources have what is left, by the square
            root of their counts.

    Raises:
        DatasetError: if a named source doesn't exist, or the shares exceed 1.
    """
    unknown = sorted(set(shares) - set(counts))
    if unknown:
        raise DatasetError(
            f"source_shares must name sources of the data ({', '.join(sorted(counts))}), "
            f"got {unknown[0]!r}."
        )
    left = 1 - sum(shares.values())
    if left < 0:
        raise DatasetError(f"source_shares must sum to 1 or less, got {sum(shares.values()):g}.")
    roots = {name: math.sqrt(count) for name, count in counts.items() if name not in shares}
    total = sum(roots.values())
    weights = {name: left * root / total for name, root in roots.items()} | dict(shares)
    whole = sum(weights.values())
    if not whole:
        raise DatasetError("source_shares must leave some source to draw from. Raise a share.")
    return {name: weight / whole for name, weight in weights.items()}


class SampleCache:
    """Cache of decoded images, up to a gigabyte: decoding took a quarter of the time."""

    LIMIT_BYTES = 1 << 30

    def __init__(self, load: LoadSample = load_sample) -> None:
        self._load = load
        self._samples: dict[int, Sample] = {}
        self._bytes = 0

    def load(self, item: AnnotatedImage) -> Sample:
        """Return an image from memory, or read it."""
        key = id(item)
        if key in self._samples:
            return self._samples[key]
        sample = self._load(item)
        size = sample.rgb.nbytes + sample.proposals_xyxy.nbytes
        if self._bytes + size <= self.LIMIT_BYTES:
            self._samples[key] = sample
            self._bytes += size
        return sample


def collate(samples: list[Sample]) -> Batch:
    """Stack samples of one size and pad their objects and proposals to the longest list."""
    most = max(1, *(len(sample.xyxy) for sample in samples))
    points = samples[0].points_xy.shape[1]
    xyxy = torch.zeros(len(samples), most, 4)
    class_ids = torch.full((len(samples), most), PADDED)
    points_xy = torch.zeros(len(samples), most, points, 2)
    labelled = torch.zeros(len(samples), most, points, dtype=torch.bool)
    searched = max(len(sample.proposals_xyxy) for sample in samples)
    proposals = torch.zeros(len(samples), searched, 4)
    for row, sample in enumerate(samples):
        count = len(sample.xyxy)
        xyxy[row, :count] = torch.from_numpy(sample.xyxy)
        ids = np.where(sample.ignore, IGNORED, sample.class_ids)
        class_ids[row, :count] = torch.from_numpy(ids)
        points_xy[row, :count] = torch.from_numpy(sample.points_xy)
        labelled[row, :count] = torch.from_numpy(sample.labelled)
        own = sample.proposals_xyxy
        proposals[row, : len(own)] = torch.from_numpy(own)
    return Batch(images_of(samples), xyxy, class_ids, points_xy, labelled, proposals)
