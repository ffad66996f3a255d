"""``kpviewer bench``: measures the pipeline on this machine, stage by stage.

``bench_report`` describes the figures and their JSON.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from kpviewer.cli.options import (
    engine_options,
    json_option,
    model_options,
)
from kpviewer.cli.versions import versions
from kpviewer.cpu_threads import cpu_threads
from kpviewer.models.names import with_layout
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.naming import SYNTHETIC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Set

    from kpviewer.cli.bench_blocks import Measured, Sides
    from kpviewer.cli.bench_report import BenchReport
    from kpviewer.models.spec import ModelSpec
    from kpviewer.pipeline.benchmark import Block, Plan
    from kpviewer.runtime.executor import Executor
    from kpviewer.sources.base import FrameSource
    from kpviewer.structures import FrameResult

BLOCKS = 5
"""Number of blocks of everything that is compared; one disturbed block doesn't move the median."""
DRAWN_FRAMES = 60
_OF_STREAMS = ("model", "device", "precision", "backend", "frames")
"""Options that --streams uses."""


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """Arguments of a measurement."""

    source: str = SYNTHETIC
    model: str = DEFAULT_MODEL
    against: str | None = None
    """Name of the loop to compare with: "naive", or None."""
    record: bool = False
    """Whether to measure drawing and recording, too."""
    device: str = "auto"
    precision: str = "auto"
    backend: str = "auto"
    frames: int = 300


@click.command()
@click.option("--source", default=SYNTHETIC, show_default=True, help="Source, as for the viewer.")
@model_options
@click.option("--against", type=click.Choice(["naive"]), help="Compare with a plain loop.")
@click.option("--record", is_flag=True, help="Also measure with drawing and recording on.")
@engine_options
@click.option("--frames", type=click.IntRange(1), default=300, show_default=True)
@click.option(
    "--backends",
    metavar="LIST",
    help="Compare backends: all, or NAME or NAME:PRECISION, separated by commas.",
)
@click.option(
    "--data", metavar="SPEC", help="With --backends: also score each on a data set, as in eval."
)
@click.option("--limit", type=click.IntRange(1), help="With --data: use N images of the set.")
@click.option("--streams", metavar="LIST", help="Measure 1,2,4 ... streams that share the model.")
@click.option("--lanes", is_flag=True, help="Measure the lanes of the timeline instead.")
@json_option("the figures")
def command(
    *,
    json_path: str | None,
    backends: str | None,
    data: str | None,
    limit: int | None,
    streams: str | None,
    lanes: bool,
    **given: Any,
) -> None:
    """Measure the speed of the pipeline and the model.

    Runs the pipeline at full speed without a window, on frames of 1280x720 px. Prints the time of
    each stage, the frame rate, and the time of the model's first call, which no other figure
    includes. The table goes to stdout, or to stderr with --json -.

    It also prints the rate of the bare model, whose input is already on the device, and the rate
    that the cores allow. The efficiency is the pipeline's rate divided by the lower of the two.
    --record adds the same with drawing and recording on.

    --against naive alternates the pipeline with a plain loop of the same model on the same frames,
    and prints how many times faster the pipeline is.

    --backends all runs the model on every backend and precision that the machine has, in turn, and
    prints a row for each. With --data, a row also has the scores, and the largest differences from
    the first: fp32 in torch, or in ONNX Runtime for a file.

    --streams 1,2,4 runs as many simulated cameras of 640x480 px at 30 fps through one model, and
    prints a row for each number: the rate of all together, of the slowest and the fastest, and the
    latency from capture to result.

    --lanes measures how fast the lanes of the timeline follow a slider, and the memory of a scan,
    on simulated frames. It needs no model and no source.
    """
    from kpviewer.cli import bench_backends, bench_report

    if lanes:
        _refuse_others("--lanes simulates its frames", {"lanes", "json_path"})
        _measure_lanes(json_path)
        return
    given["model"] = with_layout(given["model"], given.pop("layout"))
    if streams is not None:
        used = {"streams", "json_path", "layout", *_OF_STREAMS}
        _refuse_others("--streams simulates its cameras", used)
        _measure_streams(streams, {name: given[name] for name in _OF_STREAMS}, json_path)
        return
    if backends is not None:
        _check_alone(given)
        names = ("model", "source", "device", "frames")
        chosen = {name: given[name] for name in names}
        options = bench_backends.BackendsOptions(backends, data=data, limit=limit, **chosen)
        values = bench_backends.measure(options)
        _print(values, bench_backends.report_table(values), json_path)
        return
    if data is not None or limit is not None:
        raise click.UsageError("--data and --limit go with --backends. Add --backends all.")
    values = bench_report.report_json(measure(BenchOptions(**given)))
    _print(values, bench_report.report_table(values), json_path)


