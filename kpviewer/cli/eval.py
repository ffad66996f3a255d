"""``kpviewer eval``: scores a model on annotated data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpviewer.cli.json_output import print_report
from kpviewer.cli.options import (
    FiniteRange,
    batch_option,
    data_option,
    engine_options,
    iou_option,
    json_option,
    keypoint_conf_option,
    model_options,
)
from kpviewer.cli.path_types import FolderPath
from kpviewer.errors import RecordingError
from kpviewer.models.names.models import with_layout
from kpviewer.system.paths import make_folder

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotationSet
    from kpviewer.evaluation.report import Report


@click.command()
@model_options
@data_option
@json_option("the scores")
@click.option("--report", "report_dir", metavar="DIR", type=FolderPath(),
              help="Write an HTML report with curves and the worst images.")  # fmt: skip
@engine_options
@batch_option
@iou_option
@keypoint_conf_option
@click.option("--within", "within_px", type=FiniteRange(0, min_open=True), metavar="PX",
              help="Also score localisation: a match is within PX of the true centre or keypoint. "
                   "Default for grid models: half a target.")  # fmt: skip
@click.option("--largest", "largest_px", type=FiniteRange(0, min_open=True), metavar="PX",
              help="Ignore objects longer than PX in the localisation scores.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Use N images, spread over the set.")
def command(
    *,
    model: str,
    layout: str | None,
    spec: str,
    json_path: str | None,
    report_dir: Path | None,
    keypoint_conf: float | None,
    limit: int | None,
    **given: Any,
) -> None:
    """Score a model on an annotated data set.

    Prints the time per frame or object, and scores by the kind of model:

    \b
    detector       average precision (COCO and VOC), precision, recall and F1 by class,
                   keypoint error, recall at 0.1 false positives per image, negatives
    points alone   NME, bias, PCK@0.2 and px, on the true boxes
    multi-label    accuracy_multi, average precision, F1, the best thresholds
    single object  those of a detector, class accuracy and mean IoU, on the images
                   with exactly one object

    Tables go to stdout, with --json - to stderr. --report shows where the model fails.
    """  # noqa: D301
    from tqdm import tqdm

    from kpviewer.evaluation.evaluator import evaluate
    from kpviewer.evaluation.kind import EvaluationOptions
    from kpviewer.models.loading import open_model

    data = read_data(spec, limit)
    detector = open_model(with_layout(model, layout))
    if report_dir is not None:  # before the images, which may take hours
        make_folder(report_dir, RecordingError)
    with tqdm(total=len(data), unit="image", disable=None, leave=False) as bar:
        options = EvaluationOptions(
            **given,
            keypoint=keypoint_conf,
            data_name=spec,
            progress=lambda _done: bar.update(),
        )
        report = evaluate(detector, data, options)
    _print(report, json_path, report_dir)


def _print(report: Report, json_path: str | None, report_dir: Path | None) -> None:
    """Print the report and write its files; one that fails doesn't cost the others."""
    from kpviewer.evaluation.report import missing_renderer

    try:
        print_report(report.to_text(), report.to_json(), json_path)
    finally:
        if report_dir is not None:
            if reason := missing_renderer():
                click.echo(
                    f"Note: no images in the report, as PyQt6 can't be loaded: {reason}", err=True
                )
            click.echo(f"Report written to {report.save(report_dir)}", err=True)


def read_data(spec: str, limit: int | None = None) -> AnnotationSet:
    """Read the usable part of a data set, or N images of it, with a progress bar."""
    from tqdm import tqdm

    from kpviewer.annotations.finishing.pixels import with_readable_images
    from kpviewer.annotations.spec import read_usable
    from kpviewer.sources.images.source import load_image

    annotations = read_usable(spec).spread(limit)
    with tqdm(
        total=len(annotations), unit="image", desc="reading", disable=None, leave=False
    ) as bar:
        return with_readable_images(annotations, load_image, bar.update)
