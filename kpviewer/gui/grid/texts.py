"""Texts on a tile: its state and its figures. No widgets."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

from kpviewer.gui.controllers.playback import current_stats
from kpviewer.gui.controllers.view_state import ViewState, describe, how_to_replay, silence_text
from kpviewer.gui.language import tr
from kpviewer.gui.session.base import SessionStatus
from kpviewer.gui.views.panels.status_bar import drop_table, fps_text, rate_table
from kpviewer.pipeline.state.stats import DISPLAY
from kpviewer.pipeline_status import (
    Percentiles,
    PipelineState,
    PipelineStats,
    PipelineStatus,
    StopReason,
)

RETRY, REMOVE = "retry", "remove"
"""Keys of the buttons of a tile's card."""


def distinct_names(streams: Sequence[tuple[str, str | None]]) -> list[str]:
    """Return a name for each stream that no other one has.

    Args:
        streams: name and source of each. Files of one name have their folders, too, as far as they
            differ; other streams of one name have a number.
    """
    names = [name for name, _ in streams]
    for name, count in Counter(names).items():
        places = [place for place, each in enumerate(names) if each == name]
        paths = [Path(streams[place][1] or "") for place in places]
        if count > 1 and all(path.name == name for path in paths):
            for place, tail in zip(places, _tails(paths), strict=True):
                names[place] = tail
    seen = Counter[str]()
    for place, name in enumerate(names):
        seen[name] += 1
        names[place] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names


def _tails(paths: Sequence[Path]) -> list[str]:
    """Return the shortest ends of paths that differ where the paths do."""
    for length in range(1, max(len(path.parts) for path in paths) + 1):
        tails = ["/".join(path.parts[-length:]) for path in paths]
        if len(set(tails)) == len(set(paths)):
            return tails
    return [str(path) for path in paths]


def tile_state(status: SessionStatus, *, has_image: bool) -> ViewState:
    """Return what to show over the image of a tile, except for states of the model."""
    own = replace(status, loading_model=None, model_failure=None, model_doubt=None)
    if own.pipeline is not None:
        own = replace(own, pipeline=replace(own.pipeline, model_failure=None))
    state = describe(own, has_image=has_image)
    if state.card is None:
        is_over = own.pipeline is not None and own.pipeline.stop_reason is StopReason.END_OF_STREAM
        has_warning = own.pipeline is not None and own.pipeline.warning is not None
        return replace(state, chip="") if is_over and not has_warning else state
    remove = (REMOVE, tr("Remove"))
    buttons = ((RETRY, tr("Try again")), remove) if status.failure is not None else (remove,)
    return replace(state, card=replace(state.card, buttons=buttons))


def line_of(status: SessionStatus, *, has_image: bool, can_play: bool = True) -> tuple[str, ...]:
    """Return the parts of a tile's line: its state and what to do, or figures while it plays.

    Args:
        status: state of the stream.
        has_image: whether an image of it is shown.
        can_play: whether the key of playing plays it; while other streams play, it pauses those.
    """
    pipeline, word = status.pipeline, state_text(status)
    has_ended = pipeline is not None and pipeline.stop_reason is StopReason.END_OF_STREAM
    if has_ended and status.is_one_image:
        return ()
    if word and has_ended and can_play and (how := how_to_replay()):
        return word, how
    if word:
        return (word,)
    return figures(pipeline.stats) if pipeline is not None and has_image else ()


def state_text(status: SessionStatus) -> str:
    """Return the state of a stream in a word or two; empty while it plays."""
    pipeline = status.pipeline
    if status.failure is not None:
        return tr("failed")
    if pipeline is None or pipeline.state is PipelineState.STARTING:
        return tr("opening")
    if silence := silence_text(pipeline):
        return silence
    if pipeline.stop_reason is StopReason.END_OF_STREAM:
        return tr("ended")
    paused = tr("waiting for the model") if status.waits_for_model else tr("paused")
    return paused if pipeline.state is PipelineState.PAUSED else ""


def model_failure_line(statuses: Sequence[SessionStatus]) -> str:
    """Return why the model fails on every frame, with the streams' names if it isn't on all."""
    pipelines = [(each.source or "", each.pipeline) for each in statuses if each.pipeline]
    failures = [(name, each.model_failure) for name, each in pipelines if each.model_failure]
    if not failures:
        return ""
    names, line = ", ".join(dict.fromkeys(name for name, _ in failures)), failures[0][1]
    return line if len(failures) == len(pipelines) else f"{names}: {line}"


def is_outdated(status: SessionStatus) -> bool:
    """Return whether the image on the screen is outdated: newer ones should have come."""
    pipeline = status.pipeline
    return pipeline is None or status.failure is not None or bool(silence_text(pipeline))


def total_stats(
    statuses: Sequence[PipelineStatus], hidden: Sequence[PipelineStatus] = ()
) -> PipelineStats:
    """Return the summed rates and drops of streams, and the longest latencies of running ones.

    Args:
        statuses: state of each stream.
        hidden: those behind an enlarged one. Their delays to the screen are of earlier images.
    """
    stats = [current_stats(each) for each in statuses]
    running = [each for each in statuses if each.state is PipelineState.RUNNING]
    drops = sum((Counter(each.drops) for each in stats), Counter[str]())
    times: dict[str, list[Percentiles]] = {}
    for each in running:
        for stage, time in each.stats.latency.items():
            if stage != DISPLAY or each not in hidden:
                times.setdefault(stage, []).append(time)
    latency = {stage: max(each, key=attrgetter("p50")) for stage, each in times.items()}
    return PipelineStats(
        capture_fps=sum(each.capture_fps for each in stats),
        inference_fps=sum(each.inference_fps for each in stats),
        display_fps=sum(each.display_fps for each in stats),
        frames_read=sum(each.frames_read for each in stats),
        frames_inferred=sum(each.frames_inferred for each in stats),
        drops=drops,
        queue_depth=sum(each.queue_depth for each in stats),
        latency=latency,
    )


def figures(stats: PipelineStats) -> tuple[str, ...]:
    """Return frames per second, delay to the screen and frames not shown, for people."""
    delay = stats.latency.get(DISPLAY)
    dropped = sum(stats.drops.values())
    return (
        fps_text(stats.display_fps),
        *([tr("{ms:.0f} ms").format(ms=delay.p50)] if delay is not None else []),
        *([tr("{count} not shown").format(count=dropped)] if dropped else []),
    )


def tip(name: str, pipeline: PipelineStatus | None, *, has_model: bool) -> str:
    """Return the tooltip of a tile: its name, rates, delays, and the frames not shown."""
    if pipeline is None:
        return name
    stats = pipeline.stats
    return "\n".join((name, rate_table(stats, has_model=has_model), drop_table(stats.drops)))
