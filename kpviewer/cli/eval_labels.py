"""``kpviewer eval`` of a multi-label model: label sets in place of boxes."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from kpviewer.cli.json_output import write_json
from kpviewer.cli.label_scores import (
    LabelReport,
    evaluate_labels,
    label_json,
    label_rows,
    label_summary,
    sweep_figure,
    write_sweep,
)
from kpviewer.cli.report import WORST
from kpviewer.cli.report_figures import calibration_figure, jpeg_of
from kpviewer.cli.report_page import figure, row_of, table, write_page
from kpviewer.cli.scores import aligned
from kpviewer.errors import RecordingError
from kpviewer.metrics.multilabel import SWEPT
from kpviewer.overlay.panels import LabelRow, label_tile
from kpviewer.structures import FloatArray, IntArray

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotationSet
    from kpviewer.runtime.executor import Executor
    from kpviewer.runtime.label_evaluation import LabelTable


def score_labels(
    engine: Executor,
    annotations: AnnotationSet,
    classes: frozenset[int] | None,
    setting: dict[str, Any],
    json_path: str | None,
    report_dir: Path | None,
) -> None:
    """Score a multi-label model and print, and write, what was found.

    Args:
        engine: the model.
        annotations: the set, with the class ids of the model.
        classes: ids that the data label; None is all.
        setting: first keys of the JSON.
        json_path: where to write the scores; "-" is stdout.
        report_dir: where page and sweep go, if anywhere.

    Raises:
        DatasetError: if the set is empty or a picture can't be read.
        RecordingError: if a file can't be written.
    """
    report, names = evaluate_labels(engine, annotations, classes), annotations.class_names
    for note in annotations.notes:
        click.echo(f"Note: {note}", err=True)
    to_stderr = json_path == "-"
    rows = list(label_rows(report.score, names))
    click.echo(f"{aligned(rows)}\n\n{label_summary(report)}", err=to_stderr)
    times = report.frame_ms
    click.echo(
        f"{times.p50:.1f} ms a frame (mean {times.mean:.1f}, 95 % under {times.p95:.1f}) "
        f"on {engine.device_name}, {engine.engine_name} {engine.precision}",
        err=to_stderr,
    )
    if report_dir is not None:
        title = f"{engine.spec.name} on {setting['data']}"
        try:
            path = _write_page(report_dir, title, report, annotations)
        except OSError as error:
            raise RecordingError(
                f"The report can't be written to {report_dir}: {error}."
            ) from error
        click.echo(f"Report written to {path}", err=True)
    if json_path is not None:
        write_json(json_path, {
            **setting, "device": engine.device_name, "engine": engine.engine_name,
            "precision": engine.precision, "input_hw": list(engine.spec.input_hw),
            **label_json(report, names), "notes": list(annotations.notes),
        })  # fmt: skip


def worst_rows(table: LabelTable, threshold: float) -> tuple[IntArray, IntArray]:
    """Give the pictures with a wrong decision, worst first, at most ``WORST``.

    Of as many wrong decisions, the surer ones are worse.

    Args:
        table: scores and truth.
        threshold: scores from it on say that the class is there.

    Returns:
        Rows of the table, and the wrong decisions in each.
    """
    is_wrong = ((table.scores >= threshold) != table.present) & table.known
    count = is_wrong.sum(1)
    sureness: FloatArray = (np.abs(table.scores - threshold) * is_wrong).sum(1)
    order = np.lexsort((-sureness, -count))
    order = order[count[order] > 0][:WORST]
    return order, count[order]


def _write_page(folder: Path, title: str, report: LabelReport, annotations: AnnotationSet) -> Path:
    names, times = annotations.class_names, report.frame_ms
    worst, counts = worst_rows(report.table, report.score.threshold)
    page = [
        f"<p>{escape(label_summary(report))}</p>",
        f"<p>{times.p50:.1f} ms a picture (95 % under {times.p95:.1f}).</p>",
        "<h2>By class</h2>",
        table(label_rows(report.score, names)),
        "<h2>Curves</h2>",
        row_of("figures", _figures(report)),
        f"<h2>The {len(worst)} worst pictures</h2>",
        "<p>The classes that are there are underlined; bars that reach the mark are told.</p>",
        row_of("worst", _worst_figures(report, annotations, worst, counts)),
    ]
    path = write_page(folder, title, page)
    write_sweep(report.sweep, folder, SWEPT[0])
    return path


def _figures(report: LabelReport) -> Iterator[str]:
    yield figure("Scores against the threshold", sweep_figure(report.sweep, SWEPT[0]))
    yield figure(
        "What scores are worth: decisions by score, and the share of them whose class is there",
        calibration_figure(report.calibration),
    )


def _worst_figures(
    report: LabelReport, annotations: AnnotationSet, rows: IntArray, counts: IntArray
) -> Iterator[str]:
    from kpviewer.sources.images import load_picture

    for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
        image = annotations.images[row]
        bgr, said = load_picture(image.path), LabelRow(*(part[row] for part in report.table))
        jpeg = None
        if bgr is not None:
            tile = label_tile(bgr, said, annotations.class_names, report.score.threshold)
            jpeg = jpeg_of(tile)
        yield figure(f"{image.path.name}, {count} wrong", jpeg, kind="jpeg")
