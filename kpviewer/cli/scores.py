"""An evaluation report as a table for people and as JSON for programs.

The JSON is stable: keys are added, never renamed or removed. Shares are in [0, 1], times in ms,
``null`` stands where there is nothing to measure::

    {"model": "face-ssd", "data": "coco:val.json", "device": "CPU", "engine": "torch",
     "precision": "fp32", "threads": 2, "input_hw": [320, 320], "nms_iou": 0.45,
     "ms_per_frame": {"mean": 8.1, "p50": 8.0, "p95": 9.2},
     "overall": {"images": 906, "objects": 945, "ap50": 0.97, "ap": 0.71,
                 "ap50_by_class": {"face": 0.97},
                 "nme": {"mean": 0.05, "median": 0.04, "p90": 0.08, "objects": 850,
                         "normaliser": "inter-ocular"},
                 "at_0.1_false_positives_per_image": {"recall": 0.98, "score": 0.31},
                 "negatives": {"images": 30, "clean": 30, "clean_share": 1.0}},
     "by_source": {"lfw": {...as overall...}},
     "by_class": {"face": {"objects": 945, "ap50": 0.97, "voc_area": 0.97, "voc_11_points": 0.9,
                           "precision": 0.99, "recall": 0.96, "f1": 0.975}},
     "score_threshold": 0.5,
     "calibration": {"expected_error": 0.08,
                     "bins": [{"detections": 12, "score": 0.04, "hits": 0.01}, ...ten...]},
     "confusion": {"names": ["face"], "counts": [[907, 38], [9, 0]]},
     "notes": ["2 objects left out: boxes without area"]}

``precision``, ``recall``, ``f1`` and ``confusion`` are those of detections from ``score_threshold``
on. Rows of ``confusion`` are true classes, then "nothing there"; columns are what they are seen as,
then "missed"; boxes are matched by place alone, at IoU 0.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.metrics.average_precision import AveragePrecision
from kpviewer.metrics.confusion import confusion_matrix
from kpviewer.metrics.curves import (
    Calibration,
    PrecisionRecall,
    calibration,
    class_score,
    precision_recall,
    voc_average_precision,
)
from kpviewer.runtime.evaluation import EvaluationReport, GroupScore
from kpviewer.structures import Detections, IntArray

MOST_CONFUSED = 3
"""Pairs of classes that the table names."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """What is known of each class, in the order of their ids, and of all scores together."""

    names: tuple[str, ...]
    curves: tuple[PrecisionRecall, ...]
    """At IoU 0.5."""
    ap50: tuple[float | None, ...]
    """COCO's."""
    score: float
    """Threshold of precision, recall, F1 and confusion."""
    calibration: Calibration
    confusion: IntArray
    """(C + 1, C + 1), as ``metrics.confusion`` gives it."""


def class_scores(
    seen: Sequence[Detections],
    annotations: AnnotationSet,
    precision: AveragePrecision,
    score: float,
) -> ClassScores:
    """Score each class.

    Args:
        seen: in each picture of the set, with the low scores.
        annotations: the set.
        precision: COCO's average precision of the same.
        score: threshold of precision, recall, F1 and confusion.
    """
    truths = [image.targets for image in annotations.images]
    num_classes = len(annotations.class_names)
    return ClassScores(
        names=annotations.class_names,
        curves=tuple(precision_recall(seen, truths, class_id) for class_id in range(num_classes)),
        ap50=precision.ap50_by_class,
        score=score,
        calibration=calibration(seen, truths),
        confusion=confusion_matrix(seen, truths, num_classes, score=score),
    )


def class_rows(scores: ClassScores) -> Iterator[tuple[str, ...]]:
    """Give the cells of the table by class, the head first."""
    at = f"at {scores.score:.2f}"
    yield (
        "class", "objects", "AP@0.5", "VOC area", "VOC 11 points",
        f"precision {at}", "recall", "F1",
    )  # fmt: skip
    for name, values in _by_class(scores).items():
        objects, *shares = values.values()
        yield (name, str(objects), *(_number(share, 3) for share in shares))


def class_table(scores: ClassScores) -> str:
    """Lay out the classes that have objects, and tell how far scores are from probabilities."""
    off = scores.calibration.expected_error
    calibrated = "" if off is None else f"\nscores are {off:.3f} off the share of hits, on average"
    head, *rows = class_rows(scores)
    taken = confusion_text(scores.confusion, scores.names)
    return aligned([head, *(row for row in rows if row[1] != "0")]) + calibrated + taken


