"""``kpviewer view``: opens the viewer, or without a display writes an annotated video."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from kpviewer.cli.options import (
    SECONDS_MAX,
    FiniteRange,
    class_words,
    engine_options,
    ground_truth_option,
    model_options,
    threshold_changes,
    threshold_options,
    turn_of,
    turn_options,
)
from kpviewer.cli.path_types import VideoPath
from kpviewer.errors import KpviewerError
from kpviewer.gui.grid.layout import MOST_STREAMS
from kpviewer.gui.translations import codes
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.installation.qt_libraries import has_display, require_libraries
from kpviewer.models.names.models import with_layout
from kpviewer.runtime.process.garbage import without_collection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpviewer.config import Settings
    from kpviewer.gui.options import ViewerOptions
    from kpviewer.runtime.choosing.choices import BackendChoice
    from kpviewer.sources.base import GroundTruthProvider

THEMES = ("system", "dark", "light")
LANGUAGES = ("system", "en", *codes())
HEADLESS_SECONDS = 20.0
"""Duration for an endless source without --seconds, if there is no display."""


def _forget_settings(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    """Delete the saved settings and profiles without asking."""
    if not value or ctx.resilient_parsing:
        return
    from kpviewer.config.files import (
        cache_folder,
        delete_all_settings,
        delete_cache,
        settings_folder,
    )

    removed = [*delete_all_settings(settings_folder()), *delete_cache(cache_folder())]
    for path in removed:
        click.echo(f"Removed {path}")
    if not removed:
        click.echo(f"There are no settings in {settings_folder()}.")
    ctx.exit()


@click.command()
@click.argument("sources", metavar="[SOURCE]...", nargs=-1)
@model_options
@click.option(
    "--compare",
    metavar="MODEL",
    help="Compare with MODEL, or with the same model on another backend (torch, openvino) or "
    "precision (fp32, bf16, fp16, int8).",
)
@threshold_options
@engine_options
@ground_truth_option
@turn_options
@click.option(
    "--record",
    metavar="[FILE]",
    is_flag=False,
    flag_value="",
    type=VideoPath(),
    help="Record from the start to FILE or folder; the default is the videos folder.",
)
@click.option("--jsonl", is_flag=True, help="Write results as JSON lines beside each recording.")
@click.option("--classes", metavar="A,B", help="Show only these classes (names or numbers).")
@click.option("--seconds", type=FiniteRange(0, SECONDS_MAX), help="Close after this many seconds.")
@click.option("--fullscreen", is_flag=True, help="Start in full screen.")
@click.option(
    "--theme",
    type=click.Choice(THEMES),
    default="system",
    help="Colour theme.",
)
@click.option("--language", type=click.Choice(LANGUAGES), default="system", help="UI language.")
@click.option("--profile", metavar="NAME", help="Use the settings saved as profile NAME.")
@click.option(
    "--reset",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_forget_settings,
    help="Delete settings, profiles, certificate and cache (scans too); list them and exit.",
)
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Open SOURCE and see live what the model sees.

    SOURCE is a camera number, a video, a folder or glob of images, an rtsp:// or http:// address,
    or demo. Without SOURCE: the first camera, or the demo if there is none.

    Several sources, up to 16, are shown in a grid. They share one model.
    """
    started_s = time.monotonic()
    _check_sources(given)
    given["model"] = with_layout(given["model"], given["layout"])
    if not has_display():
        click.echo("There is no display: an annotated video is written instead.")
        if given["profile"]:
            click.echo("Profiles apply to the window: --profile is ignored.")
        if given["compare"]:
            click.echo("Models are compared in the window: --compare is ignored.")
        ctx.exit(_process(given))
    require_libraries()
    with without_collection():
        from kpviewer.gui.app import run_viewer
        from kpviewer.gui.widgets.theme import ThemeChoice

    options = _viewer_options(given, started_s, _named(ctx))
    ctx.exit(run_viewer(options, ThemeChoice(given["theme"])))


def _check_sources(given: dict[str, Any]) -> None:
    """Refuse commands, more sources than a grid shows, and what needs a single source."""
    from kpviewer.cli.main import COMMANDS

    for each in given["sources"]:
        if each in COMMANDS and not Path(each).exists():
            raise click.UsageError(f"Commands come first, before options: kpviewer {each} ...")
    count = len(given["sources"])
    if count > MOST_STREAMS:
        are_images = all(Path(each).suffix.lower() in IMAGE_SUFFIXES for each in given["sources"])
        cure = "Name the folder of the images" if are_images else "Leave some out"
        raise click.UsageError(
            f"A grid shows at most {MOST_STREAMS} sources, got {count}. {cure}, or run "
            "kpviewer process."
        )
    for name in ("compare", "ground_truth"):
        if count > 1 and given[name]:
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} needs a single source, got {count}.")