def _refuse_others(why: str, used: Set[str]) -> None:
    """Refuse options that a measurement has no use for."""
    context = click.get_current_context()
    given = {
        name
        for name in context.params
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    for name in sorted(given - used):
        raise click.UsageError(f"{why}: leave out --{name}.")


def _measure_streams(counts: str, given: dict[str, Any], json_path: str | None) -> None:
    from tqdm import tqdm

    from kpviewer.cli import bench_streams

    options = bench_streams.StreamsOptions(bench_streams.parse_counts(counts), **given)
    with tqdm(total=len(options.counts), unit="row", disable=None, leave=False) as bar:
        values = bench_streams.measure(options, bar.update)
    _print(values, bench_streams.report_table(values), json_path)


def _measure_lanes(json_path: str | None) -> None:
    from tqdm import tqdm

    from kpviewer.cli import bench_lanes

    plan = bench_lanes.LanesPlan()
    with tqdm(total=plan.steps, unit="step", disable=None, leave=False) as bar:
        values = bench_lanes.measure(plan, bar.update)
    _print(values, bench_lanes.report_table(values), json_path)


def _check_alone(given: Mapping[str, Any]) -> None:
    """Refuse options that ``--backends`` replaces."""
    if given["against"] is not None:
        raise click.UsageError("--against compares the pipeline: leave out --backends.")
    if given["precision"] != "auto" or given["backend"] != "auto":
        raise click.UsageError(
            "--backends names backends and precisions itself, as in --backends openvino:bf16. "
            "Leave out --precision and --backend."
        )


def _print(values: Mapping[str, Any], table: str, json_path: str | None) -> None:
    """Print notes and table, and write the JSON; the table goes to stderr if that is stdout."""
    from kpviewer.cli.json_output import write_json

    for note in values.get("notes", ()):
        click.echo(f"Note: {note}", err=True)
    click.echo(table, err=json_path == "-")
    if json_path is not None:
        write_json(json_path, values)


def measure(options: BenchOptions) -> BenchReport:
    """Load the model and measure. Main thread only: drawing may need an application object.

    Raises:
        KpviewerError: if the model can't be loaded, or the source can't be read.
    """
    from kpviewer.cli.bench_blocks import Sides
    from kpviewer.cli.bench_report import BenchReport
    from kpviewer.models.loading import open_model
    from kpviewer.pipeline.benchmark import Plan
    from kpviewer.runtime.executor import Executor
    from kpviewer.sources.open import make_source

    def source() -> FrameSource:
        return make_source(options.source)

    detector = open_model(options.model)
    engine = Executor(detector, options.device, options.precision, options.backend)
    first_call_ms = _first_call_ms(engine)
    against = naive = None
    if options.against is not None:
        from kpviewer.runtime.device import resolve_device
        from kpviewer.runtime.naive import DESCRIPTION, NaiveModel

        naive = NaiveModel(detector, resolve_device(options.device)).detect
        against = (options.against, DESCRIPTION)
    drawing_ms, remarks = _drawing_ms(source, engine, options.frames)
    plan = Plan(-(-options.frames // BLOCKS), blocks=BLOCKS)
    records = options.record and drawing_ms is not None
    measured = _measure_blocks(Sides(source, engine, naive, records), plan)
    return BenchReport(
        _setting(engine, measured.pipeline[-1]),
        measured,
        plan,
        first_call_ms=first_call_ms,
        drawing_ms=drawing_ms,
        against=against,
        notes=(*detector.spec.notes, *_notes(measured), *remarks),
    )


def _first_call_ms(engine: Executor) -> float:
    """Return the time of the first call, in which torch initialises and auto options are chosen.

    The image is that of the viewer, so that the same precision is chosen.
    """
    from kpviewer.runtime.autotune import probe_image

    image = probe_image()
    began_s = time.perf_counter()
    engine.infer(image)
    return (time.perf_counter() - began_s) * 1e3


def _measure_blocks(sides: Sides, plan: Plan) -> Measured:
    from tqdm import tqdm

    from kpviewer.cli.bench_blocks import measure_blocks

    frames = plan.blocks * (plan.warm_up + plan.frames) * sides.count
    with tqdm(total=frames, unit="frame", disable=None, leave=False) as bar:
        return measure_blocks(sides, plan, bar.update)


def _drawing_ms(
    source: Callable[[], FrameSource], engine: Executor, frames: int
) -> tuple[list[float] | None, tuple[str, ...]]:
    """Return the times of drawing the overlay, or None and the reason if Qt can't be loaded."""
    from kpviewer.pipeline.benchmark import Plan, measure_drawing

    try:
        draw = _renderer(engine.spec)
    except ImportError as error:
        return None, (f"Drawing is left out, as PyQt6 can't be loaded: {error}",)
    return measure_drawing(source(), engine, Plan(min(frames, DRAWN_FRAMES)), draw), ()


def _renderer(spec: ModelSpec) -> Callable[[FrameResult], object]:
    """Return a function that draws a result like a recording.

    Raises:
        ImportError: if PyQt6, or a library that it needs, is missing.
    """
    from kpviewer.cli.bench_recording import style_of
    from kpviewer.overlay import ensure_gui_application, render

    ensure_gui_application()
    style = style_of(spec)
    return lambda result: render(result, style)


def _setting(engine: Executor, block: Block) -> dict[str, Any]:
    """Return the measured system and model, with the keys of the JSON."""
    from kpviewer.models.letterboxes import letterbox_of

    return {
        "model": engine.spec.name,
        "source": block.info.name,
        "device": engine.device_name,
        "engine": engine.backend,  # its name in older files
        "backend": engine.backend,
        "precision": engine.precision,
        "threads": cpu_threads(),
        "picture_hw": list(block.image_hw),
        "input_hw": list(letterbox_of(engine.spec, block.image_hw).input_hw),
        "versions": versions(),
    }


def _notes(measured: Measured) -> list[str]:
    """Return notes on the source that matter for the figures."""
    notes = []
    info = measured.pipeline[0].info
    if info.is_live:
        notes.append(f"{info.name} is live: its frame rate limits the figures")
    warnings = (block.warning for block in measured.pipeline)
    return notes + [warning for warning in dict.fromkeys(warnings) if warning is not None]
