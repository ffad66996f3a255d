"""``kpviewer eval --report DIR``: one page that shows how well a model does, and where it fails.

The page holds its pictures itself, so that it can be sent or kept as one file.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from kpviewer.cli.scores import COLUMNS, score_rows
from kpviewer.metrics.confusion import confusion_matrix
from kpviewer.metrics.curves import (
    PrecisionRecall,
    calibration,
    precision_recall,
    voc_average_precision,
)
from kpviewer.metrics.keypoint import normaliser_name, object_errors
from kpviewer.metrics.matching import match
from kpviewer.structures import Detections, Targets

if TYPE_CHECKING:
    from kpviewer.runtime.evaluation import EvaluationReport

PAGE = "report.html"
WORST = 24
Paint = Callable[[AnnotatedImage, Detections], bytes | None]
"""(picture of the set, what was seen in it) -> JPEG with both drawn; None if it can't be read."""

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c1e21; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.5rem }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; text-align: right }
td:first-child, th:first-child { text-align: left } tr + tr { border-top: 1px solid #e3e5e8 }
.figures, .worst { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0 } figcaption { font-size: 13px; color: #555; max-width: 26rem }
.worst img { max-width: 22rem; height: auto }
"""


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
) -> Path:
    """Write ``FOLDER/report.html``.

    Args:
        folder: made if it isn't there.
        title: what was scored on what.
        report: the evaluation.
        annotations: the set, in the order of ``report.seen``.
        score: threshold of what counts as seen in the confusion table and in the worst pictures.
        paint: draws the worst pictures; None where that can't be done.

    Raises:
        OSError: if it can't be written.
    """
    curves = [
        precision_recall(report.seen, _truths(annotations), class_id)
        for class_id in range(len(annotations.class_names))
    ]
    failures = worst(report.seen, annotations.images, score)
    times = report.frame_ms
    page = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{times.p50:.1f} ms a picture (95 % under {times.p95:.1f}).</p>",
        _table([COLUMNS, *score_rows(report)]),
        "<h2>By class</h2>",
        _table(_class_rows(report, annotations, curves)),
        "<h2>Curves</h2>",
        _row_of("figures", _figures(report, annotations, curves, score)),
        f"<h2>The {len(failures)} worst pictures</h2>",
        "<p>Thin lines are the truth. First those with most objects missed or made up, then those "
        "whose keypoints are furthest off.</p>",
        _row_of("worst", _worst_figures(failures, report.seen, annotations, paint)),
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    path.write_text(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(page)}</body></html>\n',
        encoding="utf-8",
    )
    return path


def _truths(annotations: AnnotationSet) -> list[Targets]:
    return [image.targets for image in annotations.images]


def _class_rows(
    report: EvaluationReport, annotations: AnnotationSet, curves: Sequence[PrecisionRecall]
) -> Iterator[tuple[str, ...]]:
    yield ("class", "objects", "AP@0.5 (COCO)", "VOC, area", "VOC, 11 points")
    coco = report.overall.precision.ap50_by_class
    for name, curve, ap50 in zip(annotations.class_names, curves, coco, strict=True):
        area, eleven = (voc_average_precision(curve, eleven_points=kind) for kind in (False, True))
        yield (name, str(curve.objects), _share(ap50), _share(area), _share(eleven))


def _figures(
    report: EvaluationReport,
    annotations: AnnotationSet,
    curves: Sequence[PrecisionRecall],
    score: float,
) -> Iterator[str]:
    names, truths = annotations.class_names, _truths(annotations)
    yield _figure("Precision against recall at IoU 0.5", curve_figure(curves, names))
    scores = calibration(report.seen, truths)
    off = scores.expected_error
    yield _figure(
        "What scores are worth: detections by score, and the share of them that are hits"
        + ("" if off is None else f"; {off:.3f} off on average"),
        calibration_figure(scores),
    )
    counts = confusion_matrix(report.seen, truths, len(names), score=score)
    yield _figure(
        f"What is taken for what, at score {score:.2f} and IoU 0.5", confusion_figure(counts, names)
    )
    errors = [
        error
        for found, image in zip(report.seen, annotations.images, strict=True)
        for error in object_errors(found, image.targets, counted=~image.pseudo)
    ]
    if errors:
        unit = normaliser_name(len(annotations.keypoint_names))
        yield _figure("Errors of the keypoints", error_figure(errors, unit))


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
        yield _figure(", ".join(parts), jpeg, kind="jpeg")


def _figure(caption: str, image: bytes | None, kind: str = "png") -> str:
    shown = ""
    if image is not None:
        data = base64.b64encode(image).decode("ascii")
        shown = f'<img alt="{escape(caption)}" src="data:image/{kind};base64,{data}">'
    return f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>"


def _row_of(kind: str, figures: Iterable[str]) -> str:
    return f'<div class="{kind}">{"".join(figures)}</div>'


def _table(rows: Iterable[Sequence[str]]) -> str:
    head, *body = rows
    cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in body)
    return f"<table><tr>{cells}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
