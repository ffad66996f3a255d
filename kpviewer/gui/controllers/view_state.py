"""Cards and chips over the video in each state: a pure function of the session's status."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from kpviewer.gui.keys import Act, key_of
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.model_names import short_name
from kpviewer.gui.session.base import SessionStatus
from kpviewer.gui.views.video.state_card import Card
from kpviewer.gui.widgets.plain_text import shortened, without_mnemonic
from kpviewer.pipeline_status import PipelineStatus, StopReason

_OPEN = (
    ("camera", tr_noop("Open camera")),
    ("file", tr_noop("Open file")),
    ("demo", tr_noop("Play the demo")),
)
"""Buttons that open a source: key and text."""
OPENING_SHOWN_S = 0.25
"""Time before the card of an opening source appears; faster ones show none."""

DETECTING_SHOWN_S = 0.5
"""Time before the time of a slow model appears."""


@dataclass(frozen=True, slots=True)
class ViewState:
    """What the view shows over the image."""

    card: Card | None = None
    chip: str = ""
    can_cancel: bool = False
    """Whether the chip is about work that can be cancelled."""
    can_close: bool = False
    """Whether the chip stays until it is closed."""
    is_dimmed: bool = False
    hides_image: bool = False
    """Whether to hide the image, as one of another source."""


def describe(status: SessionStatus, *, has_image: bool) -> ViewState:
    """Return what to show over the video.

    Args:
        status: status of the session.
        has_image: whether a frame of the current source is on the screen.
    """
    if status.failure is not None:
        return ViewState(error_card(status.failure, status.below), hides_image=True)
    if status.source is None:
        line, is_loading = model_line(status), status.loading_model is not None
        return ViewState(empty_card(), line, is_loading, hides_image=True)
    pipeline = status.pipeline
    opening = _opening_line(status)
    if pipeline is not None and (silence := _silence_line(pipeline, status)):
        return ViewState(chip=opening or silence, can_cancel=bool(opening), is_dimmed=True)
    if pipeline is None or not has_image:
        waits = status.opening_s > OPENING_SHOWN_S
        note = pipeline.warning if pipeline is not None else None
        return ViewState(opening_card(status.source, status.opening_s, note) if waits else None)
    if pipeline.model_failure is not None and status.loading_model is None:
        return ViewState(model_card(pipeline.model_failure))
    line = opening or model_line(status) or _detecting_line(pipeline)
    if not line and pipeline.stop_reason is StopReason.END_OF_STREAM:
        end = " · ".join(part for part in (tr("The end"), how_to_replay()) if part)
        line = pipeline.warning or ("" if status.is_one_image else end)
    is_loading = status.loading_model is not None
    has_failed = status.model_failure is not None and status.has_model and not is_loading
    can_cancel = is_loading or bool(opening)
    return ViewState(chip=line, can_cancel=can_cancel, can_close=has_failed)


def silence_text(pipeline: PipelineStatus) -> str:
    """Return why no new frames come in a word or two; empty if nothing is amiss."""
    if pipeline.signal_lost_s is not None:
        return tr("no signal")
    is_silent = pipeline.read_s is not None or pipeline.model_silent_s is not None
    return tr("no answer") if is_silent else ""


def how_to_replay() -> str:
    """Return which key plays a file that has ended again; empty if none does."""
    key = key_of(Act.PLAY)
    return tr("{key} plays again").format(key=key) if key else ""


def _opening_line(status: SessionStatus) -> str:
    """Return that another source is being opened; empty at first, or if none is."""
    if status.opening is None or status.opening_s < OPENING_SHOWN_S:
        return ""
    waited = f" {status.opening_s:.0f} s" if status.opening_s >= 1 else ""
    return tr("Opening {name} …").format(name=status.opening) + waited


def _detecting_line(pipeline: PipelineStatus) -> str:
    """Return how long a slow model has been at the frame; empty at first."""
    seconds = pipeline.detecting_s
    if seconds is None or seconds < DETECTING_SHOWN_S:
        return ""
    return tr("Detecting … {seconds:.0f} s").format(seconds=seconds)


def _silence_line(pipeline: PipelineStatus, status: SessionStatus) -> str:
    """Return why no new frames come; empty if they do."""
    if (lost_s := pipeline.signal_lost_s) is not None:
        lost = tr("No signal for {seconds:.0f} s. Trying again.")
        if pipeline.attempts:
            lost = tr("No signal for {seconds:.0f} s · try {n}. Trying again.")
        lost = lost.format(seconds=lost_s, n=pipeline.attempts)
        return f"{lost}\n{pipeline.warning}" if pipeline.warning is not None else lost
    if pipeline.read_s is not None:
        stalled = tr(
            "The file hasn't answered for {seconds:.0f} s. Check that its disk is connected."
        )
        return stalled.format(seconds=pipeline.read_s)
    if pipeline.model_silent_s is not None and status.loading_model is None:
        hangs = tr("The model hasn't answered for {seconds:.0f} s. Wait, or choose another one.")
        return hangs.format(seconds=pipeline.model_silent_s)
    return ""


def model_line(status: SessionStatus) -> str:
    """Return a notice about a model that loads, failed or is in doubt; else an empty text."""
    if status.loading_model is not None:
        name = short_name(status.loading_model)
        if status.waits_for_model:
            return tr("Starting {name} …").format(name=name)
        waited = f" {status.loading_s:.0f} s" if status.loading_s >= 1 else ""
        return tr("Loading model {name} …").format(name=name) + waited
    return status.model_failure or status.model_doubt or ""


def empty_card() -> Card:
    """Return the card of a window without a source."""
    title = tr("Open a camera or a video to see what the model sees.")
    return Card(title, buttons=_buttons(*_OPEN))


def opening_card(name: str, seconds: float, note: str | None = None) -> Card:
    """Return the card of a source that is being opened: its name, the time, a note."""
    waited = f"{seconds:.0f} s" if seconds >= 1 else ""
    waited = f"{waited}\n{note}" if note else waited
    return Card(tr("Opening {name}").format(name=name), waited, (("cancel", tr("Cancel")),))


def error_card(message: str, below: Sequence[str] = ()) -> Card:
    """Return the card of an error: what happened as the title, what to do as the text.

    Its first button opens the sources ``below``, if there are any; else it tries again.
    """
    first = ("below", open_text(below)) if below else ("retry", tr("Try again"))
    return Card(*_split(message), (first, *_buttons(*_OPEN[1:])))


def open_text(below: Sequence[str]) -> str:
    """Return the text of the button that opens a folder, or one or several videos."""
    if len(below) > 1:
        return tr("Open {count} videos").format(count=len(below))
    return tr("Open {name}").format(name=without_mnemonic(shortened(PurePath(below[0]).name)))


def model_card(message: str) -> Card:
    """Return the card of a model that fails on every frame; the video continues below it."""
    return Card(*_split(message), (("model", tr("Open model")),))


def _split(message: str) -> tuple[str, str]:
    """Split an error message into what happened and what to do."""
    title, _, cure = message.strip().partition("\n")
    if not cure and ". " in title:
        title, _, cure = title.partition(". ")
        title += "."
    return title, cure.strip()


def _buttons(*table: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((key, tr(text)) for key, text in table)
