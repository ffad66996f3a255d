"""What the viewer remembers from one time to the next, as frozen values and as TOML.

Only what a user has changed is kept: a value that is None or absent is the default of the model, of
``OverlayStyle`` or of the command line, so that each default has one place. ``config_files`` reads
and writes the files; neither Qt nor torch is needed for it.

A table may come from another version or from an editor: a value that makes no sense is left out,
and a key that nobody knows is kept as it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeAlias, TypeVar

from kpviewer.structures import NmsKind

VERSION = 1
"""Of the files; a file with a higher one is newer than this program."""
MAX_RECENT = 10
"""Sources or models that a menu lists."""

Plain: TypeAlias = bool | int | float | str
"""A value that TOML holds as it is."""
Table: TypeAlias = Mapping[str, Plain]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Thresholds that a user set for one model; None is the model's own."""

    score: float | None = None
    """In [0, 1]."""
    iou: float | None = None
    """In [0, 1]."""
    nms: NmsKind | None = None
    sigma: float | None = None
    """Above 0."""
    class_scores: Mapping[str, float] = field(default_factory=dict)
    """Thresholds of single classes, by name."""
    hidden: tuple[str, ...] = ()
    """Names of the classes that are not shown."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """Size and place of the window and of what is in it; None is that of the first start."""

    width_px: int | None = None
    height_px: int | None = None
    """Both in device-independent px, when not maximised."""
    is_maximized: bool = False
    left_px: int | None = None
    top_px: int | None = None
    """Of its frame, when not maximised."""
    docks: str | None = None
    """Where the panels are: a checksum, and what Qt saved in base64."""


@dataclass(frozen=True, slots=True)
class RecentItems:
    """What was opened last, the newest first: absolute paths, and addresses without secrets."""

    sources: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is remembered; the default is to remember nothing."""

    model: str | None = None
    """Name or path, as on the command line."""
    device: str | None = None
    """As on the command line: auto, cpu, cuda:0."""
    theme: str | None = None
    """system, dark or light."""
    language: str | None = None
    """Code of the window's language (en, zh_CN); None is the system's."""
    camera: str | None = None
    """Name of the camera that was watched last."""
    camera_formats: Mapping[str, str] = field(default_factory=dict)
    """By the camera's id, what it is asked for: 1280x720@30:MJPG."""
    display: Table = field(default_factory=dict)
    """Fields of OverlayStyle that differ from its defaults."""
    panels: Mapping[str, bool] = field(default_factory=dict)
    """Whether a panel is there, by its name: side, plots, table."""
    recording: Table = field(default_factory=dict)
    """folder: where recordings go; with_results: JSON lines beside each."""
    thresholds: Mapping[str, ModelSettings] = field(default_factory=dict)
    """By the model's name."""
    window: WindowSettings = WindowSettings()
    recent: RecentItems = RecentItems()
    unknown: Mapping[str, Any] = field(default_factory=dict)
    """Top-level keys that this version doesn't know, kept for the one that does."""

    def for_model(self, name: str) -> ModelSettings:
        """Give what is remembered of a model's thresholds."""
        return self.thresholds.get(name, ModelSettings())

    def as_profile(self) -> Settings:
        """Leave out what belongs to this machine's user rather than to a task."""
        usual = Settings()
        return replace(self, **{name: getattr(usual, name) for name in _OF_THE_MACHINE})

    def with_profile(self, profile: Settings) -> Settings:
        """Take a profile's values; what no profile holds stays."""
        return replace(profile, **{name: getattr(self, name) for name in _OF_THE_MACHINE})


_OF_THE_MACHINE = ("language", "window", "recent", "camera_formats", "unknown")
"""Fields of Settings that no profile holds."""


def apply_changes(before: Settings, after: Settings, onto: Settings) -> Settings:
    """Make the changes between two settings to third ones; what did not change stays as it is.

    So an edit in the window is remembered, and what the command line said for once is not.
    """
    names = {name for each in (before, after) for name in each.thresholds}
    thresholds = {
        name: _apply_field_changes(
            before.for_model(name), after.for_model(name), onto.for_model(name)
        )
        for name in {*names, *onto.thresholds}
    }
    thresholds = {name: each for name, each in thresholds.items() if each != ModelSettings()}
    same = replace(after, thresholds={}), replace(before, thresholds={})
    return replace(_apply_field_changes(same[1], same[0], onto), thresholds=thresholds)


_Fields = TypeVar("_Fields", Settings, ModelSettings)


def _apply_field_changes(before: _Fields, after: _Fields, onto: _Fields) -> _Fields:
    """Carry changes field by field, and in a mapping key by key."""
    changes: dict[str, Any] = {}
    for each in fields(after):
        old, new = getattr(before, each.name), getattr(after, each.name)
        if old == new:
            continue
        if isinstance(new, Mapping):
            gone = {key for key in old if key not in new}
            kept = {k: v for k, v in getattr(onto, each.name).items() if k not in gone}
            new = {**kept, **{k: v for k, v in new.items() if k not in old or old[k] != v}}
        changes[each.name] = new
    return replace(onto, **changes)


