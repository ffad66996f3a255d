"""``kpviewer bench --backends``: backends and precisions of one model, side by side.

``docs/guide/bench.md`` describes the JSON. The first row is the reference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tqdm import tqdm

from kpviewer.annotations.structure import AnnotationSet
from kpviewer.benchmarking.versions import LIBRARIES, versions
from kpviewer.evaluation.backends import (
    BackendFigures,
    BackendPlan,
    available_backends,
    chosen_backends,
    compare_backends,
)
from kpviewer.evaluation.text import number, text_table
from kpviewer.models.base import AnyDetector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.loading import open_model
from kpviewer.pipeline.measuring.benchmark import Plan
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.executor import Executor
from kpviewer.sources.base import FrameSource
from kpviewer.sources.open import make_source
from kpviewer.system.cpu_threads import cpu_threads

BLOCKS = 5
"""Number of blocks of each backend."""
WARM_UP = 3
"""Frames before each block; engines have run before."""


@dataclass(frozen=True, slots=True)
class BackendsOptions:
    """Arguments of the comparison."""

    backends: str
    """As ``evaluation.backends.chosen_backends`` takes it."""
    model: str
    source: str = "demo"
    device: str = "auto"
    frames: int = 300
    """Number of measured frames of each backend."""
    data_name: str = ""
    """Name of the data that each backend is scored on."""


def chosen(options: BackendsOptions) -> tuple[AnyDetector, list[BackendChoice]]:
    """Return the model, and the backends to compare.

    Raises:
        ValueError: if the names of the backends can't be read.
        KpviewerError: if the model can't be loaded.
    """
    detector = open_model(options.model)
    available = available_backends(detector, options.device)
    return detector, chosen_backends(options.backends, available)


def measure(
    options: BackendsOptions,
    detector: AnyDetector,
    backends: Sequence[BackendChoice],
    data: AnnotationSet | None,
) -> dict[str, Any]:
    """Measure, and return the figures as JSON values.

    Args:
        options: what is measured.
        detector: the model.
        backends: backends to compare; the first is the reference.
        data: images to score each backend on; None scores nothing.

    Raises:
        KpviewerError: if the source can't be read.
    """

    def source() -> FrameSource:
        return make_source(options.source)

    with tqdm(unit="frame", disable=None, leave=False) as bar:
        plan = BackendPlan(
            source,
            Plan(-(-options.frames // BLOCKS), WARM_UP, BLOCKS),
            options.device,
            data,
            options.data_name,
            progress=bar.update,
        )
        bar.total = plan.steps(len(backends))
        figures = compare_backends(detector, backends, plan)
    return _report_json(detector, figures, plan)


def _device(detector: AnyDetector, device: str) -> str:
    """Return the name of the device that a model was measured on, for users."""
    return Executor(detector, device, measures=False).device_name


def _report_json(
    detector: AnyDetector, figures: Sequence[BackendFigures], plan: BackendPlan
) -> dict[str, Any]:
    block = next((row.blocks[-1] for row in figures if row.blocks), None)
    image_hw = None if block is None else block.image_hw
    input_hw = None if image_hw is None else list(letterbox_of(detector.spec, image_hw).input_hw)
    report = next((row.report for row in figures if row.report is not None), None)
    return {
        "model": detector.spec.name,
        "source": None if block is None else block.info.name,
        "device": _device(detector, plan.device),
        "threads": cpu_threads(),
        "picture_hw": None if image_hw is None else list(image_hw),
        "input_hw": input_hw,
        "versions": versions(*LIBRARIES),
        "frames": plan.plan.frames * plan.plan.blocks,
        "blocks": plan.plan.blocks,
        "warm_up_frames": plan.plan.warm_up,
        "data": plan.data_name or None,
        "images": None if plan.data is None else len(plan.data),
        "rows": [_row_json(row) for row in figures],
        "notes": [*detector.spec.notes, *(() if report is None else report.notes)],
    }


def _row_json(row: BackendFigures) -> dict[str, Any]:
    times = row.frame_ms
    return {
        "backend": row.backend.backend,
        "precision": row.backend.precision,
        "is_reference": row.is_reference,
        "ms": None if times is None else {"p50": times[0], "p95": times[1]},
        "fps": row.fps,
        "fps_by_block": [block.fps for block in row.blocks],
        "scores": dict(row.scores) or None,
        "difference": None if row.agreement is None else asdict(row.agreement),
        "failure": row.failure,
    }


def report_table(values: Mapping[str, Any]) -> str:
    """Return the table of ``measure``'s values, and below it why backends didn't run."""
    rows = values["rows"]
    names = list(dict.fromkeys(name for row in rows for name in row["scores"] or ()))
    has_data = values["data"] is not None
    head = ["backend", "precision", "ms p50", "p95", "fps", *names]
    head += ["box px", "point px", "score", "unmatched"] if has_data else []
    cells = [_cells(row, names, has_data=has_data) for row in rows]
    lines = [_setting_line(values), "", text_table([head, *cells], left=2)]
    if has_data:
        lines += ["", _explanation(values)]
    failed = [row for row in rows if row["failure"]]
    lines += [""] * bool(failed)
    lines += [f"{row['backend']} {row['precision']} can't run: {row['failure']}" for row in failed]
    return "\n".join(lines)


def _setting_line(values: Mapping[str, Any]) -> str:
    text = f"{values['model']} on {values['device']}, {values['threads']} CPU threads"
    if values["picture_hw"] is None:
        return text
    image, network = ("{1}x{0}".format(*values[key]) for key in ("picture_hw", "input_hw"))
    frames = f"{values['frames']} frames in {values['blocks']} blocks in turn"
    return f"{text}; {values['source']}, {image} px, model input {network} px; {frames}"


def _cells(row: Mapping[str, Any], names: Sequence[str], *, has_data: bool) -> list[str]:
    times, scores = row["ms"] or {}, row["scores"] or {}
    cells = [row["backend"], row["precision"]]
    cells += [number(times.get(key), 2) for key in ("p50", "p95")]
    cells.append(number(row["fps"], 1))
    cells += [number(scores.get(name), 4) for name in names]
    if not has_data:
        return cells
    if row["is_reference"] and row["failure"] is None:
        return [*cells, *["reference"], "", "", ""]
    gap = row["difference"] or {}
    cells += [number(gap.get(key), 2) for key in ("box_px", "keypoint_px")]
    cells.append(number(gap.get("score"), 3))
    return [*cells, str(gap["unmatched"]) if gap else "-"]


def _explanation(values: Mapping[str, Any]) -> str:
    return (
        f"Scores on {values['images']} images of {values['data']}. box px, point px and score are "
        "the largest differences from\nthe first row, of matched detections; unmatched are "
        "detections that only one of both has."
    )
