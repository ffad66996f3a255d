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
     "notes": ["2 objects left out: boxes without area"]}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from kpviewer.runtime.evaluation import EvaluationReport, GroupScore


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
    rows = [COLUMNS, *score_rows(report)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
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
