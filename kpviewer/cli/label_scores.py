"""Scores of multi-label models: the table, the JSON, and the sweep of thresholds as CSV and PNG.

The JSON is stable: keys are added, never renamed or removed::

    {"model": "multilabel", "data": "voc:cards:test", "device": "CPU", "engine": "torch",
     "precision": "fp32", "threads": 2, "input_hw": [224, 224],
     "threshold": 0.42, "pictures": 67, "accuracy_multi": 0.95, "f1": 0.9, "map": 0.97,
     "classes": {"ace": {"positives": 20, "average_precision": 0.99, "precision": 0.95,
                         "recall": 0.9, "f1": 0.92}},
     "best_threshold": {"f1": 0.45, "accuracy_multi": 0.5},
     "ms_per_frame": {"mean": 8.1, "p50": 8.0, "p95": 9.2},
     "calibration": {"expected_error": 0.03,
                     "bins": [{"decisions": 400, "score": 0.04, "hits": 0.01}, ...ten...]},
     "notes": []}

A decision is one class of one picture; its hit is that the class is there.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kpviewer.cli.scores import calibration_json
from kpviewer.metrics.curves import Calibration, calibration_of
from kpviewer.metrics.multilabel import (
    SWEPT,
    MultilabelScore,
    ThresholdSweep,
    multilabel_score,
    sweep_thresholds,
)

if TYPE_CHECKING:
    from kpviewer.annotations.structure import AnnotationSet
    from kpviewer.models.multilabel import MultilabelDetector
    from kpviewer.runtime.evaluation import FrameTime
    from kpviewer.runtime.executor import Executor
    from kpviewer.runtime.label_evaluation import LabelTable
    from kpviewer.structures import Candidates, ImageArray

SWEEP_CSV, SWEEP_PNG = "threshold-sweep.csv", "threshold-sweep.png"
_NAMES = {"f1": "F1", "accuracy_multi": "accuracy_multi"}


def validate_labels(
    detector: MultilabelDetector,
    engine: Executor,
    annotations: AnnotationSet,
    classes: frozenset[int] | None,
    out_dir: Path,
    by: str,
) -> dict[str, float]:
    """Score a model while it is trained; give it the best threshold, and save the sweep.

    Args:
        detector: its spec gets the threshold.
        engine: runs it.
        annotations: data to choose the threshold on, with the class ids of the model.
        classes: ids that the data label; None is all.
        out_dir: where the sweep goes.
        by: what the threshold is chosen by, one of ``metrics.multilabel.SWEPT``.
    """
    from kpviewer.runtime.label_evaluation import label_table
    from kpviewer.sources.images import load_picture

    table = label_table(
        lambda bgr: engine.infer(bgr)[0], annotations, load_picture, classes=classes
    )
    sweep = sweep_thresholds(*table)
    score = multilabel_score(*table, sweep.best(by))
    detector.spec = replace(detector.spec, score_threshold=score.threshold)
    write_sweep(sweep, out_dir, by)
    return {
        "mAP": score.mean_average_precision or 0.0,
        "accuracy_multi": score.accuracy_multi,
        "F1": score.f1,
        "threshold": score.threshold,
    }


@dataclass(frozen=True, slots=True, eq=False)
class LabelReport:
    """What was found out about a multi-label model on a set."""

    table: LabelTable
    """A row a picture of the set."""
    score: MultilabelScore
    """At the model's own threshold."""
    sweep: ThresholdSweep
    calibration: Calibration
    """Of the decisions that count."""
    frame_ms: FrameTime


def evaluate_labels(
    engine: Executor, annotations: AnnotationSet, classes: frozenset[int] | None
) -> LabelReport:
    """Run a multi-label model over a set and score it.

    Args:
        engine: the model.
        annotations: the set, with the class ids of the model.
        classes: ids that the data label; None is all.

    Raises:
        DatasetError: if the set is empty or a picture can't be read.
    """
    from tqdm import tqdm

    from kpviewer.runtime.evaluation import FrameTime
    from kpviewer.runtime.label_evaluation import label_table
    from kpviewer.sources.images import load_picture

    times_ms: list[float] = []

    def infer(bgr: ImageArray) -> Candidates:
        start_ns = time.perf_counter_ns()
        candidates = engine.infer(bgr)[0]
        times_ms.append((time.perf_counter_ns() - start_ns) / 1e6)
        return candidates

    with tqdm(total=len(annotations), unit="picture", disable=None, leave=False) as bar:
        table = label_table(
            infer, annotations, load_picture, classes=classes, progress=lambda _done: bar.update()
        )
    p50, p95 = np.percentile(times_ms, (50, 95))
    return LabelReport(
        table=table,
        score=multilabel_score(*table, engine.spec.score_threshold),
        sweep=sweep_thresholds(*table),
        calibration=calibration_of(table.scores[table.known], table.present[table.known]),
        frame_ms=FrameTime(float(np.mean(times_ms)), float(p50), float(p95)),
    )


