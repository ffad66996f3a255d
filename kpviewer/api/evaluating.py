"""Evaluation of a model on annotated data."""

import math
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path

from kpviewer.annotations.finishing.pixels import with_readable_images
from kpviewer.annotations.spec import read_usable
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.api.detecting import model_of
from kpviewer.errors import InputError
from kpviewer.evaluation.evaluator import evaluate as evaluate_on
from kpviewer.evaluation.kind import EvaluationOptions
from kpviewer.evaluation.report import Report
from kpviewer.models.base import Detector
from kpviewer.models.tables import shown
from kpviewer.runtime.model import Model
from kpviewer.runtime.thresholds import thresholds_with
from kpviewer.sources.images.source import load_image


def evaluate(  # noqa: PLR0913 - keywords of the public function
    model: str | Path | Detector | Model,
    data: str | Path | AnnotationSet,
    *,
    iou: float | None = None,
    keypoint: float | None = None,
    within_px: float | None = None,
    limit: int | None = None,
    progress: Callable[[int], object] = lambda _done: None,
) -> Report:
    """Score a model on annotated data, as ``kpviewer eval`` does.

    Args:
        model: result or argument of ``load``.
        data: as ``--data`` takes it, such as ``coco:labels.json`` or a folder of labels. Unreadable
            images are left out and noted in the report's ``notes``.
        iou: IoU threshold of NMS; None uses the model's.
        keypoint: score below which keypoints aren't compared; None uses the model's.
        within_px: also score localisation: a match is within this distance of the ground truth.
        limit: number of images to use, spread over the set; None uses all.
        progress: called after each image with the number of completed images.

    Returns:
        The report: ``tables()``, ``to_json()``, ``to_text()``, ``save(folder)``, ``worst()``.

    Raises:
        InputError: if an argument has the wrong type or value.
        DatasetError: if the data can't be read, or the model can't be scored on them.
        WeightsError: if the model can't be loaded.
    """
    if not isinstance(data, str | Path | AnnotationSet):
        raise InputError(
            f"Data must be a name or a path, got {shown(data)}. Try kpviewer.evaluate(model, "
            '"coco:labels.json").'
        )
    is_count = isinstance(limit, Integral) and not isinstance(limit, bool)  # NumPy's, too
    if limit is not None and not (is_count and limit >= 1):
        raise InputError(f"limit must be a whole number, at least 1, got {shown(limit)}.")
    if within_px is not None and not (isinstance(within_px, Real) and 0 < within_px < math.inf):
        raise InputError(f"within_px must be a number of px, above 0, got {shown(within_px)}.")
    engine = model_of(model)
    given = {"iou": iou, "keypoint": keypoint}
    thresholds_with(engine.spec, {name: each for name, each in given.items() if each is not None})
    name = "" if isinstance(data, AnnotationSet) else str(data)
    annotations = data if isinstance(data, AnnotationSet) else read_usable(name)
    usable = with_readable_images(annotations.spread(limit), load_image)
    options = EvaluationOptions(
        device=engine.device,
        iou=iou,
        keypoint=keypoint,
        within_px=within_px,
        data_name=name,
        progress=progress,
    )
    return evaluate_on(engine, usable, options)