def to_table(settings: Settings) -> dict[str, Any]:
    """Give settings as a table of TOML, without what is not set."""
    table: dict[str, Any] = dict(settings.unknown)
    for name in ("model", "device", "theme", "language", "camera"):
        table[name] = getattr(settings, name)
    for name in ("display", "panels", "recording", "camera_formats"):
        table[name] = dict(getattr(settings, name))
    window, recent = settings.window, settings.recent
    table["window"] = {
        "width_px": window.width_px,
        "height_px": window.height_px,
        "is_maximized": window.is_maximized or None,
        "left_px": window.left_px,
        "top_px": window.top_px,
        "docks": window.docks,
    }
    table["recent"] = {"sources": list(recent.sources), "models": list(recent.models)}
    table["thresholds"] = {name: _model_table(each) for name, each in settings.thresholds.items()}
    return _without_empty(table)


def _model_table(model: ModelSettings) -> dict[str, Any]:
    return {
        "score": model.score,
        "iou": model.iou,
        "nms": model.nms.value if model.nms is not None else None,
        "sigma": model.sigma,
        "hidden": list(model.hidden),
        "class_scores": dict(model.class_scores),
    }


def _without_empty(table: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is empty or no file can hold, at every depth; round what float32 frayed."""
    kept: dict[str, Any] = {}
    for name, value in table.items():
        tidy = _without_empty(value) if isinstance(value, Mapping) else value
        if isinstance(tidy, list):
            tidy = [item for item in tidy if _is_text_of_files(item)]
        if isinstance(tidy, float):
            tidy = round(tidy, 6)
        if tidy is not None and tidy not in ({}, []) and _is_text_of_files(tidy):
            kept[name] = tidy
    return kept


def _is_text_of_files(value: Any) -> bool:
    """Tell whether UTF-8 can hold a text: on Linux, a file's name may be any bytes."""
    return not isinstance(value, str) or not any("\ud800" <= sign <= "\udfff" for sign in value)


def from_table(table: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Make settings of a table of TOML.

    Returns:
        The settings, and the names of the values that made no sense and were left out.
    """
    take = _Taker(table)
    window, recent = take.table("window"), take.table("recent")
    thresholds = take.table("thresholds")
    settings = Settings(
        model=take("model", _text),
        device=take("device", _text),
        theme=take("theme", _text),
        language=take("language", _text),
        camera=take("camera", _text),
        display=take.table("display").all(_plain),
        panels=take.table("panels").all(_switch),
        recording=take.table("recording").all(_plain),
        camera_formats=take.table("camera_formats").all(_text),
        thresholds={name: _model_of(thresholds.table(name)) for name in thresholds},
        window=WindowSettings(
            width_px=window("width_px", _size),
            height_px=window("height_px", _size),
            is_maximized=bool(window("is_maximized", _switch)),
            left_px=window("left_px", _place),
            top_px=window("top_px", _place),
            docks=window("docks", _text),
        ),
        recent=RecentItems(
            sources=(recent("sources", _texts) or ())[:MAX_RECENT],
            models=(recent("models", _texts) or ())[:MAX_RECENT],
        ),
        unknown=take.rest(),
    )
    return settings, take.ignored


def _model_of(take: _Taker) -> ModelSettings:
    return ModelSettings(
        score=take("score", _fraction),
        iou=take("iou", _fraction),
        nms=take("nms", NmsKind),
        sigma=take("sigma", _positive),
        class_scores=take.table("class_scores").all(_fraction),
        hidden=take("hidden", _texts) or (),
    )


class _Taker:
    """Takes values out of a table, each through a check, and notes those that fail it."""

    def __init__(self, table: Any, path: str = "", ignored: list[str] | None = None) -> None:
        self.ignored: list[str] = [] if ignored is None else ignored
        self._path = path
        self._left: dict[str, Any] = {}
        if isinstance(table, Mapping):
            self._left = dict(table)
        else:
            self.ignored.append(path)

    def __call__(self, name: str, check: Callable[[Any], _T]) -> _T | None:
        """Take a value; None where it is absent or the check raises ValueError."""
        if name not in self._left:
            return None
        try:
            return check(self._left.pop(name))
        except ValueError:
            self.ignored.append(f"{self._path}{name}")
            return None

    def __iter__(self) -> Iterator[str]:
        """The names that were not taken yet."""
        return iter(list(self._left))

    def table(self, name: str) -> _Taker:
        """Take a table inside; an empty one where it is absent."""
        path = f"{self._path}{name}"
        inside = _Taker(self._left.pop(name, {}), path, self.ignored)
        inside._path = f"{path}."
        return inside

    def all(self, check: Callable[[Any], _T]) -> dict[str, _T]:
        """Take every value that passes a check, by its name."""
        taken = {name: self(name, check) for name in self}
        return {name: value for name, value in taken.items() if value is not None}

    def rest(self) -> dict[str, Any]:
        """Take what is left."""
        rest, self._left = self._left, {}
        return rest


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError
    return tuple(dict.fromkeys(_text(item) for item in value))


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _plain(value: Any) -> Plain:
    if not isinstance(value, Plain) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError
    return float(value)


def _fraction(value: Any) -> float:
    if not 0 <= _number(value) <= 1:
        raise ValueError
    return float(value)


def _positive(value: Any) -> float:
    if not 0 < _number(value) < 1e6:
        raise ValueError
    return float(value)


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 100_000:
        raise ValueError
    return value


def _place(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 100_000:
        raise ValueError
    return value
