"""What a model says of a few pictures of a set, drawn in the way of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kpviewer.annotations.values import PICTURE_SUFFIXES
from kpviewer.structures import Detections, ImageArray, Targets, Thresholds

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
    from kpviewer.models.base import Detector
    from kpviewer.models.multilabel import MultilabelDetector
    from kpviewer.models.points import PointDetector
    from kpviewer.models.single_object import SingleObjectDetector
    from kpviewer.models.spec import ModelSpec

    Painter = Callable[
        [ModelSpec, float], Callable[[AnnotatedImage, Detections], ImageArray | None]
    ]

COUNT = 12
HIT_IOU = 0.5
"""Overlap from which on a box of the right class is a hit, as in AP@0.5."""


def prediction_tiles(
    detector: Detector, annotations: AnnotationSet, device: str, painter: Painter
) -> list[ImageArray]:
    """Draw the answers of a detector on a few pictures, in the way of its kind.

    Args:
        detector: in eval mode.
        annotations: pictures are chosen from them, the same each time.
        device: where it runs.
        painter: ``cli.report_pictures.bgr_painter``.

    Returns:
        (H, W, 3) uint8 BGR each.
    """
    from kpviewer.models.multilabel import MultilabelDetector
    from kpviewer.models.points import PointDetector
    from kpviewer.models.single_object import SingleObjectDetector

    if isinstance(detector, MultilabelDetector):
        return _label_tiles(detector, _few(annotations), device)
    if isinstance(detector, SingleObjectDetector):
        return _single_tiles(detector, annotations, device, painter)
    if isinstance(detector, PointDetector):
        own, seen = _points_seen(detector, _few(annotations), device)
    else:
        own, seen = _seen(detector, _few(annotations), device)
    paint = painter(detector.spec, 0.0)
    tiles = [paint(image, found) for image, found in zip(own, seen, strict=True)]
    return [tile for tile in tiles if tile is not None]


def chosen(images: Sequence[AnnotatedImage], count: int = COUNT) -> list[AnnotatedImage]:
    """Take pictures at even distances: those with objects, where there are any."""
    files = [image for image in images if image.path.suffix.lower() in PICTURE_SUFFIXES]
    good = [image for image in files if len(image.targets)] or files
    count = min(count, len(good))
    return [good[row * len(good) // count] for row in range(count)]


def _few(annotations: AnnotationSet) -> AnnotationSet:
    """Keep a few pictures that can be read."""
    images = [image for image in chosen(annotations.images) if _is_readable(image)]
    return replace(annotations, images=tuple(images))


def _is_readable(image: AnnotatedImage) -> bool:
    from kpviewer.sources.images import load_picture

    return load_picture(image.path) is not None


def _label_tiles(
    detector: MultilabelDetector, annotations: AnnotationSet, device: str
) -> list[ImageArray]:
    """Draw a bar a class under each picture, the true classes underlined."""
    from kpviewer.annotations.classes import align_classes, shared_classes
    from kpviewer.overlay.panels import LabelRow, label_tile
    from kpviewer.runtime.executor import Executor
    from kpviewer.runtime.label_evaluation import label_table
    from kpviewer.sources.images import load_picture

    if not annotations.images:
        return []
    names = detector.spec.class_names
    own = align_classes(annotations, names)
    engine = Executor(detector, device, "fp32", "torch")
    classes = shared_classes(annotations, names) or None
    table = label_table(lambda bgr: engine.infer(bgr)[0], own, load_picture, classes=classes)
    tiles = []
    for row, image in enumerate(own.images):
        bgr = load_picture(image.path)
        if bgr is not None:
            said = LabelRow(table.scores[row], table.present[row], table.known[row])
            tiles.append(label_tile(bgr, said, names, detector.spec.score_threshold))
    return tiles


def _single_tiles(
    detector: SingleObjectDetector, annotations: AnnotationSet, device: str, painter: Painter
) -> list[ImageArray]:
    """Draw what each picture's one object is taken for, however unsure, and say how that is."""
    from kpviewer.annotations.classes import align_classes
    from kpviewer.annotations.single import with_one_object
    from kpviewer.models.selection import select
    from kpviewer.runtime.executor import Executor
    from kpviewer.sources.images import load_picture

    names = detector.spec.class_names
    own = _few(with_one_object(align_classes(annotations, names)))
    engine = Executor(detector, device, "fp32", "torch")
    paint, tiles = painter(detector.spec, 0.0), []
    for image in own.images:
        bgr = load_picture(image.path)
        if bgr is None:
            continue
        best = select(engine.infer(bgr)[0], Thresholds(score=0.0, max_detections=1))
        tile = paint(image, best)
        if tile is not None and len(best):
            tiles.append(_captioned(tile, image.targets, best, names))
    return tiles


def _captioned(
    tile: ImageArray, truth: Targets, best: Detections, names: Sequence[str]
) -> ImageArray:
    """Say what the object is, what it is taken for, and how well the boxes agree."""
    from kpviewer.geometry import iou_matrix
    from kpviewer.overlay.panels import caption_under

    true_id, found_id = int(truth.class_ids[0]), int(best.class_ids[0])
    overlap = float(iou_matrix(best.xyxy, truth.xyxy)[0, 0])
    told = names[true_id] if true_id == found_id else f"{names[true_id]}, as {names[found_id]}"
    is_hit = true_id == found_id and overlap >= HIT_IOU
    return caption_under(tile, f"{told}: IoU {overlap:.2f}", is_right=is_hit)


def _seen(
    detector: Detector, annotations: AnnotationSet, device: str
) -> tuple[list[AnnotatedImage], list[Detections]]:
    """Look at pictures: give them with the model's class ids, and what was seen in each."""
    from kpviewer.annotations.classes import align_classes
    from kpviewer.models.selection import select
    from kpviewer.runtime.executor import Executor
    from kpviewer.sources.images import load_picture

    own = align_classes(annotations, detector.spec.class_names)
    engine, thresholds = Executor(detector, device, "fp32", "torch"), detector.spec.thresholds
    pictures = [(image, load_picture(image.path)) for image in own.images]
    readable = [(image, bgr) for image, bgr in pictures if bgr is not None]
    seen = [select(engine.infer(bgr)[0], thresholds) for _, bgr in readable]
    return [image for image, _ in readable], seen


def _points_seen(
    detector: PointDetector, annotations: AnnotationSet, device: str
) -> tuple[list[AnnotatedImage], list[Detections]]:
    from kpviewer.cli.eval_points import object_detections
    from kpviewer.errors import DatasetError
    from kpviewer.runtime.device import resolve_device
    from kpviewer.runtime.point_evaluation import evaluate_points
    from kpviewer.sources.images import load_picture

    detector.network.to(resolve_device(device))
    try:
        report = evaluate_points(detector, annotations, load_picture)
    except DatasetError:  # of these few pictures none has a point that counts
        return [], []
    return [one.image for one in report.seen], [object_detections(one) for one in report.seen]
