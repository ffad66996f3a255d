"""``kpviewer bench --streams``: the speed of several streams that share a model.

The streams are simulated cameras of 640x480 px at 30 fps, not synchronised. ``docs/guide/bench.md``
describes the JSON.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from kpviewer.benchmarking.versions import versions
from kpviewer.evaluation.text import text_table
from kpviewer.models.loading import open_model
from kpviewer.pipeline.measuring.streams import StreamsBlock, measure_streams
from kpviewer.runtime.executor import Executor
from kpviewer.sources.synthetic.simulated_camera import SimulatedCamera
from kpviewer.sources.synthetic.source import synthetic_source

SIZE_WH, CAMERA_FPS = (640, 480), 30.0


@dataclass(frozen=True, slots=True)
class StreamsOptions:
    """What is measured."""

    counts: tuple[int, ...]
    """Numbers of streams."""
    model: str
    device: str = "auto"
    precision: str = "auto"
    backend: str = "auto"
    frames: int = 300


def measure(
    options: StreamsOptions, progress: Callable[[], object] = lambda: None
) -> dict[str, Any]:
    """Measure each number of streams; ``progress`` is called after each.

    Raises:
        KpviewerError: if the model can't be loaded or run.
    """
    engine = Executor(open_model(options.model), options.device, options.precision, options.backend)
    engine.warm_up((SIZE_WH[1], SIZE_WH[0]))
    rows = []
    for count in options.counts:
        rows.append(_row(measure_streams(cameras(count), engine, options.frames)))
        progress()
    return {**_setting(engine), "frames": options.frames, "rows": rows}


def cameras(count: int) -> list[SimulatedCamera]:
    """Return simulated cameras whose images are evenly spread over time."""
    name = f"synthetic:{SIZE_WH[0]}x{SIZE_WH[1]}"
    return [SimulatedCamera(synthetic_source(name), at / count / CAMERA_FPS) for at in range(count)]


def report_table(values: Mapping[str, Any]) -> str:
    """Return ``measure``'s values as a table."""
    head = ("streams", "fps", "slowest", "fastest", "dropped", "p50 ms", "p95 ms", "worst p95")
    lines: list[Sequence[str]] = [head]
    for row in values["rows"]:
        each, p95 = row["fps_by_stream"], row["p95_ms_by_stream"]
        lines.append(
            (
                str(row["streams"]),
                f"{row['fps']:.1f}",
                f"{min(each):.1f}",
                f"{max(each):.1f}",
                f"{row['dropped']:.0%}",
                f"{median(row['p50_ms_by_stream']):.1f}",
                f"{median(p95):.1f}",
                f"{max(p95):.1f}",
            )
        )
    model = f"{values['model']} on {values['device']}, {values['backend']} {values['precision']}"
    cameras = f"cameras of {SIZE_WH[0]}x{SIZE_WH[1]} at {CAMERA_FPS:.0f} fps"
    return (
        f"{model}; simulated {cameras}\n{text_table(lines)}\n"
        "fps: of all streams together; slowest, fastest: of one stream. Latencies are from capture "
        "to result,\np50 and p95 the medians over the streams."
    )


def _row(block: StreamsBlock) -> dict[str, Any]:
    return {
        "streams": len(block.streams),
        "fps": block.fps,
        "fps_by_stream": [stream.fps for stream in block.streams],
        "fairness": block.fairness,
        "dropped": block.dropped,
        "p50_ms_by_stream": block.percentiles_ms(50),
        "p95_ms_by_stream": block.percentiles_ms(95),
    }


def _setting(engine: Executor) -> dict[str, Any]:
    """Return the measured system and model, with the keys of the JSON."""
    return {
        "model": engine.spec.name,
        "device": engine.device_name,
        "backend": engine.backend,
        "precision": engine.precision,
        "size_wh": list(SIZE_WH),
        "camera_fps": CAMERA_FPS,
        "versions": versions(),
    }
