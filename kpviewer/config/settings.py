"""Settings that the viewer remembers between runs, as frozen values and as TOML.

Only what a user has changed is kept. A value that is None or absent has the default of the model,
of ``OverlayStyle`` or of the command line, so each default is defined once. ``files`` reads and
writes them on disk; neither module needs Qt or torch.

A table may come from another version or from an editor. A value of a wrong type or out of its range
is left out, and an unknown top-level key is kept unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Annotated, Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from kpviewer.structures import NmsKind

VERSION = 1
"""Version of the files' format. A file with a higher version is newer than this program."""
MAX_RECENT = 10
"""Number of sources, and of models, that a menu lists."""
MAX_MARKED, MAX_MARKS = 50, 200
"""Number of sources with marks, and of marks in each, that are remembered."""

Text: TypeAlias = Annotated[str, Meta(min_length=1)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Width: TypeAlias = Annotated[float, Meta(gt=0, lt=1e6)]
SidePx: TypeAlias = Annotated[int, Meta(gt=0, lt=100_000)]
FrameNumber: TypeAlias = Annotated[int, Meta(ge=0, lt=2**31)]
PositionPx: TypeAlias = Annotated[int, Meta(gt=-100_000, lt=100_000)]
Plain: TypeAlias = bool | int | Annotated[float, Meta(ge=-1e300, le=1e300)] | str
"""A value that TOML can hold; numbers are finite."""
Table: TypeAlias = Mapping[str, Plain]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Thresholds that a user set for one model; None is the model's own value."""

    score: Share | None = None
    iou: Share | None = None
    nms: NmsKind | None = None
    sigma: Width | None = None
    """Standard deviation of the Gaussian soft-NMS."""
    keypoint: Share | None = None
    """Score below which keypoints count as not predicted."""
    class_scores: Mapping[str, Share] = field(default_factory=dict)
    """Score thresholds of single classes, by class name."""
    hidden: tuple[Text, ...] = ()
    """Names of the classes that are not shown."""
    names: Text | None = None
    """Hash of the names of the model's classes and keypoints, as files of different models may have
    one name; None: of any model of the name."""

    def of(self, names: str | None) -> ModelSettings:
        """Return these settings, or none if they are for a model with other names."""
        return self if names is None or self.names in (None, names) else ModelSettings()


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """Size and position of the window and layout of its panels; None is the default."""

    width_px: SidePx | None = None
    """Width when not maximised, in device-independent px."""
    height_px: SidePx | None = None
    """Height when not maximised, in device-independent px."""
    is_maximized: bool = False
    left_px: PositionPx | None = None
    """Left edge of the window's frame when not maximised."""
    top_px: PositionPx | None = None
    """Top edge of the window's frame when not maximised."""
    docks: Text | None = None
    """Layout of the panels: a checksum, and Qt's saved state in base64."""


@dataclass(frozen=True, slots=True)
class RecentItems:
    """Recently opened items, newest first: absolute paths, and addresses without secrets."""

    sources: tuple[Text, ...] = ()
    models: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that are remembered; the default is to remember nothing."""

    model: Text | None = None
    """Name or path of the model, as on the command line."""
    device: Text | None = None
    """Device as on the command line: auto, cpu, cuda:0."""
    backend: Text | None = None
    """Backend, precision and device that were chosen, such as openvino:bf16@cpu; None measures."""
    theme: Text | None = None
    """Colour theme: system, dark or light."""
    language: Text | None = None
    """Code of the window's language, such as en or zh_CN; None is the system's language."""
    camera: Text | None = None
    """Name of the camera that was opened last."""
    camera_formats: Mapping[str, Text] = field(default_factory=dict)
    """Requested format by the camera's id, such as 1280x720@30:MJPG."""
    turns: Mapping[str, Text] = field(default_factory=dict)
    """Rotation and mirroring by source, such as "90" or "mirror": a camera by its name, a file by
    its full path."""
    display: Table = field(default_factory=dict)
    """Fields of OverlayStyle that differ from its defaults."""
    panels: Mapping[str, bool] = field(default_factory=dict)
    """Visibility of each panel (side, plots, table) and of each section of the side panel (find,
    act, look, score), by name."""
    recording: Table = field(default_factory=dict)
    """Recording options: folder of the recordings; with_results, which writes JSON lines too."""
    scans_when_idle: bool | None = None
    """Whether a source that is paused is scanned without being asked; None doesn't."""
    thresholds: Mapping[str, ModelSettings] = field(default_factory=dict)
    """Thresholds by the model's name."""
    keys: Mapping[str, tuple[Text, ...]] = field(default_factory=dict)
    """Keys that the user changed, by the name of the action; empty: it has none."""
    window: WindowSettings = WindowSettings()
    recent: RecentItems = RecentItems()
    marks: Mapping[str, tuple[FrameNumber, ...]] = field(default_factory=dict)
    """Frames that the user marked, by the source as recent ones are named; the newest last."""
    unknown: Mapping[str, Any] = field(default_factory=dict)
    """Top-level keys that this version doesn't know; they are kept for the version that does."""

    def for_model(self, name: str) -> ModelSettings:
        """Return the remembered thresholds of a model."""
        return self.thresholds.get(name, ModelSettings())

    def as_profile(self) -> Settings:
        """Return the settings of a task, without those of this machine and its user."""
        default = Settings()
        return replace(self, **{name: getattr(default, name) for name in _MACHINE_FIELDS})

    def with_profile(self, profile: Settings) -> Settings:
        """Return a profile's settings together with this machine's own."""
        return replace(profile, **{name: getattr(self, name) for name in _MACHINE_FIELDS})


_MACHINE_FIELDS = (
    *("language", "keys", "window", "recent", "marks", "camera_formats", "turns"),
    "unknown",
)
"""Fields of Settings that a profile doesn't hold."""


def apply_changes(before: Settings, after: Settings, onto: Settings) -> Settings:
    """Apply the changes between two settings to a third; unchanged values stay.

    This remembers an edit in the window, but not a value that the command line set for one run.

    Args:
        before: settings before the edit.
        after: settings after the edit.
        onto: settings to change.
    """
    names = {name for each in (before, after) for name in each.thresholds}
    thresholds = {
        name: _of_model(before.for_model(name), after.for_model(name), onto.for_model(name))
        for name in {*names, *onto.thresholds}
    }
    thresholds = {name: each for name, each in thresholds.items() if each != ModelSettings()}
    same = replace(after, thresholds={}), replace(before, thresholds={})
    return replace(_apply_field_changes(same[1], same[0], onto), thresholds=thresholds)


def _of_model(before: ModelSettings, after: ModelSettings, onto: ModelSettings) -> ModelSettings:
    """Apply the changes to one model's settings, which replace those of a model with its name."""
    names = after.names or before.names
    base = onto.of(names)
    changed = _apply_field_changes(before, replace(after, names=before.names), base)
    if changed == base:
        return onto
    changed = replace(changed, names=None)
    return changed if changed == ModelSettings() else replace(changed, names=names or base.names)


_Fields = TypeVar("_Fields", Settings, ModelSettings)


def _apply_field_changes(before: _Fields, after: _Fields, onto: _Fields) -> _Fields:
    """Apply changes field by field, and in a mapping key by key."""
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
    """Return settings as a table of TOML, without values that are not set."""
    known = {each.name: getattr(settings, each.name) for each in fields(settings)}
    del known["unknown"]
    table: dict[str, Any] = msgspec.to_builtins(known)
    table["window"]["is_maximized"] = settings.window.is_maximized or None
    kept = _without_empty({**settings.unknown, **table})
    keyless: dict[str, Any] = {action: [] for action, keys in settings.keys.items() if not keys}
    if keyless:  # else these actions would have their usual keys again
        kept["keys"] = {**kept.get("keys", {}), **keyless}
    return kept


def _without_empty(table: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out values that are empty or can't be written; round numbers to 6 decimals.

    The rounding removes the digits that a float32 adds when it becomes a float64.
    """
    kept: dict[str, Any] = {}
    for name, value in table.items():
        tidy = _without_empty(value) if isinstance(value, Mapping) else value
        if isinstance(tidy, list | tuple):
            tidy = [item for item in tidy if _is_writable(item)]
        if isinstance(tidy, float):
            tidy = round(tidy, 6)
        if tidy is not None and tidy not in ({}, []) and _is_writable(tidy):
            kept[name] = tidy
    return kept


def _is_writable(value: Any) -> bool:
    """Return whether UTF-8 can encode a text: on Linux, a file's name may be any bytes."""
    return not isinstance(value, str) or not any("\ud800" <= sign <= "\udfff" for sign in value)


def from_table(table: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Read settings from a table of TOML.

    Returns:
        The settings, and the names of the values that are not valid and were left out.
    """
    ignored: list[str] = []
    known = {each.name for each in fields(Settings)} - {"unknown"}
    settings = _read(Settings, {k: v for k, v in table.items() if k in known}, "", ignored)
    recent = RecentItems(settings.recent.sources[:MAX_RECENT], settings.recent.models[:MAX_RECENT])
    marks = dict(list(settings.marks.items())[-MAX_MARKED:])
    marks = {source: frames[:MAX_MARKS] for source, frames in marks.items()}
    unknown = {name: value for name, value in table.items() if name not in known}
    return replace(settings, recent=recent, marks=marks, unknown=unknown), ignored


def _read(kind: type[_T], table: Mapping[str, Any], path: str, ignored: list[str]) -> _T:
    """Read a dataclass field by field; unknown keys are left out.

    Args:
        kind: the dataclass.
        table: values by field.
        path: name of the table, with a full stop behind it; empty for the whole file.
        ignored: receives the names of the values that are not valid.
    """
    hints = get_type_hints(kind, include_extras=True)
    given = {name: hints[name] for name in table if name in hints}
    return kind(**_valid(given, table, path, ignored))


def _valid(
    hints: Mapping[str, Any], table: Mapping[str, Any], path: str, ignored: list[str]
) -> dict[str, Any]:
    """Return the values that are valid, by name."""
    values = {
        name: _value(hint, table[name], f"{path}{name}", ignored) for name, hint in hints.items()
    }
    return {name: value for name, value in values.items() if value is not msgspec.UNSET}


def _value(hint: Any, value: Any, name: str, ignored: list[str]) -> Any:
    """Return a value as the type that a field has; UNSET if it is not valid."""
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, Mapping):
        return _read(hint, value, f"{name}.", ignored)
    if get_origin(hint) is Mapping and isinstance(value, Mapping):
        return _valid(dict.fromkeys(value, get_args(hint)[1]), value, f"{name}.", ignored)
    try:
        valid = msgspec.convert(value, hint)
    except msgspec.ValidationError:
        ignored.append(name)
        return msgspec.UNSET
    return tuple(dict.fromkeys(valid)) if isinstance(valid, tuple) else valid
