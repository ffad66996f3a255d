"""Evaluation of single-object models: class accuracy and mean IoU beside average precision."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.derived.single import with_one_object
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.evaluation.detections import SCORE_FLOOR
from kpviewer.evaluation.kind import EvaluationOptions, Model, ModelKind, open_run
from kpviewer.evaluation.kinds.detections import DetectionReport, run_detector
from kpviewer.evaluation.report import ScoredImage
from kpviewer.evaluation.text import Table, by_name, number
from kpviewer.geometry import iou_matrix
from kpviewer.metrics.single_object import ObjectScore, SingleObjectScore, single_object_score
from kpviewer.models.networks.single_object import SINGLE_OBJECT_ARCHITECTURES
from kpviewer.models.spec import ModelSpec
from kpviewer.structures import Detections, ImageArray

MATCH_IOU = 0.5
"""Least IoU of a true positive, as in AP@0.5."""


class SingleObjectReport(DetectionReport):
    """Scores of a single-object model."""

    worst_note = "Thin lines are the ground truth. Images with a wrong class come first."

    @cached_property
    def single(self) -> SingleObjectScore:
        """Scores of class and box of the one object of each image."""
        ground_truths = [image.targets for image in self.data.images]
        return single_object_score(self.result.seen, ground_truths, len(self.data.class_names))

    def tables(self) -> list[Table]:
        """Return the tables of a detector, and class accuracy and mean IoU."""
        rows = [("class", "images", "class accuracy", "mean IoU")]
        for name, one in zip(self.data.class_names, self.single.by_class, strict=True):
            if one.images:
                rows.append(_cells(name, one))
        rows.append(_cells("all", self.single.overall))
        return [*super().tables(), Table("The one object of each image", rows)]

    def scores_json(self) -> dict[str, Any]:
        """Return the scores of a detector, and those of single objects."""
        by_class = by_name(self.data.class_names, map(_as_json, self.single.by_class))
        single = {**_as_json(self.single.overall), "by_class": by_class}
        return {**super().scores_json(), "single_object": single}

    def summary(self) -> dict[str, float]:
        """Return average precision, class accuracy and mean IoU."""
        overall = self.single.overall
        own = {"class accuracy": overall.accuracy or 0.0, "mean IoU": overall.mean_iou or 0.0}
        return super().summary() | own

    def images(self) -> Iterator[ScoredImage]:
        """Yield the images with the prediction of the highest score, however low that is."""
        names = self.data.class_names
        for seen, image in zip(self.result.seen, self.data.images, strict=True):
            best, ground_truth = seen.take(np.arange(len(seen))[:1]), image.targets
            true_id = int(ground_truth.class_ids[0])
            found_id = int(best.class_ids[0]) if len(best) else None
            overlap = float(iou_matrix(best.xyxy, ground_truth.xyxy)[0, 0]) if len(best) else 0.0
            text = names[true_id]
            if found_id != true_id:
                text += (
                    ", not detected" if found_id is None else f", predicted as {names[found_id]}"
                )
            is_correct = found_id == true_id and overlap >= MATCH_IOU
            caption = f"{text}: IoU {overlap:.2f}"
            badness = 0.0 if is_correct else (found_id != true_id) + 1 - overlap
            draw = partial(self._draw_best, image, best, caption, is_correct)
            yield ScoredImage(image, badness, caption, draw)

    def _draw_best(
        self, image: AnnotatedImage, best: Detections, caption: str, is_correct: bool
    ) -> ImageArray | None:
        from kpviewer.evaluation.drawing import draw_captioned

        return draw_captioned(image, best, self.setting.spec, caption, is_right=is_correct)


def _as_json(score: ObjectScore) -> dict[str, Any]:
    return {"pictures": score.images, "accuracy": score.accuracy, "mean_iou": score.mean_iou}


def _cells(name: str, one: ObjectScore) -> tuple[str, str, str, str]:
    return name, str(one.images), number(one.accuracy), number(one.mean_iou)


def usable(spec: ModelSpec, data: AnnotationSet) -> AnnotationSet:
    """Return the images that a single-object model can be scored on; ``notes`` counts the rest.

    Raises:
        DatasetError: if there is none, or the data have no class of the model.
    """
    singles = with_one_object(align_classes(data, spec.class_names))
    if not singles.images:
        raise DatasetError(
            "A single-object model is scored on images with exactly one object, and the data "
            "have none. Choose other data."
        )
    return singles


def evaluate(model: Model, data: AnnotationSet, options: EvaluationOptions) -> SingleObjectReport:
    """Score a single-object model on the images with exactly one object of its classes."""
    run = open_run(model, data, options)
    # a class that the data don't label is a wrong one for the one object of an image
    thresholds = replace(run.thresholds, classes=None)
    run = replace(run, data=usable(run.engine.spec, run.data), thresholds=thresholds)
    # scores add up to 1, so that the best may be as low as 1 / C
    floor = min(SCORE_FLOOR, 0.5 / len(run.engine.spec.class_names))
    result = run_detector(run, options, floor)
    return SingleObjectReport(run.evaluated(options.data_name), result, options)


KIND = ModelKind(evaluate, architectures=SINGLE_OBJECT_ARCHITECTURES, usable=usable)
