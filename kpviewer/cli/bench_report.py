"""Figures of a benchmark as a table and as JSON.

The JSON is stable: keys are added, never renamed or removed. Times are in ms; ``null`` means that
there is nothing to measure; lists "by block" are in the order in which the blocks ran::

    {"model": "face-ssd", "source": "demo", "device": "CPU", "engine": "torch",
     "precision": "bf16", "threads": 2,
     "picture_hw": [480, 640], "input_hw": [288, 384],
     "versions": {"kpviewer": "0.1.0", "torch": "2.11.0", "python": "3.11.9",
                  "platform": "Linux x86_64"},
     "frames": 300, "warm_up_frames": 10, "first_call_ms": 640.2,
     "fps": 95.1, "fps_by_block": [94.0, 95.1, 96.3],
     "stages_ms": {"read": {"p50": 2.1, "p95": 2.6, "p99": 3.0}, "queue_wait": {...},
                   "upload": {...}, "forward": {...}, "postprocess": {...}, "select": {...},
                   "total": {...}, "draw": null},
     "against": {"name": "naive", "what": "one thread; ...", "fps": 60.3,
                 "fps_by_block": [60.3, 59.8, 61.0], "ratio": 1.58,
                 "ratio_by_block": [1.56, 1.59, 1.58]},
     "notes": ["draw is left out, as PyQt6 can't be loaded: ..."]}

``frames`` counts all blocks of the pipeline, without the ``warm_up_frames`` before each block.
``fps`` and ``ratio`` are medians over the blocks. ``against`` is null without a comparison.
docs/guide/bench.md describes the stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from kpviewer.evaluation.text import text_table

if TYPE_CHECKING:
    from kpviewer.pipeline.benchmark import Comparison, Plan

PERCENTILES = (50, 95, 99)
STAGE_TITLES = {
    "read": "read, decode",
    "queue_wait": "wait in the queue",
    "upload": "upload, resize",
    "forward": "forward",
    "postprocess": "decode, copy back",
    "select": "threshold, NMS",
    "total": "capture to result",
    "draw": "draw",
}
"""Names of the stages for the user, by JSON key."""


@dataclass(frozen=True, slots=True)
class BenchReport:
    """All figures of one call of ``kpviewer bench``."""

    setting: Mapping[str, Any]
    """Measured system and model: the keys of the JSON before "frames"."""
    comparison: Comparison
    plan: Plan
    first_call_ms: float
    drawing_ms: Sequence[float] | None
    """Times of drawing one frame; None if Qt can't be loaded."""
    against: tuple[str, str] | None = None
    """Name and description of the loop compared with; None without a comparison."""
    notes: tuple[str, ...] = ()


def report_json(report: BenchReport) -> dict[str, Any]:
    """Return the figures as JSON values, in the form that the module shows."""
    fps_by_block = [block.fps for block in report.comparison.blocks]
    stages_ms = report.comparison.stages_ms
    return {
        **report.setting,
        "frames": report.plan.frames * report.plan.blocks,
        "warm_up_frames": report.plan.warm_up,
        "first_call_ms": report.first_call_ms,
        "fps": median(fps_by_block),
        "fps_by_block": fps_by_block,
        "stages_ms": {
            **{stage: _percentiles(times) for stage, times in stages_ms.items()},
            "draw": _percentiles(report.drawing_ms) if report.drawing_ms else None,
        },
        "against": _against_json(report),
        "notes": list(report.notes),
    }


def _against_json(report: BenchReport) -> dict[str, Any] | None:
    if report.against is None:
        return None
    name, what = report.against
    ratios = report.comparison.ratios
    return {
        "name": name,
        "what": what,
        "fps": median(report.comparison.loop_fps),
        "fps_by_block": list(report.comparison.loop_fps),
        "ratio": median(ratios),
        "ratio_by_block": list(ratios),
    }


def _percentiles(times_ms: Sequence[float]) -> dict[str, float]:
    values = np.percentile(times_ms, PERCENTILES).tolist()
    return {f"p{rank}": value for rank, value in zip(PERCENTILES, values, strict=True)}


def report_table(values: Mapping[str, Any]) -> str:
    """Return the table of ``report_json``'s values: system, one line per stage, and rates."""
    return "\n".join([
        *_setting_lines(values), "", *_stage_lines(values["stages_ms"]), "", *_rate_lines(values),
    ])  # fmt: skip


def _setting_lines(values: Mapping[str, Any]) -> list[str]:
    image, network = ("{1}x{0}".format(*values[key]) for key in ("picture_hw", "input_hw"))
    versions = values["versions"]
    names = (name for name in versions if name not in ("python", "platform") and versions[name])
    libraries = ", ".join(f"{name} {versions[name]}" for name in names)
    return [
        f"{values['model']} on {values['device']}, {values['engine']} {values['precision']}, "
        f"{values['threads']} CPU threads",
        f"{values['source']}, {image} px, model input {network} px",
        f"{libraries}, Python {versions['python']}, {versions['platform']}",
    ]


def _stage_lines(stages_ms: Mapping[str, Mapping[str, float] | None]) -> list[str]:
    head = ("ms a frame", *(f"p{rank}" for rank in PERCENTILES))
    rows = [head]
    for stage, title in STAGE_TITLES.items():
        times = stages_ms[stage]
        cells = ("-",) * len(PERCENTILES) if times is None else map("{:.2f}".format, times.values())
        rows.append((title, *cells))
    return text_table(rows).splitlines()


def _rate_lines(values: Mapping[str, Any]) -> list[str]:
    lines = [
        f"first call  {values['first_call_ms']:.0f} ms",
        f"pipeline    {values['fps']:.1f} fps over {values['frames']} frames",
    ]
    against = values["against"]
    if against is not None:
        low, high = min(against["ratio_by_block"]), max(against["ratio_by_block"])
        lines += [
            f"{against['name']:10}  {against['fps']:.1f} fps",
            f"ratio       {against['ratio']:.2f}, the median of {len(against['ratio_by_block'])} "
            f"pairs of blocks ({low:.2f} to {high:.2f})",
            f"{against['name']} is {against['what']}",
        ]
    return lines
