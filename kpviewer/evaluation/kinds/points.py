"""Evaluation of point models, on the boxes of the ground truth."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import torch

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.figures import error_figure
from kpviewer.evaluation.kind import OPTIONAL, EvaluationOptions, ModelKind
from kpviewer.evaluation.point_reading import ObjectPoints, PointScores, score_points, usable
from kpviewer.evaluation.report import Figure, Report, ScoredImage, Setting
from kpviewer.evaluation.text import Table, number
from kpviewer.metrics.keypoint import distances, normaliser_name, normaliser_notes, normalisers
from kpviewer.metrics.points import PointScore
from kpviewer.models.networks.points.network import POINT_ARCHITECTURES, PointDetector
from kpviewer.models.opening.torch_loading import as_torch
from kpviewer.runtime.device import device_label, resolve_device
from kpviewer.structures import Detections, FloatArray, ImageArray

COLUMNS = (
    *("", "objects", "NME mean", "median", "bias x", "bias y"),
    *("PCK@0.2", "mean px", "sqrt(MSE) px"),
)


class PointReport(Report):
    """Scores of a point model."""

    unit = "object"

    def __init__(self, setting: Setting, notes: Sequence[str], result: PointScores) -> None:
        super().__init__(setting, notes, result.object_ms)
        self.result, self._names = result, setting.spec.keypoint_names

    def tables(self) -> list[Table]:
        """Return the scores by source, then by keypoint."""
        groups = [*self.result.groups.items(), ("all", self.result.overall)]
        rows = [COLUMNS, *(_cells(name or "(no source)", score) for name, score in groups)]
        score = self.result.overall
        by_point = [("point", "bias x", "bias y", "PCK@0.2")]
        for name, bias, share in zip(
            self._names, score.bias_by_point, score.pck_by_point, strict=True
        ):
            by_point.append((name, *_signed(bias), number(share)))
        note = (
            f"NME is over {score.nme.normaliser}, PCK over {score.pck_unit}. Bias is the mean of "
            "prediction minus ground truth, to the right and down, in units of NME."
        )
        return [Table("", rows), Table("By point", by_point, f"\n{note}")]

    def scores_json(self) -> dict[str, Any]:
        """Return the scores, as in ``docs/reference/scores.md``."""
        groups = self.result.groups.items()
        return {
            "overall": self._score_json(self.result.overall),
            "by_source": {source: self._score_json(score) for source, score in groups},
        }

    def _score_json(self, score: PointScore) -> dict[str, Any]:
        return {
            "objects": score.objects,
            "mean_px": score.mean_px,
            "root_mse_px": score.root_mse_px,
            "nme": asdict(score.nme),
            "bias": score.bias,
            "bias_by_point": dict(zip(self._names, score.bias_by_point, strict=True)),
            "pck_0.2": score.pck,
            "pck_unit": score.pck_unit,
            "pck_0.2_by_point": dict(zip(self._names, score.pck_by_point, strict=True)),
        }

    def summary(self) -> dict[str, float]:
        """Return NME and PCK, or px where there is one point; higher is better."""
        return validation_scores(self.result.overall)

    def figures(self) -> list[Figure]:
        """Draw the distribution of the errors."""
        errors = np.concatenate([relative_errors(one) for one in self.result.seen])
        errors = errors[np.isfinite(errors)]
        if not errors.size:
            return []
        unit = normaliser_name(len(self._names))
        return [Figure("Errors of the keypoints", error_figure(errors.tolist(), unit))]

    def images(self) -> Iterator[ScoredImage]:
        """Yield the images with the objects that were scored."""
        for one in self.result.seen:
            error = float(np.nan_to_num(relative_errors(one)).max())
            caption = f"keypoint error {error:.3f}"
            yield ScoredImage(one.image, error, caption, partial(self._draw, one))

    def _draw(self, one: ObjectPoints) -> ImageArray | None:
        from kpviewer.evaluation.drawing import draw_detections

        return draw_detections(one.image, object_detections(one), self.setting.spec)


def validation_scores(score: PointScore) -> dict[str, float]:
    """Return the scores that rank checkpoints: higher is better, the first decides.

    Several points are scored relative to the size of their object. A single point, such as a
    centre, has no size: its negative distances in px are returned.
    """
    if len(score.pck_by_point) == 1:
        worst = float("-inf")
        return {
            "-mean px": worst if score.mean_px is None else -score.mean_px,
            "-sqrt(MSE) px": worst if score.root_mse_px is None else -score.root_mse_px,
        }
    return {
        "1 - NME": 0.0 if score.nme.mean is None else 1 - score.nme.mean,
        "PCK@0.2": score.pck or 0.0,
    }


def object_detections(one: ObjectPoints) -> Detections:
    """Return the points of an image as detections in the boxes of the ground truth."""
    count, points = one.found_xy.shape[:2]
    ground_truth = one.image.targets
    return Detections(
        ground_truth.xyxy,
        np.ones(count, np.float32),
        ground_truth.class_ids,
        one.found_xy,
        np.ones((count, points), np.float32),
    )


def relative_errors(one: ObjectPoints) -> FloatArray:
    """Return the mean error of each object in units of NME: (R,), NaN without labelled points."""
    ground_truth = one.image.targets
    gaps = distances(one.found_xy, ground_truth.keypoints_xy, ground_truth.keypoints_visible)
    known = np.maximum(np.count_nonzero(~np.isnan(gaps), axis=1), 1)
    return np.asarray(np.nansum(gaps, 1) / known / normalisers(ground_truth), np.float32)


def _cells(name: str, score: PointScore) -> tuple[str, ...]:
    return (
        name,
        str(score.objects),
        number(score.nme.mean, 4),
        number(score.nme.median, 4),
        *_signed(score.bias),
        number(score.pck),
        number(score.mean_px, 2),
        number(score.root_mse_px, 2),
    )


def _signed(bias: tuple[float, float] | None) -> tuple[str, str]:
    return ("-", "-") if bias is None else (f"{bias[0]:+.4f}", f"{bias[1]:+.4f}")


def evaluate(model: Any, data: AnnotationSet, options: EvaluationOptions) -> PointReport:
    """Score a point model, or that of a ``runtime.model.Model``, on every box of the ground truth.

    Raises:
        DatasetError: if the data have other keypoints, or can't be scored.
        PipelineError: if the device isn't available.
    """
    detector = as_torch(getattr(model, "detector", model))
    assert isinstance(detector, PointDetector)
    device = resolve_device(options.device)
    detector.network.to(device)
    result = score_points(detector, data, progress=options.progress)
    setting = Setting(
        detector.spec,
        options.data_name,
        device=device_label(device),
        backend="torch",
        precision="fp32",
        threads=torch.get_num_threads(),
    )
    notes = (*data.notes, *normaliser_notes(detector.spec.keypoint_names))
    return PointReport(setting, notes, result)


KIND = ModelKind(evaluate, architectures=POINT_ARCHITECTURES, unused=OPTIONAL, usable=usable)
