"""COCO average precision, computed by pycocotools, the reference implementation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import xyxy_to_xywh
from kpviewer.metrics.overlap import alike, overlaps_of
from kpviewer.structures import Detections, FloatArray, GroundTruth, IntArray, signed_areas

if TYPE_CHECKING:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """Area under the precision-recall curve (101 points), averaged over annotated classes."""

    ap50: float | None
    """Average precision at IoU 0.5; None without true objects."""
    ap: float | None
    """Mean over IoU 0.50, 0.55, ... 0.95; None without true objects."""
    ap50_by_class: tuple[float | None, ...]
    """Average precision at IoU 0.5 by class id; None without true objects of the class."""


_MAX_DETECTIONS = 100
_SMALL_PX, _LARGE_PX = 32, 96
"""Sides of the squares below which an object is small, and above which it is large: COCO's."""


class PrecisionBySize(NamedTuple):
    """Mean average precision over IoU 0.50, 0.55, ... 0.95 by area; None without such objects."""

    small: float | None
    """Objects below 32 x 32 px."""
    medium: float | None
    """Objects from 32 x 32 to 96 x 96 px."""
    large: float | None
    """Objects above 96 x 96 px."""


def average_precision(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth], num_classes: int
) -> AveragePrecision:
    """Score the detections of a set of images.

    Difficult objects are COCO's crowds: a detection inside one is ignored. A class that isn't
    labelled in an image, or not completely, has a crowd there that is as large as the image, which
    makes scores those of LVIS. Rotated boxes are compared with rotated ones, masks with
    masks.

    Args:
        detections: detections of each image, low scores included; the best 100 per class and image
            are used.
        ground_truths: ground truth of the same images.
        num_classes: number of classes.
    """
    precision = _precision(detections, ground_truths, num_classes, slice(0, 1))[..., 0]
    by_class = [mean_known(precision[0, :, class_id]) for class_id in range(num_classes)]
    return AveragePrecision(mean_known(precision[0]), mean_known(precision), tuple(by_class))


def average_precision_by_size(
    detections: Sequence[Detections], ground_truths: Sequence[GroundTruth], num_classes: int
) -> PrecisionBySize:
    """Score the small, medium and large objects of a set, by COCO's areas, px of the image.

    The area of an object is that of its mask where the annotations state it, as in COCO.

    Objects of other sizes, and detections of other sizes that match nothing, are ignored.
    """
    precision = _precision(detections, ground_truths, num_classes, slice(1, 4))
    return PrecisionBySize(*(mean_known(precision[..., size]) for size in range(3)))


def _precision(
    detections: Sequence[Detections],
    ground_truths: Sequence[GroundTruth],
    num_classes: int,
    areas: slice,
) -> NDArray[np.float64]:
    """Return precision by IoU, recall, class and area: (10, 101, C, A)."""
    from pycocotools.cocoeval import COCOeval  # noqa: PLC0415 - the window starts without it

    pairs = list(zip(detections, ground_truths, strict=True))
    evaluation = COCOeval(
        _dataset(starmap(_ground_truth_records, pairs), num_classes),
        _dataset(starmap(_detection_records, pairs), num_classes),
        "bbox",
    )
    evaluation.params.areaRng = evaluation.params.areaRng[areas]
    evaluation.params.areaRngLbl = evaluation.params.areaRngLbl[areas]
    evaluation.params.maxDets = [_MAX_DETECTIONS]
    evaluation.computeIoU = partial(_overlaps, evaluation, pairs)
    _silent(COCOeval.evaluate)(evaluation)
    _silent(COCOeval.accumulate)(evaluation)
    precision: NDArray[np.float64] = evaluation.eval["precision"][..., 0]
    return precision  # (IoU, recall, class, area)


def size_of(areas: FloatArray) -> IntArray:
    """Return the size of objects by their areas, px^2: 0 small, 1 medium, 2 large."""
    return np.add(areas >= _SMALL_PX**2, areas > _LARGE_PX**2, dtype=np.int64)


