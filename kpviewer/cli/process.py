"""``kpviewer process``: the pipeline on files and streams without a window and frame loss."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kpviewer.cli.options import (
    SECONDS_MAX,
    FiniteRange,
    NamedPath,
    ScanPath,
    backend_option,
    batch_option,
    class_scores,
    conf_option,
    device_option,
    ground_truth_option,
    iou_option,
    keypoint_conf_option,
    layout_option,
    model_option,
    nms_option,
    precision_option,
    print_notes,
    sigma_option,
    threshold_changes,
    turn_of,
    turn_options,
)
from kpviewer.cli.progress import ProgressLines
from kpviewer.errors import KpviewerError, SourceError
from kpviewer.interrupts import Interrupted, interrupts_raised
from kpviewer.models.names import with_layout

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kpviewer.annotations.ground_truth import AnnotationGroundTruth
    from kpviewer.pipeline.pipeline import InferenceEngine, Pipeline
    from kpviewer.processing.job import ProcessJob
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.processing.report import SourceReport
    from kpviewer.processing.scan import SourceScan
    from kpviewer.sources.base import GroundTruthProvider
    from kpviewer.structures import Thresholds

_ANSWER_S = 5.0
"""Time limit for a disk to identify a source."""
_POLL_S = 0.1


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--out", type=NamedPath(), help="Folder for results; optional with --scan FILE alone."
)
@click.option("--video", is_flag=True, help="Write an annotated MP4 (default).")
@click.option("--raw", is_flag=True, help="Write an MP4 without overlay; --anonymise applies.")
@click.option("--jsonl", is_flag=True, help="Write one JSON line per frame.")
@click.option("--csv", is_flag=True, help="Write one CSV row per detection.")
@click.option("--coco", is_flag=True, help="Write a COCO result list.")
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
@model_option
@layout_option
@conf_option
@keypoint_conf_option
@iou_option
@nms_option
@sigma_option
@click.option("--classes", metavar="A,B", help="Write only these classes (names or numbers).")
@click.option(
    "--class-conf", multiple=True, metavar="CLASS=N", help="Confidence threshold of one class."
)
@device_option
@precision_option
@backend_option
@batch_option
@click.option(
    "--seconds",
    type=FiniteRange(0, SECONDS_MAX, min_open=True),
    help="Process only the first N seconds.",
    metavar="N",
)
@ground_truth_option
@turn_options
@click.option("--json-progress", is_flag=True, help="Print progress to stdout as JSON lines.")
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...], **given: Any) -> None:
    """Run a model on each SOURCE at full speed and write the results to a folder.

    Every frame is processed, in order. A source that fails is reported, and the next one is
    processed; the exit code is that of the first failure.
    """
    from kpviewer.overlay import OverlayStyle
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.recording.added_sinks import check_sinks
    from kpviewer.recording.segment import ENDINGS

    scan_file = given["scan"] or None
    if scan_file is not None and len(sources) > 1:
        raise click.BadParameter("FILE is for one source. Leave it out.", param_hint="--scan")
    outputs = tuple(name for name in ENDINGS if given[name])
    others = given["sink"] or given["report"]
    if not outputs and not others and given["scan"] is None:
        outputs = ("video",)
    if given["out"] is None and (outputs or others or scan_file is None):
        raise click.UsageError("Missing option '--out': a folder for the results.")
    try:
        check_sinks(given["sink"])
    except KpviewerError as error:
        raise click.BadParameter(str(error), param_hint="--sink") from error
    options = ProcessOptions(
        given["out"] or Path(scan_file or ".").parent,
        outputs,
        sinks=given["sink"],
        seconds=given["seconds"],
        model=with_layout(given["model"], given["layout"]),
        device=given["device"],
        precision=given["precision"],
        backend=given["backend"],
        batch=given["batch"],
        changes=threshold_changes(given),
        classes=tuple(filter(None, (given["classes"] or "").split(","))),
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
        json_progress=given["json_progress"],
        report=given["report"],
        scans=given["scan"] is not None,
        scan_file=scan_file,
        from_scan=given["from_scan"],
        turn=turn_of(given),
    )
    ctx.exit(process_sources(sources, options))


def process_sources(
    sources: Sequence[str | None],
    options: ProcessOptions,
    *,
    engine: InferenceEngine | None = None,
) -> int:
    """Process sources in order; print a line for each to stdout, and errors to stderr.

    Main thread only, because drawing text may need to create the Qt application.

    Args:
        sources: as for ``make_source``; None is the first camera, or the demo.
        options: what to write, and how.
        engine: the model; None loads ``options.model``.

    Returns:
        Exit code: 0, or that of the first source that failed.

    Raises:
        KpviewerError: if the model or the ground truth can't be loaded.
        Interrupted: on Ctrl-C, SIGTERM and SIGHUP, once the files are finished.
    """
    with interrupts_raised():
        return _process_all(sources, options, engine)


def _process_all(
    sources: Sequence[str | None], options: ProcessOptions, engine: InferenceEngine | None
) -> int:
    from kpviewer.annotations.ground_truth import read_ground_truth
    from kpviewer.overlay import ensure_gui_application

    ensure_gui_application()
    _report_leftovers(options.out)
    engine = engine or _load(options)
    print_notes(engine.spec)
    ground_truth = None
    if options.ground_truth is not None:
        ground_truth = read_ground_truth(options.ground_truth, engine.spec.class_names)
        options = replace(options, category_ids=ground_truth.category_ids)
    printed: set[str] = set()
    codes = []
    for source in sources:
        codes.append(_process(source, options, engine, ground_truth))
        if ground_truth is not None:
            _print_new_notes(ground_truth, printed)
    return next((code for code in codes if code), 0)


def _report_leftovers(folder: Path) -> None:
    from kpviewer.recording.leftovers import find_leftovers

    if names := [path.name for path in find_leftovers(folder)]:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        _say(
            f"Note: {folder} holds {names[0]}{more} of an interrupted run. Rename what you "
            "want to keep.",
            err=True,
        )


def _load(options: ProcessOptions) -> InferenceEngine:
    from kpviewer.models.loading import open_model
    from kpviewer.runtime.executor import Executor

    detector = open_model(options.model)
    return Executor(detector, options.device, options.precision, options.backend)


def _print_new_notes(ground_truth: AnnotationGroundTruth, printed: set[str]) -> None:
    """Print the notes on the ground truth that aren't printed yet."""
    for note in ground_truth.notes:
        if note not in printed:
            _say(f"Note: {note}", err=True)
    printed.update(ground_truth.notes)


