"""Evaluation of box detectors, with or without keypoints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.evaluation.detection_scores import (
    ClassScores,
    SizeScore,
    class_json,
    class_note,
    class_rows,
    class_scores,
    group_json,
    overlap_note,
    score_rows,
    size_json,
    size_note,
    size_scores,
)
from kpviewer.evaluation.detections import SCORE_FLOOR, DetectionScores, score_detections
from kpviewer.evaluation.figures import (
    calibration_figure,
    confusion_figure,
    curve_figure,
    error_figure,
)
from kpviewer.evaluation.kind import Evaluated, EvaluationOptions, Model, ModelKind, Run, open_run
from kpviewer.evaluation.localisation import (
    LocalisationScores,
    confusion_rows,
    localisation_json,
    localisation_rows,
    localisation_scores,
)
from kpviewer.evaluation.report import Figure, Report, ScoredImage
from kpviewer.evaluation.text import Table
from kpviewer.metrics.keypoint import normaliser_name, object_errors
from kpviewer.metrics.localisation import counted, match_within
from kpviewer.metrics.matching import match
from kpviewer.metrics.overlap import shape_of
from kpviewer.models.spec import Task
from kpviewer.structures import Detections, GroundTruth, ImageArray, Shape


@dataclass(frozen=True, slots=True)
class Failure:
    """The errors of one image."""

    false_negatives: int
    false_positives: int
    error: float
    """Mean keypoint error of the detected objects, in units of NME; 0 without keypoints."""

    @property
    def badness(self) -> float:
        """Sort key: false negatives and false positives weigh the same."""
        return self.false_negatives + self.false_positives + self.error

    @property
    def caption(self) -> str:
        """Description of the errors."""
        parts = [_counted(self.false_negatives, "false negative")] * bool(self.false_negatives)
        parts += [_counted(self.false_positives, "false positive")] * bool(self.false_positives)
        parts += [f"keypoint error {self.error:.3f}"] * bool(self.error)
        return ", ".join(parts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count > 1)}"


def failure_of(
    seen: Detections, targets: GroundTruth, score: float, within_px: float | None = None
) -> Failure:
    """Compare the detections of an image with its ground truth, within px or else by IoU."""
    shown = seen.take(seen.scores >= score)
    errors = object_errors(shown, targets).objects
    if within_px is None:
        matches = match(shown, targets)
    else:
        matches = match_within(shown, targets, within_px)
    return Failure(
        matches.false_negatives, matches.false_positives, float(np.mean(errors)) if errors else 0.0
    )


class DetectionReport(Report):
    """Scores of a detector."""

    worst_note = (
        "Thin lines are the ground truth. A tick marks a match, a ring a missed object, a cross a "
        "false alarm. First come the images with most false negatives and false positives."
    )

    def __init__(self, run: Evaluated, result: DetectionScores, options: EvaluationOptions) -> None:
        super().__init__(run.setting, run.notes, result.frame_ms)
        self.data, self.result = run.data, result
        self._iou, self._keypoint = run.thresholds.iou, run.thresholds.keypoint
        self._options = options
        if self.data.keypoint_names:
            self.worst_note += " Of equal ones, those whose keypoints are furthest off come first."
        if options.within_px is not None:
            self.worst_note += f" Detections match within {options.within_px:g} px."

    @cached_property
    def classes(self) -> ClassScores:
        """Scores by class."""
        score = self.setting.spec.score_threshold
        return class_scores(self.result.seen, self.data, self.result.overall.precision, score)

    @cached_property
    def sizes(self) -> dict[str, SizeScore]:
        """Scores of small, medium and large objects."""
        return size_scores(self.result.seen, self.data)

    @cached_property
    def localisation(self) -> LocalisationScores | None:
        """Localisation scores; None if no largest distance was given."""
        options = self._options
        if options.within_px is None:
            return None
        return localisation_scores(
            self.result.seen,
            self.data,
            self.setting.spec,
            within_px=options.within_px,
            largest_px=options.largest_px,
        )

    def tables(self) -> list[Table]:
        """Return scores by source, by class and of the localisation."""
        tables = [
            Table("", score_rows(self.result), self._note()),
            Table("By class", class_rows(self.classes), class_note(self.classes)),
        ]
        if self.localisation is not None:
            within = f"within {self.localisation.table.max_px:g} px"
            rows = localisation_rows(self.localisation.table)
            tables.append(Table(f"Localisation, {within}", rows))
            if rows := confusion_rows(self.localisation):
                tables.append(Table(f"Confusion, {within}", rows))
        return tables

    def _note(self) -> str:
        """Return lines on sizes, overlaps, and keypoints that the error leaves out, if any."""
        lines = [size_note(self.sizes), overlap_note(*self._shapes)]
        count, floor = self.result.overall.keypoints.not_predicted, self._keypoint
        if count:
            what = _counted(count, "keypoint")
            lines.append(f"NME leaves out {what} with a confidence below {floor:g}.")
        return "\n".join(filter(None, lines))

    def scores_json(self) -> dict[str, Any]:
        """Return the scores, as in ``docs/reference/scores.md``."""
        return {
            "nms_iou": self._iou,
            **group_json(self.result, self.data.class_names),
            **size_json(self.sizes),
            "overlaps": self._shapes[0] if len(set(self._shapes)) == 1 else Shape.UPRIGHT,
            **class_json(self.classes),
            **({} if self.localisation is None else localisation_json(self.localisation)),
        }

    @cached_property
    def _shapes(self) -> tuple[Shape, Shape]:
        """What the model predicts, and what the data have: four corners may be masks, too."""
        found, true = (
            shape_of(self.result.seen),
            shape_of(image.targets for image in self.data.images),
        )
        has_masks = (found, true) == (Shape.MASKS, Shape.ROTATED)
        return found, Shape.MASKS if has_masks else true

    def summary(self) -> dict[str, float]:
        """Return average precision and, where the data have keypoints, 1 - NME."""
        precision, error = self.result.overall.precision, self.result.overall.keypoints.mean
        scores = {"AP@[.5:.95]": precision.ap or 0.0, "AP@0.5": precision.ap50 or 0.0}
        if (
            self.data.keypoint_names
        ):  # the names must be the same each time; no detection is the worst
            scores["1 - NME"] = 0.0 if error is None else 1 - error
        return scores

    def figures(self) -> list[Figure]:
        """Draw precision and recall, calibration, confusion and keypoint errors."""
        scores, names = self.classes, self.data.class_names
        off = scores.calibration.expected_error
        average = "" if off is None else f"; expected calibration error {off:.3f}"
        figures = [
            Figure("Precision against recall at IoU 0.5", curve_figure(scores.curves, names)),
            Figure(
                f"Calibration: share of true positives by score{average}",
                calibration_figure(scores.calibration),
            ),
        ]
        if scores.confusion is not None:
            title = f"Confusion at score {scores.score:.2f} and IoU 0.5"
            figures.append(Figure(title, confusion_figure(scores.confusion, names)))
        if (place := self.localisation) is not None and place.confusion is not None:
            title = f"Confusion at score {scores.score:.2f} within {place.table.max_px:g} px"
            figures.append(Figure(title, confusion_figure(place.confusion, names)))
        if errors := self._keypoint_errors():
            unit = normaliser_name(len(self.data.keypoint_names))
            figures.append(Figure("Errors of the keypoints", error_figure(errors, unit)))
        return figures

    def images(self) -> Iterator[ScoredImage]:
        """Yield the images with their detections above the model's score threshold."""
        score = self.setting.spec.score_threshold
        for seen, image in zip(self.result.seen, self.data.images, strict=True):
            failure = failure_of(seen, self._counted(image), score, self._options.within_px)
            shown = seen.take(seen.scores >= score)
            draw = partial(self._draw, image, shown)
            yield ScoredImage(image, failure.badness, failure.caption, draw)

    def _draw(self, image: AnnotatedImage, shown: Detections) -> ImageArray | None:
        from kpviewer.evaluation.drawing import draw_detections

        image = replace(image, targets=self._counted(image))
        return draw_detections(image, shown, self.setting.spec, self._options.within_px)

    def _counted(self, image: AnnotatedImage) -> GroundTruth:
        """Return the ground truth of an image, without what the options leave out."""
        return counted(image.targets, self._options.largest_px)

    def _keypoint_errors(self) -> Sequence[float]:
        return [
            error
            for found, image in zip(self.result.seen, self.data.images, strict=True)
            for error in object_errors(found, image.targets, counted=~image.pseudo).objects
        ]


def run_detector(
    run: Run, options: EvaluationOptions, floor: float = SCORE_FLOOR
) -> DetectionScores:
    """Score a detector on its data."""
    if options.warm_up:
        run.warm_up()
    return score_detections(
        run.infer_batch,
        run.data,
        thresholds=run.thresholds,
        batch=options.batch,
        floor=floor,
        progress=options.progress,
    )


def evaluate(model: Model, data: AnnotationSet, options: EvaluationOptions) -> DetectionReport:
    """Score a detector."""
    run = open_run(model, data, options)
    result = run_detector(run, options)
    return DetectionReport(run.evaluated(options.data_name), result, options)


KIND = ModelKind(evaluate, tasks=(Task.DETECT, Task.KEYPOINTS, Task.DETECT_KEYPOINTS))