def label_json(report: LabelReport, class_names: Sequence[str]) -> dict[str, Any]:
    """Give the scores as JSON values; the module shows the form."""
    scores = asdict(report.score)
    scores["map"] = scores.pop("mean_average_precision")
    scores["classes"] = dict(zip(class_names, scores["classes"], strict=True))
    return {
        **scores,
        "best_threshold": {by: report.sweep.best(by) for by in SWEPT},
        "ms_per_frame": asdict(report.frame_ms),
        "calibration": calibration_json(report.calibration, "decisions"),
    }


def label_rows(score: MultilabelScore, class_names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give the cells of the table by class, the head first."""
    yield "class", "pictures", "AP", "precision", "recall", "F1"
    for name, one in zip(class_names, score.classes, strict=True):
        area = "-" if one.average_precision is None else f"{one.average_precision:.3f}"
        shares = (f"{value:.3f}" for value in (one.precision, one.recall, one.f1))
        yield (name, str(one.positives), area, *shares)


def label_summary(report: LabelReport) -> str:
    """Tell in two lines what holds for all classes."""
    score = report.score
    mean, off = score.mean_average_precision, report.calibration.expected_error
    best = (f"{report.sweep.best(by):.2f} by {_NAMES[by]}" for by in SWEPT)
    calibrated = "" if off is None else f"; scores are {off:.3f} off the share of hits, on average"
    return (
        f"{score.pictures} pictures at threshold {score.threshold:.2f}: "
        f"accuracy_multi {score.accuracy_multi:.4f}, F1 {score.f1:.4f}, "
        f"mAP {'-' if mean is None else f'{mean:.4f}'}\n"
        f"best thresholds on these data: {', '.join(best)}{calibrated}"
    )


def write_sweep(sweep: ThresholdSweep, folder: Path, by: str) -> None:
    """Write the sweep as CSV and PNG, the best threshold marked in the picture.

    Args:
        sweep: scores by threshold.
        folder: where to; it exists.
        by: what the best one is chosen by.
    """
    columns = (sweep.thresholds, sweep.accuracy_multi, sweep.f1)
    with (folder / SWEEP_CSV).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["threshold", "accuracy_multi", "f1"])
        writer.writerows(
            [f"{threshold:.2f}", f"{accuracy:.5f}", f"{f1:.5f}"]
            for threshold, accuracy, f1 in zip(*columns, strict=True)
        )
    (folder / SWEEP_PNG).write_bytes(sweep_figure(sweep, by))


def sweep_figure(sweep: ThresholdSweep, by: str) -> bytes:
    """Draw scores against the threshold as PNG, the best one marked; see ``write_sweep``."""
    from matplotlib.figure import Figure

    best = sweep.best(by)
    figure = Figure(figsize=(6, 4), layout="constrained")
    panel = figure.subplots()
    for name, values in (("f1", sweep.f1), ("accuracy_multi", sweep.accuracy_multi)):
        (line,) = panel.plot(sweep.thresholds, values, label=_NAMES[name])
        if name == by:
            height = float(values[abs(sweep.thresholds - best).argmin()])
            line.set_label(f"{_NAMES[name]}, best {height:.3f} at {best:.2f}")
            panel.plot([best], [height], "o", color=line.get_color())
    panel.axvline(best, color="0.7", linewidth=1, zorder=0)
    panel.set(xlabel="confidence threshold", ylabel="score", xlim=(0, 1), ylim=(0, 1.02))
    panel.grid(color="0.9")
    panel.legend(frameon=False)
    figure.savefig(stream := io.BytesIO(), format="png", dpi=110)
    return stream.getvalue()
