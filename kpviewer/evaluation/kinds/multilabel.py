"""Evaluation of multi-label models, which predict the classes of an image without boxes."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import cached_property, partial
from typing import Any, NamedTuple, cast

import numpy as np

from kpviewer.annotations.derived.labels import label_sets
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.evaluation.detection_scores import calibration_json
from kpviewer.evaluation.detections import Infer, require_images
from kpviewer.evaluation.figures import SWEPT_NAMES, calibration_figure, sweep_figure
from kpviewer.evaluation.kind import EvaluationOptions, Model, ModelKind, Run, open_run
from kpviewer.evaluation.report import Figure, Report, ScoredImage, Setting
from kpviewer.evaluation.text import Table, by_name, number
from kpviewer.evaluation.timing import CallTimer, FrameTime, read_image
from kpviewer.metrics.curves import Calibration, calibration_of
from kpviewer.metrics.multilabel import (
    SWEEP_METRICS,
    MultilabelScore,
    ThresholdSweep,
    multilabel_score,
    sweep_thresholds,
)
from kpviewer.models.base import Detector
from kpviewer.models.networks.multilabel import MULTILABEL_ARCHITECTURES, MultilabelDetector
from kpviewer.models.spec import Task
from kpviewer.structures import BoolArray, FloatArray, ImageArray

SWEEP_CSV, SWEEP_PNG = "threshold-sweep.csv", "threshold-sweep.png"


class LabelTable(NamedTuple):
    """Scores and ground truth of N images and C classes, as ``metrics.multilabel`` takes them."""

    scores: FloatArray
    """(N, C) in [0, 1]."""
    present: BoolArray
    """(N, C): whether the class is in the image."""
    known: BoolArray
    """(N, C): whether the ground truth is known; other decisions don't count."""


