"""Remembered settings, applied to what the command line leaves open. No Qt."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from kpviewer.config.settings import ModelSettings, Settings, Table
from kpviewer.gui.options import NUMBERS, ViewerOptions
from kpviewer.gui.settings.recent import is_there
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.models.spec import ModelSpec
from kpviewer.overlay import OverlayStyle
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.runtime.process.abandoned import DISK_S, NoAnswerError, answer_within
from kpviewer.sources.base import GroundTruthProvider
from kpviewer.sources.naming import CameraRequest, is_camera, path_of
from kpviewer.sources.redact import is_address, redact_url
from kpviewer.sources.turn import Turn
from kpviewer.structures import StreamInfo, Thresholds

MAX_TURNS = 50
"""Number of sources whose turn is remembered."""
ALL_THRESHOLDS = frozenset((*NUMBERS, "class_scores", "classes"))


class RememberedSettings:
    """Completes the options, and each model's thresholds when it is loaded."""

    def __init__(
        self,
        store: SettingsStore,
        options: ViewerOptions,
        before: RememberedSettings | None = None,
    ) -> None:
        """Complete these options; ``before``: settings of the window that this one replaces."""
        self.store = store
        named = {name for name in NUMBERS if getattr(options, name) is not None}
        self._named = named | ({"classes"} if options.classes else set())
        sources = options.sources or (options.source,)
        self.given_turns: dict[str | None, Turn] = (
            {} if options.turn is None else dict.fromkeys(sources, options.turn)
        )
        """Turns that the command line names, by source."""
        self.ground_truths: dict[str | None, GroundTruthProvider | str] = {}
        """Annotations that were given or chosen in windows of one source, by source."""
        if before is not None:
            self.given_turns, self.ground_truths = before.given_turns, before.ground_truths

    def fill(self, options: ViewerOptions) -> ViewerOptions:
        """Return the options, completed by remembered settings."""
        current = self.store.current
        recording = current.recording
        changes: dict[str, Any] = {}
        if "model" not in options.given and current.model is not None:
            changes |= {"model": current.model, "fallback_model": options.model}
        if "device" not in options.given and current.device is not None:
            changes |= {"device": current.device, "fallback_device": "auto"}
        if not {"backend", "precision", "device"} & options.given and current.backend is not None:
            backend = BackendChoice.parse(current.backend)
            changes |= {"backend": backend, "can_change_backend": True}
        if options.folder is None:
            changes["folder"] = kept_folder(recording)
        if recording.get("with_results") is True:
            changes["with_results"] = True
        return replace(options, **changes)

    def thresholds(self, spec: ModelSpec, asked: Thresholds) -> Thresholds:
        """Return the thresholds that a model starts with."""
        kept, own = self.store.current.for_model(spec.name).of(_names_of(spec)), spec.thresholds
        changes: dict[str, Any] = {}
        for name in set(NUMBERS) - self._named:
            value = getattr(kept, name)
            changes[name] = getattr(own, name) if value is None else value
        names = dict(enumerate(spec.class_names))
        by_name = kept.class_scores
        changes["class_scores"] = {
            each: by_name[name] for each, name in names.items() if name in by_name
        }
        if "classes" not in self._named:
            shown = frozenset(each for each, name in names.items() if name not in kept.hidden)
            changes["classes"] = shown if len(shown) < len(names) else None
        return replace(asked, **changes)

    def turn(self, text: str | None, info: StreamInfo) -> Turn:
        """Return how the frames of an opened source are turned."""
        if text in self.given_turns:
            return self.given_turns[text]
        return Turn.parse(self.store.current.turns.get(turned_key(text, info), ""))

    def set_turn(self, text: str | None, info: StreamInfo, turn: Turn) -> None:
        """Remember how the frames of a source are turned, in place of the command line."""
        self.given_turns.pop(text, None)
        self.store.edit(partial(with_turn, key=turned_key(text, info), turn=turn))

    def forget_named(self, names: Iterable[str] = ALL_THRESHOLDS) -> None:
        """Ignore the command line in fields of Thresholds that the user has edited."""
        self._named.difference_update(names)


