"""Checkpoints of a training run: their scores, and a grid of a few predictions.

``training`` itself imports no evaluation.
"""

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from kpviewer.annotations.spec import read_annotations
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.evaluation.evaluator import evaluate, kind_of
from kpviewer.evaluation.kind import TRAINING, ModelKind
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.models.base import Detector
from kpviewer.sources.images.source import load_image
from kpviewer.structures import ImageArray
from kpviewer.system.paths import write_atomically
from kpviewer.training.config import TrainConfig

COUNT = 12
COLUMNS = 4
_GAP_PX = 8
_BACKGROUND = 32


def prediction_tiles(
    detector: Detector, annotations: AnnotationSet, device: str
) -> list[ImageArray]:
    """Draw the predictions of a detector on a few images.

    Returns:
        (H, W, 3) uint8 BGR each; none if no image can be scored.
    """
    try:
        few = chosen(_kind_of(detector).usable(detector.spec, annotations).images)
        readable = tuple(image for image in few if load_image(image.path) is not None)
        data = replace(annotations, images=readable)
        report = evaluate(detector, data, replace(TRAINING, device=device))
    except DatasetError:  # a few images may have no object that counts
        return []
    tiles = [one.draw() for one in report.images()]
    return [tile for tile in tiles if tile is not None]


def chosen(images: Sequence[AnnotatedImage], count: int = COUNT) -> list[AnnotatedImage]:
    """Choose evenly spaced images: those with objects, if there are any."""
    files = [image for image in images if image.path.suffix.lower() in IMAGE_SUFFIXES]
    good = [image for image in files if len(image.targets)] or files
    count = min(count, len(good))
    return [good[row * len(good) // count] for row in range(count)]


def grid(tiles: Sequence[ImageArray]) -> ImageArray:
    """Put images of any sizes into rows of COLUMNS, each in the centre of its cell."""
    columns = max(1, min(COLUMNS, len(tiles)))
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    width = max((tile.shape[1] for tile in tiles), default=1) + _GAP_PX
    heights = [max(tile.shape[0] for tile in row) + _GAP_PX for row in rows]
    canvas = np.full((sum(heights) + _GAP_PX, columns * width + _GAP_PX, 3), _BACKGROUND, np.uint8)
    for index, row in enumerate(rows):
        top = sum(heights[:index]) + _GAP_PX
        for column, tile in enumerate(row):
            left = column * width + _GAP_PX + (width - _GAP_PX - tile.shape[1]) // 2
            canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return canvas


def save_tiles(tiles: Sequence[ImageArray], path: Path) -> None:
    """Write a grid of tiles as PNG, atomically."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(grid(tiles)[..., ::-1])).save(buffer, format="PNG")
    write_atomically(path, buffer.getvalue(), mode=0o666)


class Scorer:
    """Scores the detector of a training run at its checkpoints, as ``training.run.train`` asks."""

    def __init__(self, spec: str, config: TrainConfig, out_dir: Path, device: str) -> None:
        """Read the data set.

        Raises:
            DatasetError: if it can't be read.
        """
        self._data, self._out_dir = read_annotations(spec), out_dir
        sweep_by = str(config.options.get("sweep", TRAINING.sweep_by))
        self._options = replace(TRAINING, device=device, sweep_by=sweep_by)

    def check(self, detector: Detector) -> None:
        """Raise DatasetError if the detector, trained or not, can't be scored on the data."""
        _kind_of(detector).usable(detector.spec, self._data)

    def __call__(self, detector: Detector) -> dict[str, float]:
        """Return the scores of the detector, and write the files of the report.

        Also sets the detector's thresholds to those that are best on the data.
        """
        report = evaluate(detector, self._data, self._options)
        report.tune(detector)
        for name, content in report.files().items():
            (self._out_dir / name).write_bytes(content)
        return report.summary()


def _kind_of(detector: Detector) -> ModelKind:
    return kind_of(detector.spec.architecture, detector.spec.task)