class LabelReport(Report):
    """Scores of a multi-label model, at its own threshold and at every other."""

    worst_note = (
        "Classes of the ground truth are underlined. A class is predicted if its bar reaches the "
        "mark."
    )

    def __init__(
        self, run: Run, table: LabelTable, time: FrameTime, options: EvaluationOptions
    ) -> None:
        super().__init__(Setting.of(run.engine, options.data_name), run.data.notes, time)
        self.data, self.table, self._by = run.data, table, options.sweep_by

    @cached_property
    def score(self) -> MultilabelScore:
        """Scores at the model's own threshold."""
        return multilabel_score(*self.table, self.setting.spec.score_threshold)

    @cached_property
    def sweep(self) -> ThresholdSweep:
        """Scores at every threshold."""
        return sweep_thresholds(*self.table)

    @cached_property
    def calibration(self) -> Calibration:
        """Calibration of the decisions with known ground truth."""
        known = self.table.known
        return calibration_of(self.table.scores[known], self.table.present[known])

    def tables(self) -> list[Table]:
        """Return the scores by class, and those of all classes below."""
        rows: list[tuple[str, ...]] = [("class", "images", "AP", "precision", "recall", "F1")]
        for name, one in zip(self.data.class_names, self.score.classes, strict=True):
            shares = (one.average_precision, one.precision, one.recall, one.f1)
            rows.append((name, str(one.positives), *map(number, shares)))
        return [Table("By class", rows, f"\n{self._total()}")]

    def _total(self) -> str:
        score, off = self.score, self.calibration.expected_error
        best = (f"{self.sweep.best(by):.2f} by {SWEPT_NAMES[by]}" for by in SWEEP_METRICS)
        calibrated = "" if off is None else f"; expected calibration error {off:.3f}"
        return (
            f"{score.images} images at threshold {score.threshold:.2f}: "
            f"accuracy_multi {score.accuracy_multi:.4f}, F1 {score.f1:.4f}, "
            f"mAP {number(score.mean_average_precision, 4)}\n"
            f"best thresholds on these data: {', '.join(best)}{calibrated}"
        )

    def scores_json(self) -> dict[str, Any]:
        """Return the scores, as in ``docs/reference/scores.md``."""
        scores = asdict(self.score)
        scores["pictures"] = scores.pop("images")
        scores["map"] = scores.pop("mean_average_precision")
        scores["classes"] = by_name(self.data.class_names, scores["classes"])
        return {
            **scores,
            "best_threshold": {by: self.sweep.best(by) for by in SWEEP_METRICS},
            "calibration": calibration_json(self.calibration, "decisions"),
        }

    def summary(self) -> dict[str, float]:
        """Return the scores at the best threshold, and that threshold."""
        score = multilabel_score(*self.table, self.sweep.best(self._by))
        return {
            "mAP": score.mean_average_precision or 0.0,
            "accuracy_multi": score.accuracy_multi,
            "F1": score.f1,
            "threshold": score.threshold,
        }

    def tune(self, detector: Detector) -> Detector:
        """Set the best threshold of the detector; return the detector."""
        own = cast("MultilabelDetector", detector)
        own.spec = replace(own.spec, score_threshold=self.sweep.best(self._by))
        return own

    def figures(self) -> list[Figure]:
        """Draw the sweep of thresholds and the calibration."""
        return [
            Figure("Scores against the threshold", sweep_figure(self.sweep, self._by)),
            Figure(
                "Calibration: share of decisions whose class is present, by score",
                calibration_figure(self.calibration),
            ),
        ]

    def files(self) -> Mapping[str, bytes]:
        """Return the sweep as CSV and as PNG, the best threshold marked."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream)
        writer.writerow(["threshold", "accuracy_multi", "f1"])
        columns = (self.sweep.thresholds, self.sweep.accuracy_multi, self.sweep.f1)
        for threshold, accuracy, f1 in zip(*columns, strict=True):
            writer.writerow([f"{threshold:.2f}", f"{accuracy:.5f}", f"{f1:.5f}"])
        return {
            SWEEP_CSV: stream.getvalue().encode(),
            SWEEP_PNG: sweep_figure(self.sweep, self._by),
        }

    def images(self) -> Iterator[ScoredImage]:
        """Yield the images with their class scores."""
        badness = decision_errors(self.table, self.score.threshold)
        for row, image in enumerate(self.data.images):
            count = int(badness[row])
            caption = f"{count} wrong" if count else ""
            yield ScoredImage(image, float(badness[row]), caption, partial(self._draw, row, image))

    def _draw(self, row: int, image: AnnotatedImage) -> ImageArray | None:
        from kpviewer.evaluation.drawing import draw_labels
        from kpviewer.overlay.panels import LabelRow

        predicted = LabelRow(*(part[row] for part in self.table))
        return draw_labels(image, predicted, self.data.class_names, self.score.threshold)


def decision_errors(table: LabelTable, threshold: float) -> FloatArray:
    """Return the number of wrong decisions of each image, plus a fraction below 1: (N,).

    The fraction is larger for decisions further from the threshold, which are worse.
    """
    is_wrong = ((table.scores >= threshold) != table.present) & table.known
    confidence = (np.abs(table.scores - threshold) * is_wrong).sum(1)
    return np.asarray(is_wrong.sum(1) + confidence / (table.scores.shape[1] + 1), np.float64)


def label_table(
    infer: Infer,
    annotations: AnnotationSet,
    *,
    progress: Callable[[int], object] = lambda done: None,
) -> LabelTable:
    """Run a model on a set.

    Args:
        infer: returns the candidates of one (H, W, 3) uint8 BGR image: one row.
        annotations: ground truth, with class ids of the model (``annotations.derived.classes``).
        progress: called after each image with the number of images done.

    Raises:
        DatasetError: if the set is empty or an image can't be read.
    """
    require_images(annotations)
    rows = []
    for image in annotations.images:
        rows.append(infer(read_image(image)).scores[0])
        progress(len(rows))
    ground_truth = label_sets(annotations.images, len(annotations.class_names))
    return LabelTable(np.stack(rows), ground_truth.present, ground_truth.known)


def evaluate(model: Model, data: AnnotationSet, options: EvaluationOptions) -> LabelReport:
    """Score a multi-label model."""
    run, timer = open_run(model, data, options), CallTimer()
    table = label_table(
        lambda bgr: timer.measure(1, run.infer, bgr),
        run.data,
        progress=options.progress,
    )
    return LabelReport(run, table, timer.times(), options)


KIND = ModelKind(
    evaluate,
    architectures=MULTILABEL_ARCHITECTURES,
    tasks=(Task.CLASSIFY,),
    unused=("iou", "keypoint", "within_px", "largest_px"),
)