def _named(ctx: click.Context) -> frozenset[str]:
    """Return the options that the command line sets; the others may come from the settings."""
    usual = (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)
    return frozenset(name for name in ctx.params if ctx.get_parameter_source(name) not in usual)


def _viewer_options(
    given: dict[str, Any], started_s: float, named: frozenset[str]
) -> ViewerOptions:
    from kpviewer.config.files import settings_folder
    from kpviewer.gui.options import ViewerOptions

    profile, sources = _profile(given["profile"]), given["sources"]
    return ViewerOptions(
        source=sources[0] if len(sources) == 1 else None,
        sources=sources if len(sources) > 1 else (),
        model=given["model"],
        compare=given["compare"],
        device=given["device"],
        backend=_backend(given["backend"], given["precision"]),
        classes=class_words(given["classes"]),
        record=given["record"],
        with_results=given["jsonl"],
        seconds=given["seconds"],
        fullscreen=given["fullscreen"],
        language=given["language"] if "language" in named else None,
        started_s=started_s,
        ground_truth=_read_ground_truth(given, named, profile),
        settings_folder=settings_folder(),
        profile=given["profile"],
        given=named,
        turn=turn_of(given),
        **threshold_changes(given),
    )


def _backend(backend: str, precision: str) -> BackendChoice | None:
    """Return the backend of the command line; None for auto, which the window measures."""
    from kpviewer.runtime.choosing.choices import BackendChoice

    return None if backend == precision == "auto" else BackendChoice(backend, precision)


def _profile(name: str | None) -> Settings | None:
    """Return the settings of a profile; refuse a missing one before a window opens."""
    from kpviewer.config.files import read_profile, settings_folder

    if name is None:
        return None
    try:
        return read_profile(settings_folder(), name).settings
    except KpviewerError as error:
        raise click.BadParameter(str(error), param_hint="--profile") from error


def _read_ground_truth(
    given: Mapping[str, Any], named: frozenset[str], profile: Settings | None
) -> GroundTruthProvider | None:
    """Read annotations, numbered as the first model does if its file lists the names."""
    if given["ground_truth"] is None:
        return None
    from kpviewer.annotations.ground_truth import read_ground_truth
    from kpviewer.config.files import peek_settings, settings_folder, settings_path

    model = given["model"]
    if "model" not in named:  # the window begins with the one that it remembers
        settings = profile or peek_settings(settings_path(settings_folder()))
        model = settings.model or model
    return read_ground_truth(given["ground_truth"], *_names(model))


def _names(model: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a model's classes and keypoints; none if they are unknown."""
    from kpviewer.errors import WeightsError
    from kpviewer.models.files.catalogue import available_models, read_header
    from kpviewer.system.paths import named_path

    path = named_path(model, WeightsError)
    if path.suffix == ".safetensors" and path.is_file():
        found = [read_header(path)]
    else:
        found = [each.spec for each in available_models() if each.name == model]
    return (found[0].class_names, found[0].keypoint_names) if found else ((), ())


def _process(options: dict[str, Any]) -> int:
    """Write an annotated video to the recordings folder; return the exit code."""
    from kpviewer.cli.process import process_sources
    from kpviewer.gui.saving.choices import recordings_folder
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.recording.files import recording_target

    if options["seconds"] == 0:  # it would be taken for all
        raise click.UsageError("A video needs --seconds above 0: there is no window to close.")
    folder, stem = recording_target(options["record"] or "", recordings_folder())
    process_options = ProcessOptions(
        folder,
        ("video", "jsonl") if options["jsonl"] else ("video",),
        seconds=options["seconds"],
        live_seconds=HEADLESS_SECONDS,
        stem=stem,
        model=options["model"],
        device=options["device"],
        precision=options["precision"],
        backend=options["backend"],
        changes=threshold_changes(options),
        classes=class_words(options["classes"]),
        ground_truth=options["ground_truth"],
        turn=turn_of(options),
    )
    return process_sources(list(options["sources"]) or [None], process_options)
