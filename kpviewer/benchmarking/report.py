"""Figures of a benchmark as a table, and as the JSON that ``docs/guide/bench.md`` describes.

Its keys are added, never renamed or removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from kpviewer.evaluation.text import text_table

if TYPE_CHECKING:
    from kpviewer.benchmarking.blocks import Efficiency, Measured
    from kpviewer.pipeline.measuring.benchmark import Plan

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
    measured: Measured
    plan: Plan
    first_call_ms: float
    drawing_ms: Sequence[float] | None
    """Times of drawing one frame; None if Qt can't be loaded."""
    against: tuple[str, str] | None = None
    """Name and description of the loop compared with; None without a comparison."""
    notes: tuple[str, ...] = ()


def report_json(report: BenchReport) -> dict[str, Any]:
    """Return the figures as JSON values."""
    measured = report.measured
    return {
        **report.setting,
        "frames": report.plan.frames * report.plan.blocks,
        "warm_up_frames": report.plan.warm_up,
        "first_call_ms": report.first_call_ms,
        **_by_block("fps", [block.fps for block in measured.pipeline]),
        "stages_ms": {
            **{stage: _percentiles(times) for stage, times in measured.stages_ms.items()},
            "draw": _percentiles(report.drawing_ms) if report.drawing_ms else None,
        },
        "cores": measured.efficiency.cores,
        "bare": _by_block("fps", measured.efficiency.bare_fps),
        "efficiency": _efficiency_json(measured.efficiency),
        "recording": _recording_json(measured),
        "against": _against_json(report),
        "notes": list(report.notes),
    }


def _against_json(report: BenchReport) -> dict[str, Any] | None:
    if report.against is None:
        return None
    name, what = report.against
    return {
        "name": name,
        "what": what,
        **_by_block("fps", [rate.fps for rate in report.measured.naive]),
        **_by_block("ratio", report.measured.ratios),
    }


def _by_block(key: str, values: Sequence[float]) -> dict[str, Any]:
    """Return the median of a figure, and its value in each block."""
    return {key: median(values), f"{key}_by_block": list(values)}


def _efficiency_json(efficiency: Efficiency) -> dict[str, Any]:
    return {
        **_by_block("bound_fps", efficiency.bounds_fps),
        "cpu_ms": median(rate.cpu_ms for rate in efficiency.in_turn),
        **_by_block("efficiency", efficiency.of_bound),
    }


def _recording_json(measured: Measured) -> dict[str, Any] | None:
    recording = measured.recording
    if recording is None:
        return None
    pairs = zip(recording.pipeline, measured.pipeline, strict=True)
    return {
        **_by_block("fps", [block.fps for block in recording.pipeline]),
        **_by_block("cost", [1 - recorded.fps / plain.fps for recorded, plain in pairs]),
        **_efficiency_json(recording),
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
    frames, recording, against = values["frames"], values["recording"], values["against"]
    rows: list[tuple[str, str, str]] = [
        ("first call", f"{values['first_call_ms']:.0f} ms", ""),
        ("bare model", _fps(values["bare"]["fps"]), "its input is on the device already"),
        (
            "bound",
            _fps(values["efficiency"]["bound_fps"]),
            _bound_text(values["efficiency"], values),
        ),
        ("pipeline", _fps(values["fps"]), f"over {frames} frames"),
        ("efficiency", *_spread(values["efficiency"], "efficiency")),
    ]
    if recording is not None:
        rows += [
            ("recording", _fps(recording["fps"]), "with drawing and H.264"),
            ("  bound", _fps(recording["bound_fps"]), _bound_text(recording, values)),
            ("  efficiency", *_spread(recording, "efficiency")),
            ("  cost", f"{recording['cost']:.0%}", "of the pipeline's rate"),
        ]
    if against is not None:
        rows += [
            (against["name"], _fps(against["fps"]), against["what"]),
            ("  ratio", *_spread(against, "ratio")),
        ]
    return [f"{name:13}{value:>10}   {remark}".rstrip() for name, value, remark in rows]


def _fps(value: float) -> str:
    return f"{value:.1f} fps"


def _bound_text(part: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    cores = values["cores"]
    if part["bound_fps"] >= values["bare"]["fps"]:
        return "the bare model's rate"
    return f"{part['cpu_ms']:.2f} ms of processor time a frame, {cores} cores"


def _spread(part: Mapping[str, Any], key: str) -> tuple[str, str]:
    """Return a ratio, and how far it goes over the blocks."""
    blocks = part[f"{key}_by_block"]
    low, high = min(blocks), max(blocks)
    return f"{part[key]:.2f}", f"median of {len(blocks)} blocks ({low:.2f} to {high:.2f})"