def _process(
    text: str | None,
    options: ProcessOptions,
    engine: InferenceEngine,
    ground_truth: GroundTruthProvider | None,
) -> int:
    """Process one source, report the outcome, and return the exit code."""
    from kpviewer.pipeline.opening import made_within
    from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
    from kpviewer.processing.job import ProcessJob
    from kpviewer.processing.scan import engine_with_scans
    from kpviewer.sources.naming import path_of
    from kpviewer.sources.open import make_source
    from kpviewer.sources.redact import redact_url

    name = redact_url(text) if text else ""
    # Files lose no frame; a live stream that is faster than the model must.
    settings = PipelineOptions.at_full_speed(options.batch)
    try:
        thresholds = options.thresholds_of(engine.spec)
        make = partial(make_source, text, ground_truth=ground_truth, turn=options.turn)
        source = made_within(_ANSWER_S, text, name, make)
        scan = _scan(text, engine, options)
        if scan is not None and scan.is_complete and not options.has_results:
            _say(f"{name}: {scan.path} is complete ({scan.frames_before} frames)")
            return 0
        needed = thresholds if options.has_results else None
        runs, note = engine_with_scans(
            text, engine, options.from_scan, scan, needed, str(options.turn or "")
        )
        if note is not None:
            _note(f"{name}: {note}")
        pipeline = Pipeline(source, runs, thresholds=thresholds, options=settings)
        if scan is not None and scan.frames_before:
            _note(f"{name}: {scan.resume(pipeline, is_alone=not options.has_results)}")
        pipeline.settings.set_tracking(options.following)
        sound = path_of(text) if options.sound else None
        report = _report(engine, thresholds, options)
        job = ProcessJob(pipeline, engine.spec, options, sound, scan, report)
        progress = ProgressLines() if options.json_progress else None
        try:
            _run(pipeline, job, name, progress)
        finally:
            paths = _finish(pipeline, job, name, progress)
        if report is not None:
            page = report.save(pipeline.info)
            _say(f"{name or 'camera'}: report -> {page}")
            if progress is not None:
                progress.report_files([*paths, page])
        if not (job.frames or job.frames_before):
            raise SourceError("no frame could be read. Is it a video?")
    except Interrupted as interrupt:
        _say(f"{name}: ended by {interrupt}; the files hold the results until then.", err=True)
        raise
    except KpviewerError as error:
        is_named = not name or Path(name).name in str(error)
        _say(f"Error: {error}" if is_named else f"Error: {name}: {error}", err=True)
        return error.exit_code
    return 0