def confusion_text(counts: IntArray, names: Sequence[str]) -> str:
    """Name the classes that are most often taken for others; nothing where none is.

    Args:
        counts: (C + 1, C + 1), as ``metrics.confusion`` gives them.
        names: C names.
    """
    others = counts[:-1, :-1] * ~np.eye(len(names), dtype=np.bool_)
    order = np.argsort(-others, axis=None, kind="stable")[:MOST_CONFUSED]
    pairs = (np.unravel_index(place, others.shape) for place in order)
    told = [
        f"{names[is_]} for {names[seen_as]} {others[is_, seen_as]}"
        for is_, seen_as in pairs
        if others[is_, seen_as]
    ]
    return f"\ntaken for another class: {', '.join(told)}" if told else ""


def class_json(scores: ClassScores) -> dict[str, Any]:
    """Give what is known by class, calibration and confusion; the module shows the form."""
    return {
        "by_class": _by_class(scores),
        "score_threshold": scores.score,
        "calibration": calibration_json(scores.calibration, "detections"),
        "confusion": {"names": list(scores.names), "counts": scores.confusion.tolist()},
    }


def calibration_json(result: Calibration, counted: str) -> dict[str, Any]:
    """Give ``calibration``; the bins say how many there are of what is ``counted``."""
    columns = zip(result.counts.tolist(), result.mean_score, result.hit_share, strict=True)
    return {
        "expected_error": result.expected_error,
        "bins": [
            {counted: count, "score": _or_none(mean), "hits": _or_none(share)}
            for count, mean, share in columns
        ],
    }


def _by_class(scores: ClassScores) -> dict[str, dict[str, Any]]:
    found = {}
    for name, curve, ap50 in zip(scores.names, scores.curves, scores.ap50, strict=True):
        point = class_score(curve, scores.score)
        found[name] = {
            "objects": curve.objects,
            "ap50": ap50,
            "voc_area": voc_average_precision(curve),
            "voc_11_points": voc_average_precision(curve, eleven_points=True),
            "precision": point.precision,
            "recall": point.recall,
            "f1": point.f1,
        }
    return found


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def report_json(report: EvaluationReport, class_names: Sequence[str]) -> dict[str, Any]:
    """Give the scores as JSON values; the module shows the form."""
    return {
        "ms_per_frame": asdict(report.frame_ms),
        "overall": _group_json(report.overall, class_names),
        "by_source": {
            source: _group_json(score, class_names) for source, score in report.groups.items()
        },
    }


def _group_json(score: GroupScore, class_names: Sequence[str]) -> dict[str, Any]:
    by_class = zip(class_names, score.precision.ap50_by_class, strict=True)
    return {
        "images": score.images,
        "objects": score.objects,
        "ap50": score.precision.ap50,
        "ap": score.precision.ap,
        "ap50_by_class": dict(by_class),
        "nme": asdict(score.keypoints),
        "at_0.1_false_positives_per_image": asdict(score.working_point),
        "negatives": {**asdict(score.negatives), "clean_share": score.negatives.clean_share},
    }


COLUMNS = ("", "images", "AP@0.5", "AP@[.5:.95]", "NME mean", "median", "recall@0.1FP", "negatives")


def report_table(report: EvaluationReport) -> str:
    """Lay the scores out in columns, one line for each source of pictures and one for all."""
    return aligned([COLUMNS, *score_rows(report)])


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows of as many cells each; the first column to the left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def score_rows(report: EvaluationReport) -> list[tuple[str, ...]]:
    """Give the cells of each source of pictures, and of all of them last."""
    groups = [*report.groups.items(), ("all", report.overall)]
    return [_cells(name or "(no source)", score) for name, score in groups]


def _line(cells: Iterable[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)])


def _cells(name: str, score: GroupScore) -> tuple[str, ...]:
    negatives = score.negatives
    return (
        name,
        str(score.images),
        _number(score.precision.ap50, 3),
        _number(score.precision.ap, 3),
        _number(score.keypoints.mean, 4),
        _number(score.keypoints.median, 4),
        _number(score.working_point.recall, 3),
        f"{negatives.clean}/{negatives.images}" if negatives.images else "-",
    )


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
