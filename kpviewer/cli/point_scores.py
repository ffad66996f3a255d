"""The scores of a point model as a table for people and as JSON for programs.

The JSON is stable, as that of ``cli.scores``; ``null`` stands where there is nothing to measure::

    {"model": "face-points", "data": "coco:val.json", "device": "CPU", "engine": "torch",
     "precision": "fp32", "threads": 2, "input_hw": [128, 128],
     "ms_per_object": {"mean": 3.1, "p50": 3.0, "p95": 3.9},
     "overall": {"objects": 945, "mean_px": 2.1, "root_mse_px": 1.9,
                 "nme": {"mean": 0.04, "median": 0.03, "p90": 0.06, "objects": 940,
                         "normaliser": "inter-ocular"},
                 "bias": [0.01, -0.002], "bias_by_point": {"left_eye": [0.01, -0.002]},
                 "pck_0.2": 0.99, "pck_unit": "longest side of the box",
                 "pck_0.2_by_point": {"left_eye": 0.99}},
     "by_source": {"lfw": {...as overall...}},
     "notes": []}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kpviewer.cli.scores import aligned

if TYPE_CHECKING:
    from kpviewer.metrics.points import PointScore
    from kpviewer.runtime.point_evaluation import PointReport

POINT_COLUMNS = (
    *("", "objects", "NME mean", "median", "bias x", "bias y"),
    *("PCK@0.2", "mean px", "sqrt(MSE) px"),
)


def validation_scores(score: PointScore) -> dict[str, float]:
    """Give what a training run is steered by: higher is better, the first decides.

    Points of objects are judged relative to the objects. One point alone, such as a centre, has no
    object about it: its distances in px are given, with the sign turned.
    """
    if len(score.pck_by_point) == 1:
        worst = float("-inf")
        return {
            "-mean px": worst if score.mean_px is None else -score.mean_px,
            "-sqrt(MSE) px": worst if score.root_mse_px is None else -score.root_mse_px,
        }
    return {
        "1 - NME": 0.0 if score.nme.mean is None else 1 - score.nme.mean,
        "PCK@0.2": score.pck or 0.0,
    }


def point_json(report: PointReport, keypoint_names: Sequence[str]) -> dict[str, Any]:
    """Give the scores as JSON values; the module shows the form."""
    return {
        "ms_per_object": asdict(report.object_ms),
        "overall": _score_json(report.overall, keypoint_names),
        "by_source": {
            source: _score_json(score, keypoint_names) for source, score in report.groups.items()
        },
    }


def _score_json(score: PointScore, keypoint_names: Sequence[str]) -> dict[str, Any]:
    return {
        "objects": score.objects,
        "mean_px": score.mean_px,
        "root_mse_px": score.root_mse_px,
        "nme": asdict(score.nme),
        "bias": score.bias,
        "bias_by_point": dict(zip(keypoint_names, score.bias_by_point, strict=True)),
        "pck_0.2": score.pck,
        "pck_unit": score.pck_unit,
        "pck_0.2_by_point": dict(zip(keypoint_names, score.pck_by_point, strict=True)),
    }


def point_tables(report: PointReport, keypoint_names: Sequence[str]) -> str:
    """Lay out the scores by source, then by point."""
    score = report.overall
    told = (
        f"NME is over {score.nme.normaliser}, PCK over {score.pck_unit}. Bias is the mean of found "
        "minus true, to the right and down, in units of NME."
    )
    by_source = aligned([POINT_COLUMNS, *point_rows(report)])
    by_point = aligned(list(by_point_rows(score, keypoint_names)))
    return f"{by_source}\n\n{by_point}\n\n{told}"


def point_rows(report: PointReport) -> list[tuple[str, ...]]:
    """Give the cells of each source of pictures, and of all of them last."""
    groups: Mapping[str, PointScore] = {**report.groups}
    rows = [_cells(name or "(no source)", score) for name, score in groups.items()]
    return [*rows, _cells("all", report.overall)]


def by_point_rows(score: PointScore, keypoint_names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Give the cells of each point, the head first."""
    yield "point", "bias x", "bias y", "PCK@0.2"
    for name, bias, share in zip(
        keypoint_names, score.bias_by_point, score.pck_by_point, strict=True
    ):
        yield name, *_signed(bias), _number(share, 3)


def _cells(name: str, score: PointScore) -> tuple[str, ...]:
    return (
        name,
        str(score.objects),
        _number(score.nme.mean, 4),
        _number(score.nme.median, 4),
        *_signed(score.bias),
        _number(score.pck, 3),
        _number(score.mean_px, 2),
        _number(score.root_mse_px, 2),
    )


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _signed(bias: tuple[float, float] | None) -> tuple[str, str]:
    return ("-", "-") if bias is None else (f"{bias[0]:+.4f}", f"{bias[1]:+.4f}")
