"""``kpviewer bench``: measures speed on this machine; ``benchmarking`` describes the figures."""

from collections.abc import Mapping, Set
from typing import Any

import click
from click.core import ParameterSource

from kpviewer.cli.json_output import print_report
from kpviewer.cli.options import engine_options, json_option, model_options
from kpviewer.models.names.models import with_layout
from kpviewer.sources.naming import SYNTHETIC

_OF_STREAMS = ("model", "device", "precision", "backend", "frames")
"""Options that --streams uses."""
_MOST_STREAMS = 64


@click.command()
@click.option("--source", default=SYNTHETIC, help="Source, as for the viewer.")
@model_options
@click.option("--against", type=click.Choice(["naive"]), help="Compare with a plain loop.")
@click.option("--record", is_flag=True, help="Also measure with drawing and recording on.")
@engine_options
@click.option("--frames", type=click.IntRange(1), default=300, help="Measure N frames.")
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
    from kpviewer.benchmarking import report, speed

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
        if limit is not None and data is None:
            raise click.UsageError("--limit goes with --data: add a data set, or leave it out.")
        chosen = {name: given[name] for name in ("model", "source", "device", "frames")}
        _measure_backends(backends, chosen, data, limit, json_path)
        return
    if data is not None or limit is not None:
        raise click.UsageError("--data and --limit go with --backends. Add --backends all.")
    values = report.report_json(speed.measure(speed.BenchOptions(**given)))
    print_report(report.report_table(values), values, json_path)


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

    from kpviewer.benchmarking import streams

    options = streams.StreamsOptions(_parsed_counts(counts), **given)
    with tqdm(total=len(options.counts), unit="row", disable=None, leave=False) as bar:
        values = streams.measure(options, bar.update)
    print_report(streams.report_table(values), values, json_path)


def _parsed_counts(text: str) -> tuple[int, ...]:
    """Return the numbers of streams of ``--streams``, such as "1,2,4"."""
    counts = [int(part) if part.strip().isdecimal() else 0 for part in text[:200].split(",")]
    if not all(1 <= count <= _MOST_STREAMS for count in counts):
        raise click.UsageError(
            f"--streams takes numbers of streams from 1 to {_MOST_STREAMS}, as 1,2,4. "
            f"Got {text[:80]!r}."
        )
    return tuple(counts)


def _measure_backends(
    names: str,
    given: dict[str, Any],
    data_name: str | None,
    limit: int | None,
    json_path: str | None,
) -> None:
    from kpviewer.benchmarking import backends
    from kpviewer.cli.eval import read_data

    options = backends.BackendsOptions(names, data_name=data_name or "", **given)
    try:
        chosen = backends.chosen(options)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--backends") from error
    data = None if data_name is None else read_data(data_name, limit)
    values = backends.measure(options, *chosen, data)
    print_report(backends.report_table(values), values, json_path)
    rows = values["rows"]
    if all(row["failure"] for row in rows if not row["is_reference"] or len(rows) == 1):
        click.get_current_context().exit(1)


def _measure_lanes(json_path: str | None) -> None:
    from tqdm import tqdm

    from kpviewer.benchmarking import lanes

    plan = lanes.LanesPlan()
    with tqdm(total=plan.steps, unit="step", disable=None, leave=False) as bar:
        values = lanes.measure(plan, bar.update)
    print_report(lanes.report_table(values), values, json_path)


def _check_alone(given: Mapping[str, Any]) -> None:
    """Refuse options that ``--backends`` replaces."""
    if given["against"] is not None:
        raise click.UsageError("--against compares the pipeline: leave out --backends.")
    if given["record"]:
        raise click.UsageError("--record measures the pipeline: leave out --backends.")
    if given["precision"] != "auto" or given["backend"] != "auto":
        raise click.UsageError(
            "--backends names backends and precisions itself, as in --backends openvino:bf16. "
            "Leave out --precision and --backend."
        )
