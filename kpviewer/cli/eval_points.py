"""``kpviewer eval`` of a model that places points in a crop: on the true boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from kpviewer.cli.json_output import write_json
from kpviewer.cli.point_scores import (
    POINT_COLUMNS,
    by_point_rows,
    point_json,
    point_rows,
    point_tables,
    validation_scores,
)
from kpviewer.cli.report import WORST, Paint
from kpviewer.cli.report_figures import error_figure
from kpviewer.cli.report_page import figure, row_of, table, write_page
from kpviewer.errors import RecordingError
from kpviewer.metrics.keypoint import distances, normaliser_name, normalisers
from kpviewer.structures import Detections, FloatArray

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotationSet
    from kpviewer.models.points import PointDetector
    from kpviewer.models.spec import ModelSpec
    from kpviewer.runtime.point_evaluation import ObjectPoints, PointReport


def score_points(
    detector: PointDetector,
    annotations: AnnotationSet,
    spec: str,
    *,
    device: str,
    json_path: str | None,
    report_dir: Path | None,
) -> None:
    """Score a point model and print, and write, what was found.

    Raises:
        DatasetError: if the data have other keypoints, or can't be scored.
        PipelineError: if the device isn't there.
        RecordingError: if a file can't be written.
    """
    import torch
    from tqdm import tqdm

    from kpviewer.runtime.device import device_label, resolve_device
    from kpviewer.runtime.point_evaluation import evaluate_points
    from kpviewer.sources.images import load_picture

    place, names = resolve_device(device), detector.spec.keypoint_names
    detector.network.to(place)
    with tqdm(unit=" pictures", disable=None, leave=False) as bar:
        report = evaluate_points(
            detector, annotations, load_picture, progress=lambda _done: bar.update()
        )
    for note in annotations.notes:
        click.echo(f"Note: {note}", err=True)
    to_stderr = json_path == "-"
    click.echo(point_tables(report, names), err=to_stderr)
    times = report.object_ms
    click.echo(
        f"{times.p50:.1f} ms an object (mean {times.mean:.1f}, 95 % under {times.p95:.1f}) "
        f"on {device_label(place)}, torch fp32",
        err=to_stderr,
    )
    if report_dir is not None:
        _write_page(report_dir, f"{detector.spec.name} on {spec}", report, detector.spec)
    if json_path is not None:
        setting = {
            "model": detector.spec.name,
            "data": spec,
            "device": device_label(place),
            "engine": "torch",
            "precision": "fp32",
            "threads": torch.get_num_threads(),
            "input_hw": list(detector.spec.input_hw),
        }
        notes = {"notes": list(annotations.notes)}
        write_json(json_path, {**setting, **point_json(report, names), **notes})


def validate_points(
    detector: PointDetector, annotations: AnnotationSet, device: str
) -> dict[str, float]:
    """Score a model while it is trained, on every true box.

    Raises:
        DatasetError: if the data have other keypoints, or can't be scored.
    """
    from kpviewer.runtime.device import resolve_device
    from kpviewer.runtime.point_evaluation import evaluate_points
    from kpviewer.sources.images import load_picture

    detector.network.to(resolve_device(device))
    return validation_scores(evaluate_points(detector, annotations, load_picture).overall)


def object_detections(one: ObjectPoints) -> Detections:
    """Show what was read of the objects of a picture as detections, in their true boxes."""
    count, points = one.found_xy.shape[:2]
    truth = one.image.targets.take(np.array(one.rows))
    return Detections(
        truth.xyxy,
        np.ones(count, np.float32),
        truth.class_ids,
        one.found_xy,
        np.ones((count, points), np.float32),
    )


def relative_errors(one: ObjectPoints) -> FloatArray:
    """Mean error of each object over its own length: (R,), NaN where there is none."""
    truth = one.image.targets.take(np.array(one.rows))
    gaps = distances(one.found_xy, truth.keypoints_xy, truth.keypoints_visible)
    known = np.maximum(np.count_nonzero(~np.isnan(gaps), axis=1), 1)
    return np.asarray(np.nansum(gaps, 1) / known / normalisers(truth), np.float32)


def _write_page(folder: Path, title: str, report: PointReport, spec: ModelSpec) -> None:
    names = spec.keypoint_names
    errors = np.concatenate([relative_errors(one) for one in report.seen])
    errors = errors[np.isfinite(errors)]
    worst = sorted(report.seen, key=lambda one: -_worst_error(one))[:WORST]
    told = f"NME is over {report.overall.nme.normaliser}, PCK over {report.overall.pck_unit}."
    times = report.object_ms
    page = [
        f"<p>{times.p50:.1f} ms an object (95 % under {times.p95:.1f}). {escape(told)}</p>",
        table([POINT_COLUMNS, *point_rows(report)]),
        "<h2>By point</h2>",
        table(by_point_rows(report.overall, names)),
        "<h2>Errors</h2>",
        row_of("figures", _figures(errors, names)),
        f"<h2>The {len(worst)} worst pictures</h2><p>Thin lines are the truth.</p>",
        row_of("worst", _worst_figures(worst, _paint(spec))),
    ]
    try:
        path = write_page(folder, title, page)
    except OSError as error:
        raise RecordingError(f"The report can't be written to {folder}: {error}.") from error
    click.echo(f"Report written to {path}", err=True)


def _figures(errors: FloatArray, names: tuple[str, ...]) -> Iterator[str]:
    if errors.size:
        unit = normaliser_name(len(names))
        yield figure("Errors of the keypoints", error_figure(errors.tolist(), unit))


def _worst_error(one: ObjectPoints) -> float:
    return float(np.nan_to_num(relative_errors(one)).max())


def _worst_figures(worst: list[ObjectPoints], paint: Paint | None) -> Iterator[str]:
    for one in worst:
        # only the objects that were scored are drawn
        truth = one.image.targets.take(np.array(one.rows))
        picture = replace(
            one.image,
            targets=truth,
            pseudo=one.image.pseudo[list(one.rows)],
            keypoints_labelled=one.image.keypoints_labelled[list(one.rows)],
        )
        jpeg = paint(picture, object_detections(one)) if paint else None
        caption = f"{one.image.path.name}, keypoint error {_worst_error(one):.3f}"
        yield figure(caption, jpeg, kind="jpeg")


def _paint(spec: ModelSpec) -> Paint | None:
    try:
        from kpviewer.cli.report_pictures import painter
    except ImportError as error:
        click.echo(f"Note: no pictures in the report, as PyQt6 can't be loaded: {error}", err=True)
        return None
    return painter(spec, 0.0)
