"""``kpviewer process``: the pipeline on files and streams without a window and frame loss."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpviewer.cli.options import (
    SECONDS_MAX,
    FiniteRange,
    batch_option,
    class_scores,
    class_words,
    engine_options,
    ground_truth_option,
    model_options,
    threshold_changes,
    threshold_options,
    turn_of,
    turn_options,
)
from kpviewer.cli.path_types import FolderPath, NamedPath, ScanPath
from kpviewer.errors import KpviewerError
from kpviewer.models.names.models import with_layout
from kpviewer.system.interrupts import interrupts_raised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.processing.inputs import Inputs
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.processing.run import RunOptions


@click.command()
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option(
    "--list", "list_file", metavar="FILE", help="Take sources from FILE, one a line; - is stdin."
)
@click.option(
    "--out", type=FolderPath(), help="Folder for results; optional with --scan FILE alone."
)
@click.option("--video", is_flag=True, help="Write an annotated MP4 (default).")
@click.option("--raw", is_flag=True, help="Write an MP4 without overlay; --anonymise applies.")
@click.option("--jsonl", is_flag=True, help="Write one JSON line per frame.")
@click.option("--csv", is_flag=True, help="Write one CSV row per detection.")
@click.option("--coco", is_flag=True, help="Write a COCO result list and a COCO data set.")
@click.option("--voc", is_flag=True, help="Write a folder of frames with Pascal VOC XML.")
@click.option("--yolo", is_flag=True, help="Write a folder of frames with YOLO or pose labels.")
@click.option(
    "--scan",
    is_flag=False,
    flag_value="",
    metavar="[FILE.kpv]",
    type=ScanPath(),
    help="Write the candidates of every frame, or continue FILE; without FILE: OUT/NAME.kpv.",
)
@click.option(
    "--from-scan",
    metavar="FILE.kpv",
    type=NamedPath(),
    help="Take candidates from a scan; the model runs only on frames that it lacks.",
)
@click.option(
    "--report", is_flag=True, help="Write NAME_report/report.html like eval; needs ground truth."
)
@click.option("--sink", multiple=True, metavar="NAME", help="Write to sink NAME of a package.")
@click.option(
    "--every", type=click.IntRange(1), default=1, help="Write every Nth frame to --voc, --yolo."
)
@click.option("--png", is_flag=True, help="Write PNG instead of JPEG to --voc and --yolo.")
@click.option("--no-sound", is_flag=True, help="Leave out the sound of video files.")
@click.option("--anonymise", "--blur", is_flag=True, help="Blur detections in all files.")
@click.option("--smooth-landmarks", "--smooth", is_flag=True, help="Smooth landmarks over time.")
@click.option(
    "--track", "--follow", is_flag=True, help="Track objects: IDs, trails, and track_id in files."
)
@model_options
@threshold_options
@click.option("--classes", metavar="A,B", help="Write only these classes (names or numbers).")
@click.option(
    "--class-conf", multiple=True, metavar="CLASS=N", help="Confidence threshold of one class."
)
@engine_options
@batch_option
@click.option(
    "--seconds",
    type=FiniteRange(0, SECONDS_MAX, min_open=True),
    help="Process only the first N seconds.",
    metavar="N",
)
@ground_truth_option
@turn_options
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    help="Process N sources at once, each in a process.",
    metavar="N",
)
@click.option("--shard", metavar="I/N", help="Process part I of N, as a task of a job array.")
@click.option("--ray", metavar="auto|ADDRESS", help="Process on a Ray cluster (kpviewer[ray]).")
@click.option("--force", is_flag=True, help="Process finished sources again.")
@click.option("--no-manifest", is_flag=True, help="Write no manifest and skip no source.")
@click.option("--model-hash", hidden=True)  # of the window: the file may have changed since
@click.option("--json-progress", is_flag=True, help="Print progress to stdout as JSON lines.")
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...], **given: Any) -> None:
    """Run a model on each SOURCE at full speed and write the results to a folder.

    Every frame is processed, in order. If one of several sources fails, it is reported, the next
    one is processed, and the exit code is 1.
    """
    from kpviewer.recording.added_sinks import check_sinks
    from kpviewer.recording.segment import ENDINGS

    found = _inputs(sources, given)
    inputs = found.sources
    scan_file = given["scan"] or None
    if scan_file is not None and len(inputs) > 1:
        raise click.BadParameter("FILE is for one source. Leave it out.", param_hint="--scan")
    outputs = tuple(name for name in ENDINGS if given[name])
    _check_image_options(given)
    others = given["sink"] or given["report"]
    if not outputs and not others and given["scan"] is None:
        outputs = ("video",)
    if given["out"] is None and (outputs or others or scan_file is None):
        raise click.UsageError("Missing option '--out': a folder for the results.")
    try:
        check_sinks(given["sink"])
    except KpviewerError as error:
        raise click.BadParameter(str(error), param_hint="--sink") from error
    options = _options(given, outputs)
    run = _run_options(given, found)
    ctx.exit(process_sources(inputs, options, run=run, json_progress=given["json_progress"]))


def _check_image_options(given: dict[str, Any]) -> None:
    """Refuse options of folders of images where none is written: videos have every frame."""
    for name, usual in (("every", 1), ("png", False)):
        if given[name] != usual and not (given["voc"] or given["yolo"]):
            raise click.UsageError(
                f"--{name} is for --voc and --yolo. Add one of them, or leave it out."
            )


def _options(given: dict[str, Any], outputs: tuple[str, ...]) -> ProcessOptions:
    from kpviewer.overlay import OverlayStyle
    from kpviewer.processing.options import ProcessOptions

    scan_file = given["scan"] or None
    return ProcessOptions(
        given["out"] or Path(scan_file or ".").parent,
        outputs,
        sinks=given["sink"],
        seconds=given["seconds"],
        model=with_layout(given["model"], given["layout"]),
        model_hash=given["model_hash"],
        device=given["device"],
        precision=given["precision"],
        backend=given["backend"],
        batch=given["batch"],
        changes=threshold_changes(given),
        classes=class_words(given["classes"]),
        class_scores=class_scores(given["class_conf"]),
        ground_truth=given["ground_truth"],
        style=OverlayStyle(
            anonymise=given["anonymise"],
            smooth_landmarks=given["smooth_landmarks"],
            tracks=given["track"],
        ),
        every=given["every"],
        image_suffix=".png" if given["png"] else ".jpg",
        sound=not given["no_sound"],
        report=given["report"],
        scans=given["scan"] is not None,
        scan_file=scan_file,
        from_scan=given["from_scan"],
        turn=turn_of(given),
    )


def _inputs(sources: Sequence[str], given: dict[str, Any]) -> Inputs:
    """Return the sources of the command line and of the list."""
    from kpviewer.processing.inputs import read_inputs

    if not sources and given["list_file"] is None:
        raise click.UsageError("Missing argument 'SOURCE...', or --list.")
    found = read_inputs(sources, given["list_file"])
    out = given["out"]
    if out is not None and any(out.resolve() == folder.resolve() for folder in found.folders):
        raise click.BadParameter(
            f"{out} is the folder of the sources: its results would be sources the next time. "
            "Choose another.",
            param_hint="--out",
        )
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    return found


def _run_options(given: dict[str, Any], found: Inputs) -> RunOptions:
    """Return the workers and whether there is a manifest; a file that is named alone has none."""
    from kpviewer.processing.manifest import holds_manifest
    from kpviewer.processing.run import RunOptions
    from kpviewer.processing.shard import Shard

    is_apart = given["shard"] or given["ray"] or given["jobs"]
    if is_apart and (given["no_manifest"] or given["out"] is None):
        raise click.UsageError("--jobs, --shard and --ray need --out and its manifest.")
    try:
        shard = Shard.parse(given["shard"]) if given["shard"] is not None else None
    except KpviewerError as error:
        raise click.BadParameter(str(error), param_hint="--shard") from error
    has_manifest = given["out"] is not None and not given["no_manifest"]
    if len(found.sources) == 1 and not (found.folders or given["list_file"] or is_apart):
        has_manifest = has_manifest and holds_manifest(given["out"])
    return RunOptions(given["jobs"], shard, given["ray"], has_manifest, given["force"])


def process_sources(
    sources: Sequence[str | None],
    options: ProcessOptions,
    *,
    engine: InferenceEngine | None = None,
    run: RunOptions | None = None,
    json_progress: bool = False,
) -> int:
    """Process sources; print a line for each to stdout, and errors to stderr.

    Main thread only, because drawing text may need to create the Qt application.

    Args:
        sources: as for ``make_source``; None is the first camera, or the demo.
        options: what to write, and how.
        engine: the model; None loads ``options.model``.
        run: workers and manifest; None: this process, without a manifest.
        json_progress: whether to print progress for the program that runs this.

    Returns:
        Exit code: 0; 1 if one of several sources failed; for a single one that of its error.

    Raises:
        KpviewerError: if the model or the ground truth can't be loaded.
        Interrupted: on Ctrl-C, SIGTERM and SIGHUP, once the files are finished.
    """
    from kpviewer.cli.process_console import Console
    from kpviewer.processing.run import Run, RunOptions

    run = run or RunOptions(has_manifest=False)
    console = Console(len(sources), json_progress=json_progress)
    with interrupts_raised(), closing(console):
        _report_leftovers(options.out)
        work = Run(sources, options, run, console, engine)
        try:
            work.process()
        finally:
            console.finish(work.failed, str(options.out))
    if len(sources) == 1:
        return next((result.exit_code for result in work.failed), 0)
    return int(bool(work.failed))


def _report_leftovers(folder: Path) -> None:
    """Report incomplete files of earlier runs that this run doesn't replace."""
    from kpviewer.processing.claims import claimed_stems
    from kpviewer.recording.leftovers import find_leftovers

    stems = claimed_stems(folder)
    names = [path.name for path in find_leftovers(folder) if not path.name.startswith(stems)]
    if names:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        click.echo(
            f"Note: {folder} holds {names[0]}{more} of an interrupted run. Rename what you "
            "want to keep.",
            err=True,
        )
