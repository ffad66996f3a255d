"""Images of a data set as training samples: crops at a random scale, alone or four in a grid.

Any data can be used: neither images without objects nor a kind of object are required.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import IterableDataset

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.base import Detector
from kpviewer.models.names.coco_keypoints import mirrored_keypoints
from kpviewer.models.spec import ModelSpec, Resize
from kpviewer.sources.opencv import cv2
from kpviewer.sources.resizing import resized
from kpviewer.training.data.datasets import SampleCache, collate
from kpviewer.training.data.placement import Placement, place
from kpviewer.training.data.samples import LoadSample, Sample, concatenate, load_sample, shifted
from kpviewer.training.data.streams import recoloured, worker_rng
from kpviewer.training.data.transforms import photometric
from kpviewer.training.objective import Objective
from kpviewer.training.ranges import Degrees, Positive, Share

_ENOUGH = 2.0
"""Largest ratio of a stretched image to the input, unless a side of the image is larger."""


@dataclass(frozen=True, slots=True)
class SceneOptions:
    """Augmentation of images."""

    zoom: tuple[Positive, Positive] = (0.6, 1.8)
    """Least and greatest scale, over that at which the whole image just fits the input; drawn
    log-uniformly. Below 1, grey surrounds the image, as in the viewer."""
    grid_share: Share = 0.3
    """Share of samples that show four images in a 2 x 2 grid of uneven cells."""
    grid_of_objects: bool = False
    """Whether a cell shows one object and its surroundings at full scale, rather than a whole image
    at a smaller scale: for objects that small marks distinguish, few in each image."""
    mirror: bool = True
    """Whether half of the images are mirrored."""
    upside_down: bool = False
    """Whether half of the images are turned by 180 degrees: for aerial or microscope images."""
    rotation_deg: Degrees = 0.0
    """Largest rotation either way."""
    colours: bool = True
    """Whether light, sharpness and noise change."""

    def __post_init__(self) -> None:
        """Check the order of the scales."""
        if self.zoom[0] > self.zoom[1]:
            raise DatasetError(f"scenes.zoom must be [least, greatest], got {list(self.zoom)}.")


class SceneStream(IterableDataset[Sample]):
    """Endless samples of one size; the same seed and number of workers give the same stream.

    Args:
        data: annotated images.
        input_hw: size of the samples, px.
        seed: seed of the stream.
        options: augmentation.
        stretch: whether images are stretched to the input's proportions first, for a model that
            stretches its inputs.
        load: function that reads an image, such as one that adds proposals.

    Raises:
        DatasetError: if the data set has no image.
    """

    def __init__(
        self,
        data: AnnotationSet,
        input_hw: tuple[int, int],
        seed: int,
        options: SceneOptions,
        *,
        stretch: bool = False,
        load: LoadSample = load_sample,
    ) -> None:
        super().__init__()
        if not data.images:
            raise DatasetError("A data set to train on must have images, got none.")
        self._data, self._hw, self._seed, self._options = data, input_hw, seed, options
        self._stretch, self._load = stretch, load

    def __iter__(self) -> Iterator[Sample]:
        """Yield composed samples without end."""
        rng = worker_rng(self._seed)
        images, cache, change = self._data.images, SampleCache(self._load), photometric()

        def draw() -> Sample:
            sample = cache.load(images[int(rng.integers(len(images)))])
            return stretched(sample, self._hw) if self._stretch else sample

        while True:
            sample = compose(draw, self._hw, self._options, rng)
            if self._options.colours:
                sample = recoloured(sample, change)
            yield sample


class SceneObjective(Objective):
    """Part of the objectives of box detectors: scenes as samples.

    Args:
        detector: detector to train.
        data: annotated images.
        scenes: augmentation.
        load: function that reads an image, such as one that adds proposals.
    """

    collate = staticmethod(collate)

    def __init__(
        self,
        detector: Detector,
        data: AnnotationSet,
        scenes: SceneOptions,
        load: LoadSample = load_sample,
    ) -> None:
        super().__init__(detector, len(data))
        self._data, self._scenes, self._load = data, scenes, load
        self.notes = mirror_notes(data.class_names) if scenes.mirror else ()

    def dataset(self, input_hw: tuple[int, int], seed: int) -> SceneStream:
        """Return a stream of scenes."""
        spec = self.detector.spec
        check_size(spec, input_hw)
        is_stretched = spec.resize is Resize.STRETCH
        return SceneStream(
            self._data, input_hw, seed, self._scenes, stretch=is_stretched, load=self._load
        )


def mirror_notes(class_names: Sequence[str]) -> tuple[str, ...]:
    """Return a note if objects of two classes look alike once one is mirrored, by their names."""
    for name, row in zip(class_names, mirrored_keypoints(class_names), strict=True):
        if class_names[row] != name and "left" in name.casefold():
            other = class_names[row]
            return (
                f"half of the images are mirrored and keep their classes: {name!r} may look like "
                f"{other!r} there. Set scenes.mirror=false if it does",
            )
    return ()


def check_size(spec: ModelSpec, input_hw: tuple[int, int]) -> None:
    """Check that the architecture of a box detector supports an input size.

    Raises:
        DatasetError: if it doesn't.
    """
    step = spec.stride
    if (input_hw != spec.input_hw) if step is None else any(side % step for side in input_hw):
        rule = f"{spec.input_hw}" if step is None else f"multiples of {step}"
        raise DatasetError(
            f"Inputs of {spec.architecture} must be {rule}, got {input_hw}. Set inputs."
        )


def compose(
    draw: Callable[[], Sample],
    hw: tuple[int, int],
    options: SceneOptions,
    rng: np.random.Generator,
) -> Sample:
    """Compose one sample."""
    if rng.random() >= options.grid_share:
        return shown(draw(), hw, options, rng)
    row = int(hw[0] * rng.uniform(0.3, 0.7))
    column = int(hw[1] * rng.uniform(0.3, 0.7))
    canvas = np.empty((*hw, 3), np.uint8)
    parts = []
    for top, bottom in ((0, row), (row, hw[0])):
        for left, right in ((0, column), (column, hw[1])):
            image, cell_hw = draw(), (bottom - top, right - left)
            if options.grid_of_objects and len(image.xyxy):
                cell = object_shown(image, cell_hw, _fit(image, hw), options, rng)
            else:
                cell = shown(image, cell_hw, options, rng)
            canvas[top:bottom, left:right] = cell.rgb
            parts.append(shifted(cell, float(left), float(top)))
    return concatenate(canvas, parts)


def stretched(sample: Sample, hw: tuple[int, int]) -> Sample:
    """Stretch an image to the proportions of ``hw``: shorten one side, or lengthen the other."""
    ratios = [size / out for out, size in zip(hw, sample.hw, strict=True)]
    # twice the input is enough for close-ups; otherwise as near to the image's size as possible
    ratio = min(max(_ENOUGH, min(ratios)), max(ratios))
    height, width = (max(1, round(out * ratio)) for out in hw)
    scale_xy = np.array([width / sample.hw[1], height / sample.hw[0]], np.float32)
    return replace(
        sample,
        rgb=resized(sample.rgb, (height, width)),
        xyxy=sample.xyxy * np.tile(scale_xy, 2),
        points_xy=sample.points_xy * scale_xy,
        proposals_xyxy=sample.proposals_xyxy * np.tile(scale_xy, 2),
    )


def shown(
    sample: Sample, hw: tuple[int, int], options: SceneOptions, rng: np.random.Generator
) -> Sample:
    """Show one image at a random scale: a part of it if it is larger than ``hw``, else all."""
    scale = _fit(sample, hw) * _zoom(options, rng)
    # position of the image's centre: the image stays inside, or fills the output
    room = [abs(out - size * scale) / 2 for out, size in zip(hw, sample.hw, strict=True)]
    at_y, at_x = (out / 2 + rng.uniform(-1, 1) * r for out, r in zip(hw, room, strict=True))
    centre = (sample.hw[1] / 2, sample.hw[0] / 2)
    return _turned(sample, (centre, (at_x, at_y), scale), hw, options, rng)


def object_shown(
    sample: Sample,
    hw: tuple[int, int],
    fit: float,
    options: SceneOptions,
    rng: np.random.Generator,
) -> Sample:
    """Show one whole object of an image, and its surroundings."""
    x1, y1, x2, y2 = (float(side) for side in sample.xyxy[rng.integers(len(sample.xyxy))])
    size = (max(y2 - y1, 1.0), max(x2 - x1, 1.0))
    whole = min(out / side for out, side in zip(hw, size, strict=True))
    scale = min(fit * _zoom(options, rng), whole)
    room = [(out - side * scale) / 2 for out, side in zip(hw, size, strict=True)]
    at_y, at_x = (out / 2 + rng.uniform(-1, 1) * r for out, r in zip(hw, room, strict=True))
    return _turned(sample, (((x1 + x2) / 2, (y1 + y2) / 2), (at_x, at_y), scale), hw, options, rng)


def _fit(sample: Sample, hw: tuple[int, int]) -> float:
    """Return the scale at which a whole image just fits."""
    return min(out / size for out, size in zip(hw, sample.hw, strict=True))


def _zoom(options: SceneOptions, rng: np.random.Generator) -> float:
    low, high = options.zoom
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _turned(
    sample: Sample,
    where: tuple[tuple[float, float], tuple[float, float], float],
    hw: tuple[int, int],
    options: SceneOptions,
    rng: np.random.Generator,
) -> Sample:
    """Map a point of the image to one of the output, at a scale, mirrored and rotated."""
    mirror = options.mirror and rng.random() < 0.5
    angle = math.radians(options.rotation_deg) * rng.uniform(-1, 1)
    if options.upside_down and rng.random() < 0.5:
        angle += math.pi
    placement = Placement(*where, angle, mirror, hw)
    return place(sample, placement, (), cv2.BORDER_CONSTANT)
