"""``kpviewer eval``: how well a model does on an annotated data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from kpviewer.annotations.spec import FORMS
from kpviewer.cli.options import (
    FiniteRange,
    NamedPath,
    TextPath,
    device_option,
    engine_option,
    iou_option,
    model_option,
    precision_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kpviewer.annotations.structure import AnnotationSet
    from kpviewer.cli.scores import ClassScores
    from kpviewer.models.base import Detector
    from kpviewer.runtime.evaluation import EvaluationReport
    from kpviewer.runtime.executor import Executor
    from kpviewer.structures import Thresholds


class Wanted(NamedTuple):
    """What is asked for beside the tables."""

    json_path: str | None
    """Where to write the scores; "-" is stdout."""
    report_dir: Path | None
    within_px: float | None
    """Largest distance of a hit; None: what suits the model."""
    largest_px: float | None
    """Longest object in the score of places."""

    @property
    def to_stderr(self) -> bool:
        """Whether tables must stay out of stdout."""
        return self.json_path == "-"


@click.command()
@model_option
@click.option("--data", "spec", required=True, metavar="SPEC", help=f"{FORMS}, or a path alone.")
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    type=TextPath(),
    help="Write the scores as JSON; - is stdout.",
)
@click.option("--report", "report_dir", metavar="DIR", type=NamedPath(),
              help="Write a page with curves and the worst pictures.")  # fmt: skip
@device_option
@precision_option
@engine_option
@iou_option
@click.option("--within", "within_px", type=FiniteRange(0, min_open=True), metavar="PX",
              help="Score places, too: a hit is a middle, or point, this near to the true one. "
                   "Grid models are scored so by half a target.")  # fmt: skip
@click.option("--largest", "largest_px", type=FiniteRange(0, min_open=True), metavar="PX",
              help="In the score of places, leave longer objects out.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1), help="Use N pictures, spread over the set.")
def command(
    *,
    model: str,
    spec: str,
    json_path: str | None,
    report_dir: Path | None,
    device: str,
    precision: str,
    engine: str,
    iou: float | None,
    within_px: float | None,
    largest_px: float | None,
    limit: int | None,
) -> None:
    """Score a model on an annotated data set.

    Prints average precision (COCO and VOC), precision, recall and F1 by class, the error of
    keypoints over the distance of the eyes, recall at 0.1 false positives a picture, the empty
    pictures on which nothing is seen, and the time a frame; of models that only place points, NME,
    PCK@0.2 and px on the true boxes; of multi-label models, accuracy_multi, average precision and
    the best thresholds; of single-object models, class accuracy and mean IoU too, on the pictures
    with exactly one object. Without --json - the tables go to stdout. --report shows where the
    model fails.
    """
    from kpviewer.annotations.classes import align_classes, shared_classes
    from kpviewer.annotations.spec import read_usable
    from kpviewer.cli.eval_labels import score_labels
    from kpviewer.cli.eval_points import score_points
    from kpviewer.cli.single_scores import scored_singles
    from kpviewer.models.loading import open_model
    from kpviewer.models.points import PointDetector
    from kpviewer.models.single_object import SINGLE_OBJECT_ARCHITECTURES
    from kpviewer.models.spec import Task

    wanted = Wanted(json_path, report_dir, within_px, largest_px)
    annotations = readable(read_usable(spec).spread(limit))
    detector = open_model(model)
    if isinstance(detector, PointDetector):
        score_points(
            detector, annotations, spec, device=device, json_path=json_path, report_dir=report_dir
        )
        return
    executor, threads = open_engine(detector, device, precision, engine)
    thresholds = executor.spec.thresholds
    thresholds = replace(
        thresholds,
        iou=thresholds.iou if iou is None else iou,
        # What the data don't label can't be scored. Pictures of no class at all are negatives.
        classes=shared_classes(annotations, executor.spec.class_names) or None,
    )
    annotations = align_classes(annotations, executor.spec.class_names)
    setting: dict[str, Any] = {"model": executor.spec.name, "data": spec, "threads": threads}
    if executor.spec.task is Task.CLASSIFY:
        score_labels(executor, annotations, thresholds.classes, setting, json_path, report_dir)
        return
    if executor.spec.architecture in SINGLE_OBJECT_ARCHITECTURES:
        annotations = scored_singles(annotations)
    _score_boxes(executor, annotations, thresholds, setting, wanted)


def readable(annotations: AnnotationSet) -> AnnotationSet:
    """Leave out the images that can't be read, behind a progress bar."""
    from tqdm import tqdm

    from kpviewer.annotations.finishing import with_readable_images
    from kpviewer.sources.images import load_picture

    with tqdm(
        total=len(annotations), unit="image", desc="reading", disable=None, leave=False
    ) as bar:
        return with_readable_images(annotations, load_picture, bar.update)