def kept_folder(recording: Table) -> Path | None:
    """Return the remembered folder for recordings; None for the usual one."""
    name = recording.get("folder")
    if not isinstance(name, str) or not name:
        return None
    try:
        return Path(name).expanduser()
    except RuntimeError:  # of a user that this machine doesn't have
        return None


def kept_thresholds(spec: ModelSpec, thresholds: Thresholds) -> ModelSettings:
    """Return the differences from the model's default thresholds, classes by name."""
    own, names = spec.thresholds, spec.class_names
    changed = {
        name: getattr(thresholds, name)
        for name in NUMBERS
        if getattr(thresholds, name) != getattr(own, name)
    }
    scores, shown = thresholds.class_scores, thresholds.classes
    kept = ModelSettings(
        **changed,
        class_scores={names[key]: score for key, score in scores.items() if key < len(names)},
        hidden=tuple(n for key, n in enumerate(names) if shown is not None and key not in shown),
    )
    return kept if kept == ModelSettings() else replace(kept, names=_names_of(spec))


def _names_of(spec: ModelSpec) -> str:
    """Return ``ModelSettings.names`` of a model."""
    names = repr((spec.class_names, spec.keypoint_names)).encode("utf-8", "replace")
    return hashlib.blake2b(names, digest_size=6).hexdigest()


def kept_display(style: OverlayStyle) -> dict[str, bool | int | float | str]:
    """Return the plain values of a style that differ from the defaults."""
    return {
        name: value
        for name, usual in _USUAL_DISPLAY.items()
        if isinstance(value := getattr(style, name), type(usual)) and value != usual
    }


_USUAL_DISPLAY = {
    each.name: each.default
    for each in fields(OverlayStyle)
    if isinstance(each.default, bool | int | float | str)
}
"""Plain values of a style, as they are without an edit."""
_RENAMED = {
    "truth": "ground_truth",
    "follow": "tracks",
    "blur": "anonymise",
    "smooth": "smooth_landmarks",
}
"""Fields of OverlayStyle by the names that version 0.1 wrote."""


def style_of(display: Table) -> OverlayStyle:
    """Build a style from remembered values; those that fit no field are ignored."""
    usual = OverlayStyle()
    known = {each.name: getattr(usual, each.name) for each in fields(usual)}
    current = {_RENAMED.get(name, name): value for name, value in display.items()}
    fitting = {
        name: value for name, value in current.items() if type(value) is type(known.get(name))
    }
    return replace(usual, **fitting)


def profile_model(settings: Settings, usual: str) -> str:
    """Return the model of settings; the usual one if none is named or its file is gone."""
    model = settings.model
    if model is None:
        return usual
    try:
        found = answer_within(DISK_S, lambda: is_there(model), f"looking for {model}")
    except NoAnswerError:
        return usual
    return model if found else usual


def turned_key(text: str | None, info: StreamInfo) -> str:
    """Return the name by which the turn of a source is remembered.

    That of a camera is its own, that of a file its full path.
    """
    if not text or is_camera(text):
        return info.name
    path = None if is_address(text) else path_of(text)
    try:
        return redact_url(text) if path is None else os.path.abspath(path)
    except OSError:  # the present folder is gone
        return text


def with_turn(settings: Settings, key: str, turn: Turn) -> Settings:
    """Remember the turn of a source; that of frames as they are is forgotten."""
    kept = {each: text for each, text in settings.turns.items() if each != key}
    kept = dict(list(kept.items())[-MAX_TURNS + 1 :])
    return replace(settings, turns={**kept, key: str(turn)} if str(turn) else kept)


def with_camera_format(
    settings: Settings, camera_id: str, request: CameraRequest | None
) -> Settings:
    """Remember the format of a camera; None forgets it."""
    kept = {key: text for key, text in settings.camera_formats.items() if key != camera_id}
    if request is not None:
        kept[camera_id] = str(request)
    return replace(settings, camera_formats=kept)
