"""Scores of multi-label models: the table, the JSON, and the sweep of thresholds as CSV and PNG.

The JSON is stable: keys are added, never renamed or removed::

    {"model": "multilabel", "data": "voc:cards:test", "device": "CPU", "engine": "torch",
     "precision": "fp32", "threads": 2, "input_hw": [224, 224],
     "threshold": 0.42, "pictures": 67, "accuracy_multi": 0.95, "f1": 0.9, "map": 0.97,
     "classes": {"ace": {"positives": 20, "average_precision": 0.99, "precision": 0.95,
                         "recall": 0.9, "f1": 0.92}},
     "best_threshold": {"f1": 0.45, "accuracy_multi": 0.5},
     "notes": []}
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from kpviewer.runtime.executor import Executor

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


def score_labels(
    engine: Executor,
    annotations: AnnotationSet,
    classes: frozenset[int] | None,
    report_dir: Path | None,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Score a multi-label model on a set: what ``kpviewer eval`` does with it.

    Args:
        engine: the model.
        annotations: the set, with the class ids of the model.
        classes: ids that the data label; None is all.
        report_dir: where the sweep goes, if anywhere.
        tell: prints a line.

    Returns:
        The scores as JSON values.
    """
    from tqdm import tqdm

    from kpviewer.runtime.label_evaluation import label_table
    from kpviewer.sources.images import load_picture

    with tqdm(total=len(annotations), unit="picture", disable=None, leave=False) as bar:
        table = label_table(
            lambda bgr: engine.infer(bgr)[0],
            annotations,
            load_picture,
            classes=classes,
            progress=lambda _done: bar.update(),
        )
    sweep = sweep_thresholds(*table)
    score = multilabel_score(*table, engine.spec.score_threshold)
    best = {by: sweep.best(by) for by in SWEPT}
    tell(labels_table(score, annotations.class_names))
    tell(
        "best thresholds on these data: "
        + ", ".join(f"{value:.2f} by {_NAMES[by]}" for by, value in best.items())
    )
    if report_dir is not None:
        report_dir.mkdir(parents=True, exist_ok=True)
        write_sweep(sweep, report_dir, SWEPT[0])
    scores = asdict(score)
    scores["map"] = scores.pop("mean_average_precision")
    scores["classes"] = dict(zip(annotations.class_names, scores["classes"], strict=True))
    return {
        "device": engine.device_name,
        "engine": engine.engine_name,
        "precision": engine.precision,
        "input_hw": list(engine.spec.input_hw),
        **scores,
        "best_threshold": best,
        "notes": list(annotations.notes),
    }


def labels_table(score: MultilabelScore, class_names: Sequence[str]) -> str:
    """Lay the scores out: one line a class, then what holds for all of them."""
    width = max(len(name) for name in (*class_names, "class"))
    lines = [f"{'class':{width}}  pictures     AP  precision  recall     F1"]
    for name, one in zip(class_names, score.classes, strict=True):
        area = "-" if one.average_precision is None else f"{one.average_precision:.3f}"
        lines.append(
            f"{name:{width}}  {one.positives:8d}  {area:>5}  {one.precision:9.3f}"
            f"  {one.recall:6.3f}  {one.f1:5.3f}"
        )
    mean = score.mean_average_precision
    lines.append(
        f"{score.pictures} pictures at threshold {score.threshold:.2f}: "
        f"accuracy_multi {score.accuracy_multi:.4f}, F1 {score.f1:.4f}, "
        f"mAP {'-' if mean is None else f'{mean:.4f}'}"
    )
    return "\n".join(lines)


def write_sweep(sweep: ThresholdSweep, folder: Path, by: str) -> None:
    """Write the sweep as CSV and PNG, the best threshold marked in the picture.

    Args:
        sweep: scores by threshold.
        folder: where to; it exists.
        by: what the best one is chosen by.
    """
    from matplotlib.figure import Figure

    best = sweep.best(by)
    columns = (sweep.thresholds, sweep.accuracy_multi, sweep.f1)
    with (folder / SWEEP_CSV).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["threshold", "accuracy_multi", "f1"])
        writer.writerows(
            [f"{threshold:.2f}", f"{accuracy:.5f}", f"{f1:.5f}"]
            for threshold, accuracy, f1 in zip(*columns, strict=True)
        )
    figure = Figure(figsize=(6, 4), layout="constrained")
    panel = figure.subplots()
    for name, values in (("f1", sweep.f1), ("accuracy_multi", sweep.accuracy_multi)):
        (line,) = panel.plot(sweep.thresholds, values, label=_NAMES[name])
        if name == by:
            height = float(values[abs(sweep.thresholds - best).argmin()])
            panel.plot([best], [height], "o", color=line.get_color())
            panel.annotate(
                f"best {height:.3f} at {best:.2f}",
                (best, height),
                xytext=(0, -16),
                textcoords="offset points",
                ha="center",
            )
    panel.axvline(best, color="0.7", linewidth=1, zorder=0)
    panel.set(xlabel="confidence threshold", ylabel="score", xlim=(0, 1), ylim=(0, 1.02))
    panel.grid(color="0.9")
    panel.legend(frameon=False, loc="lower left")
    figure.savefig(folder / SWEEP_PNG, dpi=110)