def mean_known(precision: NDArray[np.float64]) -> float | None:
    """Return the mean over classes with ground truth; pycocotools marks the others with -1."""
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None


def _overlaps(
    evaluation: COCOeval,
    pairs: Sequence[tuple[Detections, GroundTruth]],
    image_id: int,
    class_id: int,
) -> Any:
    """Return what ``COCOeval.computeIoU`` does, (D, T), also of rotated boxes and masks."""
    detections, ground_truth = pairs[image_id]
    overlaps = overlaps_of(detections, ground_truth)
    if overlaps is None:
        return type(evaluation).computeIoU(evaluation, image_id, class_id)
    rows = np.flatnonzero(detections.class_ids == class_id)[:_MAX_DETECTIONS]
    own = overlaps[np.ix_(rows, ground_truth.class_ids == class_id)]
    is_open = not ground_truth.is_labelled(np.array([class_id]))[0]
    everywhere = np.ones((len(rows), int(is_open)))
    return np.concatenate([own, everywhere], axis=1)


def _dataset(images: Iterable[Iterator[dict[str, Any]]], num_classes: int) -> COCO:
    """Build the index that COCOeval reads. Ids start at 1: it takes 0 for "not matched"."""
    from pycocotools.coco import COCO  # noqa: PLC0415

    annotations: list[dict[str, Any]] = []
    count = 0
    for image_id, records in enumerate(images):
        count += 1
        for record in records:
            identity = {"id": len(annotations) + 1, "image_id": image_id}
            annotations.append({**record, **identity})
    coco = COCO()
    coco.dataset = {
        "images": [{"id": image_id} for image_id in range(count)],
        "categories": [{"id": class_id} for class_id in range(num_classes)],
        "annotations": annotations,
    }
    _silent(COCO.createIndex)(coco)
    return coco


def _silent(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of pycocotools that reports nothing to stdout.

    Redirecting stdout would silence all threads, and two at once would leave it silent for good.
    """
    assert isinstance(method, FunctionType)
    names = {**method.__globals__, "print": lambda *_: None}
    return FunctionType(method.__code__, names, argdefs=method.__defaults__)


def _ground_truth_records(
    detections: Detections, ground_truth: GroundTruth
) -> Iterator[dict[str, Any]]:
    boxes, areas = xyxy_to_xywh(ground_truth.xyxy).tolist(), ground_truth.areas.tolist()
    columns = (boxes, ground_truth.class_ids, ground_truth.difficult, areas)
    for box, class_id, difficult, area in zip(*columns, strict=True):
        yield _record(box, int(class_id), area, crowd=int(difficult))
    is_open = ~ground_truth.is_labelled(detections.class_ids)
    if is_open.any():
        found = detections.take(is_open)
        left, top = found.xyxy[:, :2].min(axis=0).tolist()
        right, bottom = found.xyxy[:, 2:].max(axis=0).tolist()
        everywhere = [left - 1, top - 1, right - left + 2, bottom - top + 2]
        for class_id in np.unique(found.class_ids).tolist():
            yield _record(everywhere, class_id, everywhere[2] * everywhere[3], crowd=1)


def _detection_records(
    detections: Detections, ground_truth: GroundTruth
) -> Iterator[dict[str, Any]]:
    boxes = xyxy_to_xywh(detections.xyxy)
    outlines = alike(detections.outlines_xy, ground_truth.outlines_xy)
    areas = boxes[:, 2] * boxes[:, 3] if outlines is None else abs(signed_areas(outlines[0]))
    columns = (boxes.tolist(), detections.class_ids, areas.tolist(), detections.scores.tolist())
    for box, class_id, area, score in zip(*columns, strict=True):
        yield {**_record(box, int(class_id), area, crowd=0), "score": score}


def _record(box: list[float], class_id: int, area: float, *, crowd: int) -> dict[str, Any]:
    return {"bbox": box, "area": area, "category_id": class_id, "iscrowd": crowd}