def _scan(text: str | None, engine: InferenceEngine, options: ProcessOptions) -> SourceScan | None:
    from kpviewer.processing.scan import SourceScan

    if not options.scans:
        return None
    return SourceScan(text, engine, options.scan_file, options.out, str(options.turn or ""))


def _report(
    engine: InferenceEngine, thresholds: Thresholds, options: ProcessOptions
) -> SourceReport | None:
    if not options.report:
        return None
    from kpviewer.processing.report import SourceReport

    return SourceReport(engine, thresholds, options.out)


def _say(text: str, *, err: bool = False) -> None:
    """Print a line; ignore a closed terminal."""
    with contextlib.suppress(OSError):
        click.echo(text, err=err)


def _note(text: str) -> None:
    _say(f"Note: {text}", err=True)


def _run(pipeline: Pipeline, job: ProcessJob, name: str, progress: ProgressLines | None) -> None:
    """Show progress until the source ends, the job is complete, or an error occurs."""
    from tqdm import tqdm

    from kpviewer.pipeline.signal_loss import SignalLoss

    signal = SignalLoss(name, lambda text: _say(f"Warning: {text}", err=True))
    pipeline.add_sink(job)
    pipeline.start()
    with tqdm(desc=name or None, unit="frame", disable=None, leave=False) as bar:
        while not pipeline.join(_POLL_S):
            total = pipeline.info.frame_count if pipeline.info is not None else None
            bar.total = total
            bar.update(job.frames_before + job.frames - bar.n)
            if progress is not None:
                progress.report(job.frames_before + job.frames, total)
            _report_faults(pipeline, name)
            job.report_silence(_note)
            if job.is_complete:
                return
            signal.check(pipeline.status())
    job.has_ended = not job.is_complete


def _report_faults(pipeline: Pipeline, name: str) -> None:
    """Report recovered faults, such as the change from a full GPU to the CPU."""
    for news in pipeline.faults.take_news():
        _say(f"Note: {name}: {news}" if name else f"Note: {news}", err=True)


def _finish(
    pipeline: Pipeline, job: ProcessJob, name: str, progress: ProgressLines | None
) -> list[Path]:
    """Stop the threads, give the files their final names, report the outcome, return the files."""
    try:
        pipeline.close()
    finally:
        paths = job.close()
    _report_faults(pipeline, name)
    status = pipeline.status()
    name = name or getattr(pipeline.info, "name", "camera")
    if paths or (job.sinks and job.frames):
        read = job.frames if job.is_complete else status.stats.frames_read
        files = ", ".join([*map(str, paths), *job.sinks])
        counts = f"{read} frames in, {job.frames_out} out, {job.fps:.1f} fps"
        _say(f"{name}: {counts} -> {files}")
        if progress is not None:
            progress.report_files(paths)
    if status.warning is not None:
        _say(f"Warning: {name}: {status.warning}", err=True)
    if status.reconnects:
        _say(f"Note: {name}: reconnected {status.reconnects} times", err=True)
    for note in job.notes:
        _say(f"Note: {name}: {note}", err=True)
    job.check()
    return paths