def _score_boxes(
    executor: Executor,
    annotations: AnnotationSet,
    thresholds: Thresholds,
    setting: dict[str, Any],
    wanted: Wanted,
) -> None:
    """Score a detector."""
    from kpviewer.cli.json_output import write_json
    from kpviewer.cli.places import place_json, place_scores
    from kpviewer.cli.scores import aligned, class_json, class_scores
    from kpviewer.cli.single_scores import single_json, single_rows, single_scores

    report = _run(executor, annotations, thresholds)
    scores = class_scores(
        report.seen, annotations, report.overall.precision, executor.spec.score_threshold
    )
    places = place_scores(
        report.seen, annotations, executor.spec, wanted.within_px, wanted.largest_px
    )
    single = single_scores(report.seen, annotations, executor.spec)
    tables: dict[str, Sequence[Sequence[str]]] = {}
    if single is not None:
        tables["The one object of each picture"] = list(
            single_rows(single, annotations.class_names)
        )
    if places is not None:
        tables[f"Places, to {places.max_px:g} px"] = places.cells
    _print_tables(report, annotations, executor, scores, to_stderr=wanted.to_stderr)
    for rows in tables.values():
        click.echo("\n" + aligned(rows), err=wanted.to_stderr)
    if wanted.report_dir is not None:
        title = f"{executor.spec.name} on {setting['data']}"
        _write_page(wanted.report_dir, title, report, annotations, executor, tables)
    if wanted.json_path is not None:
        setting["nms_iou"] = thresholds.iou
        write_json(wanted.json_path, {
            **setting, **_describe(executor, annotations, report), **class_json(scores),
            **single_json(single, annotations.class_names), **place_json(places),
        })  # fmt: skip


def _write_page(
    folder: Path,
    title: str,
    report: EvaluationReport,
    annotations: AnnotationSet,
    executor: Executor,
    tables: Mapping[str, Iterable[Sequence[str]]],
) -> None:
    from kpviewer.cli.report import write_report
    from kpviewer.errors import RecordingError

    score, paint = executor.spec.score_threshold, None
    try:
        from kpviewer.cli.report_pictures import painter

        paint = painter(executor.spec, score)
    except ImportError as error:
        click.echo(f"Note: no pictures in the report, as PyQt6 can't be loaded: {error}", err=True)
    try:
        path = write_report(
            folder, title, report, annotations, score=score, paint=paint, tables=tables
        )
    except OSError as error:
        raise RecordingError(f"The report can't be written to {folder}: {error}.") from error
    click.echo(f"Report written to {path}", err=True)


def open_engine(
    detector: Detector, device: str, precision: str, engine: str
) -> tuple[Executor, int]:
    """Put a model on its device; tell the CPU threads that it uses."""
    import torch

    from kpviewer.runtime.executor import Executor

    return Executor(detector, device, precision, engine), torch.get_num_threads()


def _run(engine: Executor, annotations: AnnotationSet, thresholds: Thresholds) -> EvaluationReport:
    from tqdm import tqdm

    from kpviewer.runtime.evaluation import evaluate
    from kpviewer.sources.images import load_picture

    _warm_up(engine, annotations)
    with tqdm(total=len(annotations), unit="picture", disable=None, leave=False) as bar:
        return evaluate(
            lambda bgr: engine.infer(bgr)[0],
            annotations,
            load_picture,
            thresholds=thresholds,
            progress=lambda _done: bar.update(),
        )


def _warm_up(engine: Executor, annotations: AnnotationSet) -> None:
    """Have every size of input ready, so that the times are those of pictures."""
    from kpviewer.runtime.preprocess import letterbox_of

    sizes = {image.size_wh[::-1] for image in annotations.images} - {(0, 0)}
    by_input = {letterbox_of(engine.spec, hw).input_hw: hw for hw in sizes}
    for hw in by_input.values():
        engine.warm_up(hw)


def _print_tables(
    report: EvaluationReport,
    annotations: AnnotationSet,
    engine: Executor,
    scores: ClassScores,
    *,
    to_stderr: bool,
) -> None:
    from kpviewer.cli.scores import class_table, report_table

    for note in annotations.notes:
        click.echo(f"Note: {note}", err=True)
    click.echo(report_table(report), err=to_stderr)
    click.echo("\n" + class_table(scores) + "\n", err=to_stderr)
    times = report.frame_ms
    click.echo(
        f"{times.p50:.1f} ms a frame (mean {times.mean:.1f}, 95 % under {times.p95:.1f}) "
        f"on {engine.device_name}, {engine.engine_name} {engine.precision}",
        err=to_stderr,
    )


def _describe(
    engine: Executor, annotations: AnnotationSet, report: EvaluationReport
) -> dict[str, Any]:
    from kpviewer.cli.scores import report_json

    return {
        "device": engine.device_name,
        "engine": engine.engine_name,
        "precision": engine.precision,
        "input_hw": list(engine.spec.input_hw),
        **report_json(report, annotations.class_names),
        "notes": list(annotations.notes),
    }
