"""Recent sources and models: which of them may be remembered. No Qt.

Only ``is_there`` asks the disk, and only a loader's thread calls it: a network folder that is gone
may take minutes to answer. Files that are gone stay in the menu, and fail when they are opened.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kpviewer.config.settings import MAX_MARKED, MAX_MARKS, MAX_RECENT, RecentItems, Settings
from kpviewer.models.names.models import (
    DARKNET_SUFFIXES,
    FILE_SUFFIXES,
    TORCHVISION,
    TWO_STAGE,
    code_in,
    split_input_size,
    split_two_stage,
)
from kpviewer.models.opening.weight_files import is_downloaded
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.naming import is_camera, is_screen
from kpviewer.sources.redact import is_address, redact_url
from kpviewer.system.paths import expanded

MODEL_SUFFIXES = (".safetensors", *FILE_SUFFIXES, *DARKNET_SUFFIXES, ".pt", ".pth", ".ckpt")
ALWAYS_LISTED = ("", "demo", "strip")
"""Sources that the menu always lists, like cameras."""

_FILE_ENDS = "|".join(f"(?<={re.escape(suffix)})" for suffix in FILE_SUFFIXES)
_AFTER_FILE = re.compile(rf"(?:(?:{_FILE_ENDS})@[a-z][a-z0-9-]*)?(?:@[\dx]+)?$", re.IGNORECASE)
"""Layout and input size after the name of a model's file: mine.onnx@yolox@640."""


@dataclass(frozen=True, slots=True)
class Recent:
    """Recent items of a menu."""

    items: tuple[str, ...]
    """Items, newest first."""
    clear: Callable[[], None]
    """Forgets the items."""


def markable_source(text: str | None) -> str | None:
    """Return the name under which marks in a source are remembered; None if they aren't."""
    if text is None or _is_listed_device(text) or is_screen(text):
        return None
    return text.lower() if text.lower() in ALWAYS_LISTED else kept_source(text)


def with_marks(settings: Settings, source: str, frames: tuple[int, ...]) -> Settings:
    """Remember the marked frames of a source; those of the oldest sources are forgotten."""
    marks = {name: each for name, each in settings.marks.items() if name != source}
    if frames:
        marks[source] = frames[:MAX_MARKS]
    return replace(settings, marks=_newest(marks))


def with_source(settings: Settings, text: str) -> Settings:
    """Put a source first, unless the menu always lists it or its address may hold a secret."""
    kept = kept_source(text)
    if text.lower() in ALWAYS_LISTED or _is_listed_device(text) or kept is None:
        return settings
    recent = settings.recent
    return replace(settings, recent=replace(recent, sources=_first((kept,), recent.sources)))


def with_model(settings: Settings, name: str, shipped: frozenset[str]) -> Settings:
    """Put a model first, unless it is shipped: the menu always lists those."""
    if name in shipped:
        return settings
    recent, kept = settings.recent, kept_model(name)
    if kept is None:
        return settings
    return replace(settings, recent=replace(recent, models=_first((kept,), recent.models)))


def without_sources(settings: Settings) -> Settings:
    """Forget the sources, and what was marked in them."""
    return replace(settings, recent=RecentItems(models=settings.recent.models), marks={})


def without_models(settings: Settings) -> Settings:
    """Forget the models."""
    return replace(settings, recent=RecentItems(sources=settings.recent.sources))


def with_forgotten(settings: Settings, before: Settings) -> Settings:
    """Remember again the items and marks of ``before``, after those of today."""
    now, then = settings.recent, before.recent
    recent = RecentItems(_first(now.sources, then.sources), _first(now.models, then.models))
    return replace(settings, recent=recent, marks=_newest({**before.marks, **settings.marks}))


def kept_model(name: str) -> str | None:
    """Return a model's name as it is remembered, a file by its full path; None if it can't be."""
    if name.startswith(TWO_STAGE):
        parts = [kept_model(part) for part in split_two_stage(name)]
        is_split = None not in parts and "+" not in str(parts[0])  # of a folder such as /c++
        return f"{TWO_STAGE}{parts[0]}+{parts[1]}" if is_split else None
    model, at, file = name.partition("@")
    if model.startswith(TORCHVISION) and at and not file.isdecimal():
        kept = kept_model(file)
        return None if kept is None else f"{model}@{kept}"
    file = _AFTER_FILE.sub("", name)
    is_file = file.lower().endswith(MODEL_SUFFIXES) or any(sign in file for sign in "/\\")
    if not is_file:
        return name
    kept = kept_source(file)
    return None if kept is None else f"{kept}{name[len(file) :]}"


def kept_source(text: str) -> str | None:
    """Return a source as it is remembered: a path in full, or an address without a secret.

    None for an address that may hold a secret.
    """
    if is_screen(text):
        return text
    if is_address(text):
        return text if redact_url(text) == text else None
    try:
        path = str(expanded(text).absolute())
        path.encode("utf-8")  # else the file of settings can't hold it
    except (OSError, RuntimeError, ValueError):  # an unknown ~user, no present folder
        return None
    return path


def remembered_model(name: str) -> str | None:
    """Return a model's name for settings and profiles; None for the default, and for code.

    Code that a file names must never run. It is listed among the recent items, which ask first.
    """
    return None if name == DEFAULT_MODEL or code_in(name) else kept_model(name)


def is_there(item: str) -> bool:
    """Return whether a model still exists, asking the disk for full paths; it may block."""
    if item.startswith(TWO_STAGE):
        return all(map(is_there, split_two_stage(item)))
    path, file = Path(item), Path(_AFTER_FILE.sub("", item))
    try:
        model, at, weights = split_input_size(item)[0].partition("@")
        if model.startswith(TORCHVISION):  # one that is remembered isn't downloaded again
            return is_there(weights) if at else is_downloaded(model)
        return path.exists() or file.exists() or not path.is_absolute()
    except OSError:
        return False


def _is_listed_device(text: str) -> bool:
    """Return whether the menu lists a source as a device: a camera or a whole screen."""
    return is_camera(text) or (is_screen(text) and text.count(":") < 2)


def _newest(marks: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return dict(list(marks.items())[-MAX_MARKED:])


def _first(first: tuple[str, ...], items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *items)))[:MAX_RECENT]
