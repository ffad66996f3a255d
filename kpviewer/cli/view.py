"""``kpviewer view``: opens the viewer; with no display it annotates the source into a video."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from kpviewer.cli.options import (
    SECONDS_MAX,
    FiniteRange,
    TextPath,
    conf_option,
    device_option,
    ground_truth_option,
    iou_option,
    model_option,
    nms_option,
    sigma_option,
    threshold_changes,
)
from kpviewer.errors import KpviewerError
from kpviewer.gui.translations import codes
from kpviewer.installation.qt_libraries import has_display, require_libraries

if TYPE_CHECKING:
    from kpviewer.gui.options import ViewerOptions
    from kpviewer.sources.base import GroundTruthProvider

THEMES = ("system", "dark", "light")
LANGUAGES = ("system", "en", *codes())
HEADLESS_SECONDS = 20.0
"""Of a source that never ends, where no --seconds were given."""


def _forget_settings(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Delete what the viewer remembers, without a question."""
    if not value or ctx.resilient_parsing:
        return
    from kpviewer.config_files import delete_all_settings, settings_folder

    removed = delete_all_settings(settings_folder())
    for path in removed:
        click.echo(f"Removed {path}")
    if not removed:
        click.echo(f"Nothing is remembered in {settings_folder()}.")
    ctx.exit()


@click.command()
@click.argument("source", required=False)
@model_option
@click.option(
    "--compare",
    metavar="MODEL",
    help="A second model beside it; or torch, openvino, fp32, bf16, fp16 or int8: the same run so.",
)
@conf_option
@iou_option
@nms_option
@sigma_option
@device_option
@ground_truth_option
@click.option(
    "--record",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    type=TextPath(empty=True),
    help="Record from the start, to FILE (or into that folder), else the videos folder.",
)
@click.option("--jsonl", is_flag=True, help="Write JSON lines beside each recording.")
@click.option("--classes", metavar="A,B", help="Show only these classes: names or numbers.")
@click.option("--seconds", type=FiniteRange(0, SECONDS_MAX), help="Close after so many seconds.")
@click.option("--fullscreen", is_flag=True, help="Start in full screen.")
@click.option("--theme", type=click.Choice(THEMES), default="system", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="system", help="Of the window.")
@click.option("--profile", metavar="NAME", help="Go by the settings that were saved as NAME.")
@click.option(
    "--reset",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_forget_settings,
    help="Delete the remembered settings and all profiles, say which files, and end.",
)
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Watch SOURCE and see what the model sees.

    SOURCE is a camera number, a video, a folder or glob of images, an rtsp:// or http:// address,
    or demo. Without it: the first camera, else the demo.
    """
    started_s = time.monotonic()
    if not has_display():
        click.echo("There is no display: the source is annotated into a video instead.")
        if given["profile"]:
            click.echo("Profiles are for the window: --profile does nothing here.")
        if given["compare"]:
            click.echo("Models are compared in the window: --compare does nothing here.")
        ctx.exit(_process(given))
    require_libraries()
    from kpviewer.gui.app import run_viewer
    from kpviewer.gui.widgets.theme import ThemeChoice

    options = _viewer_options(given, started_s, _named(ctx))
    ctx.exit(run_viewer(options, ThemeChoice(given["theme"])))


def _named(ctx: click.Context) -> frozenset[str]:
    """Give the options that the command line names; the others may be remembered."""
    usual = (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)
    return frozenset(name for name in ctx.params if ctx.get_parameter_source(name) not in usual)


def _viewer_options(
    given: dict[str, Any], started_s: float, named: frozenset[str]
) -> ViewerOptions:
    from kpviewer.config_files import settings_folder
    from kpviewer.gui.options import ViewerOptions

    _check_profile(given["profile"])

    return ViewerOptions(
        source=given["source"],
        model=given["model"],
        compare=given["compare"],
        device=given["device"],
        classes=_words(given["classes"]),
        record=given["record"],
        with_results=given["jsonl"],
        seconds=given["seconds"],
        fullscreen=given["fullscreen"],
        language=given["language"] if "language" in named else None,
        started_s=started_s,
        ground_truth=_read_ground_truth(given["ground_truth"], given["model"]),
        settings_folder=settings_folder(),
        profile=given["profile"],
        given=named,
        **threshold_changes(given),
    )


def _check_profile(name: str | None) -> None:
    """Refuse a profile that isn't there before a window opens."""
    from kpviewer.config_files import read_profile, settings_folder

    if name is None:
        return
    try:
        read_profile(settings_folder(), name)
    except KpviewerError as error:
        raise click.BadParameter(str(error), param_hint="--profile") from error


def _words(text: str | None) -> tuple[str, ...]:
    """Take "a, b" apart."""
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _read_ground_truth(spec: str | None, model: str) -> GroundTruthProvider | None:
    """Read annotations, with the class ids of the model where its file tells them."""
    if spec is None:
        return None
    from kpviewer.annotations.ground_truth import read_ground_truth

    return read_ground_truth(spec, _class_names(model))


def _class_names(model: str) -> tuple[str, ...]:
    from kpviewer.errors import WeightsError
    from kpviewer.models.catalogue import available_models, read_header
    from kpviewer.paths import named_path

    path = named_path(model, WeightsError)
    if path.suffix == ".safetensors" and path.is_file():
        return read_header(path).class_names
    return next((each.spec.class_names for each in available_models() if each.name == model), ())


def _process(options: dict[str, Any]) -> int:
    """Annotate the source into a video in the folder for recordings; give the exit code."""
    from kpviewer.cli.process import process_sources
    from kpviewer.cli.process_job import ProcessOptions
    from kpviewer.gui.options import class_ids
    from kpviewer.gui.saving.folders import recordings_folder
    from kpviewer.recording.files import recording_target

    changes = threshold_changes(options)
    class_names = _class_names(options["model"])
    try:
        # A model that tells no classes before it is loaded is most likely not there.
        shown = class_ids(_words(options["classes"]), class_names) if class_names else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--classes") from error
    if shown:
        changes["classes"] = shown
    folder, stem = recording_target(options["record"] or "", recordings_folder())
    process_options = ProcessOptions(
        folder,
        ("video", "jsonl") if options["jsonl"] else ("video",),
        seconds=options["seconds"],
        live_seconds=HEADLESS_SECONDS,
        stem=stem,
        model=options["model"],
        device=options["device"],
        changes=changes,
        ground_truth=options["ground_truth"],
    )
    return process_sources([options["source"]], process_options)
