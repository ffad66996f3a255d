"""What a model sees while it is trained, beside the truth: one picture a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from kpviewer.annotations.values import PICTURE_SUFFIXES
from kpviewer.structures import Detections, ImageArray

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
    from kpviewer.models.base import Detector

PICTURE = "predictions.png"
COUNT, COLUMNS = 12, 4
_GAP_PX = 8
_BACKGROUND = 32


def prediction_pictures(
    spec: str, out_dir: Path, device: str
) -> Callable[[Detector], object] | None:
    """Give what draws a detector's answers on a few pictures into ``OUT/predictions.png``.

    The pictures are the same each time, spread over the set, and drawn by the viewer's renderer:
    the truth dashed. None where there is nothing to draw with, or on.

    Raises:
        DatasetError: if the set can't be read.
    """
    from kpviewer.annotations.spec import read_annotations

    annotations = read_annotations(spec)
    images = chosen(annotations.images)
    if not images:
        return None
    try:
        from kpviewer.cli.report_pictures import bgr_painter
    except ImportError as error:
        click.echo(f"Note: no {PICTURE}, as PyQt6 can't be loaded: {error}", err=True)
        return None

    def show(detector: Detector) -> None:
        own, seen = _seen(detector, annotations, images, device)
        paint = bgr_painter(detector.spec, 0.0)
        tiles = [paint(image, found) for image, found in zip(own, seen, strict=True)]
        _save(grid([tile for tile in tiles if tile is not None]), out_dir / PICTURE)

    return show


def chosen(images: Sequence[AnnotatedImage], count: int = COUNT) -> list[AnnotatedImage]:
    """Take pictures at even distances: those with objects, where there are any."""
    files = [image for image in images if image.path.suffix.lower() in PICTURE_SUFFIXES]
    good = [image for image in files if len(image.targets)] or files
    count = min(count, len(good))
    return [good[row * len(good) // count] for row in range(count)]


def grid(tiles: Sequence[ImageArray]) -> ImageArray:
    """Put pictures of any sizes into rows of COLUMNS, each in the middle of its cell.

    Args:
        tiles: (H, W, 3) uint8 each.
    """
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


def _seen(
    detector: Detector, annotations: AnnotationSet, images: list[AnnotatedImage], device: str
) -> tuple[list[AnnotatedImage], list[Detections]]:
    """Look at the pictures: those that can be, with the model's class ids, and what was seen."""
    from dataclasses import replace

    from kpviewer.annotations.classes import align_classes
    from kpviewer.models.points import PointDetector
    from kpviewer.models.selection import select
    from kpviewer.runtime.executor import Executor
    from kpviewer.sources.images import load_picture

    own = replace(annotations, images=tuple(images))
    if isinstance(detector, PointDetector):
        return _points_seen(detector, own, device)
    own = align_classes(own, detector.spec.class_names)
    engine, thresholds = Executor(detector, device, "fp32", "torch"), detector.spec.thresholds
    pictures = [(image, load_picture(image.path)) for image in own.images]
    readable = [(image, bgr) for image, bgr in pictures if bgr is not None]
    seen = [select(engine.infer(bgr)[0], thresholds) for _, bgr in readable]
    return [image for image, _ in readable], seen


def _points_seen(
    detector: Detector, annotations: AnnotationSet, device: str
) -> tuple[list[AnnotatedImage], list[Detections]]:
    from kpviewer.cli.eval_points import object_detections
    from kpviewer.errors import DatasetError
    from kpviewer.models.points import PointDetector
    from kpviewer.runtime.device import resolve_device
    from kpviewer.runtime.point_evaluation import evaluate_points
    from kpviewer.sources.images import load_picture

    assert isinstance(detector, PointDetector)
    detector.network.to(resolve_device(device))
    try:
        report = evaluate_points(detector, annotations, load_picture)
    except DatasetError:  # of these few pictures none has a point that counts
        return [], []
    return [one.image for one in report.seen], [object_detections(one) for one in report.seen]


def _save(bgr: ImageArray, path: Path) -> None:
    from PIL import Image

    partial = path.with_suffix(".part")
    Image.fromarray(np.ascontiguousarray(bgr[..., ::-1])).save(partial, format="PNG")
    partial.replace(path)  # whoever looks sees a whole picture
