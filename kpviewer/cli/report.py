"""``kpviewer eval --report DIR``: one page that shows how well a model does, and where it fails.

The page holds its pictures itself, so that it can be sent or kept as one file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.cli.report_figures import (
    calibration_figure,
    confusion_figure,
    curve_figure,
    error_figure,
)
from kpviewer.cli.report_page import figure, row_of, table, write_page
from kpviewer.cli.scores import COLUMNS, ClassScores, class_rows, class_scores, score_rows
from kpviewer.metrics.keypoint import normaliser_name, object_errors
from kpviewer.metrics.matching import match
from kpviewer.structures import Detections

if TYPE_CHECKING:
    from kpviewer.runtime.evaluation import EvaluationReport

WORST = 24
Paint = Callable[[AnnotatedImage, Detections], bytes | None]
"""(picture of the set, what was seen in it) -> JPEG with both drawn; None if it can't be read."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong in one picture."""

    row: int
    """Of the set."""
    missed: int
    spurious: int
    error: float
    """Mean keypoint error of the objects found, in the set's normaliser; 0 without points."""

    @property
    def badness(self) -> float:
        """What pictures are sorted by: a lost object weighs as much as a false alarm."""
        return self.missed + self.spurious + self.error


def write_report(
    folder: Path,
    title: str,
    report: EvaluationReport,
    annotations: AnnotationSet,
    *,
    score: float,
    paint: Paint | None,
    tables: Mapping[str, Iterable[Sequence[str]]] | None = None,
) -> Path:
    """Write ``FOLDER/report.html``.

    Args:
        folder: made if it isn't there.
        title: what was scored on what.
        report: the evaluation.
        annotations: the set, in the order of ``report.seen``.
        score: threshold of what counts as seen in the confusion table and in the worst pictures.
        paint: draws the worst pictures; None where that can't be done.
        tables: what else was scored: rows by heading, the first row the head.

    Raises:
        OSError: if it can't be written.
    """
    scores = class_scores(report.seen, annotations, report.overall.precision, score)
    failures = worst(report.seen, annotations.images, score)
    times = report.frame_ms
    page = [
        f"<p>{times.p50:.1f} ms a picture (95 % under {times.p95:.1f}).</p>",
        table([COLUMNS, *score_rows(report)]),
        "<h2>By class</h2>",
        table(class_rows(scores)),
        *(f"<h2>{escape(name)}</h2>{table(rows)}" for name, rows in (tables or {}).items()),
        "<h2>Curves</h2>",
        row_of("figures", _figures(report, annotations, scores)),
        f"<h2>The {len(failures)} worst pictures</h2>",
        "<p>Thin lines are the truth. First those with most objects missed or made up, then those "
        "whose keypoints are furthest off.</p>",
        row_of("worst", _worst_figures(failures, report.seen, annotations, paint)),
    ]
    return write_page(folder, title, page)


def _figures(
    report: EvaluationReport,
    annotations: AnnotationSet,
    scores: ClassScores,
) -> Iterator[str]:
    names = annotations.class_names
    yield figure("Precision against recall at IoU 0.5", curve_figure(scores.curves, names))
    off = scores.calibration.expected_error
    yield figure(
        "What scores are worth: detections by score, and the share of them that are hits"
        + ("" if off is None else f"; {off:.3f} off on average"),
        calibration_figure(scores.calibration),
    )
    yield figure(
        f"What is taken for what, at score {scores.score:.2f} and IoU 0.5",
        confusion_figure(scores.confusion, names),
    )
    errors = [
        error
        for found, image in zip(report.seen, annotations.images, strict=True)
        for error in object_errors(found, image.targets, counted=~image.pseudo)
    ]
    if errors:
        unit = normaliser_name(len(annotations.keypoint_names))
        yield figure("Errors of the keypoints", error_figure(errors, unit))


def worst(
    seen: Sequence[Detections], images: Sequence[AnnotatedImage], score: float
) -> list[Failure]:
    """Give the pictures with something wrong, worst first, at most ``WORST``."""
    failures = []
    for row, (found, image) in enumerate(zip(seen, images, strict=True)):
        shown = found.take(found.scores >= score)
        matches = match(shown, image.targets)
        errors = object_errors(shown, image.targets)
        failures.append(
            Failure(
                row, matches.missed, matches.spurious, float(np.mean(errors)) if errors else 0.0
            )
        )
    failures.sort(key=lambda failure: -failure.badness)
    return [failure for failure in failures[:WORST] if failure.badness > 0]


def _worst_figures(
    failures: Iterable[Failure],
    seen: Sequence[Detections],
    annotations: AnnotationSet,
    paint: Paint | None,
) -> Iterable[str]:
    for failure in failures:
        image = annotations.images[failure.row]
        parts = [image.path.name]
        parts += [f"{failure.missed} missed"] * bool(failure.missed)
        parts += [f"{failure.spurious} made up"] * bool(failure.spurious)
        parts += [f"keypoint error {failure.error:.3f}"] * bool(failure.error)
        jpeg = paint(image, seen[failure.row]) if paint else None
        yield figure(", ".join(parts), jpeg, kind="jpeg")
