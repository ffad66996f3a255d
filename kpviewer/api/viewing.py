"""The window, for a program that continues after it is closed."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from kpviewer.api.arguments import named_source, text_of
from kpviewer.config.files import settings_folder
from kpviewer.errors import InputError, KpviewerError
from kpviewer.gui.app import run_viewer
from kpviewer.gui.grid.layout import MOST_STREAMS
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.options import ViewerOptions
from kpviewer.installation.qt_libraries import has_display, require_libraries
from kpviewer.models.tables import shown
from kpviewer.runtime.process.threads import is_main_thread
from kpviewer.shipped import DEFAULT_MODEL

if TYPE_CHECKING:
    from kpviewer.gui.opening.loaders import Loaders, ViewerEngine
    from kpviewer.models.base import Detector
    from kpviewer.runtime.model import Model
    from kpviewer.sources.base import FrameSource, GroundTruthProvider

OneSource: TypeAlias = "str | Path | int | FrameSource"
"""A source by its name or number, or as an object."""
_OBJECT = "{} (Python)"
"""Name that the window shows for a Python object."""
_SECONDS_MAX = 1_000_000
"""About 11 days; a Qt timer is limited to 24."""
_SIGNALLED = 128
"""Exit codes above it are the number of a signal plus this one."""


def view(
    source: OneSource | Sequence[OneSource] | None = None,
    model: str | Path | Detector | Model = DEFAULT_MODEL,
    *,
    device: str = "auto",
    seconds: float | None = None,
) -> None:
    """Open the window and return when it is closed. Main thread only.

    The window saves its settings as usual, except with an object as source or model.

    Args:
        source: as for ``stream``; a list of up to 16 is shown in a grid.
        model: as for ``stream``.
        device: auto, cpu, cuda, cuda:N or mps; auto keeps a loaded model on its device.
        seconds: close after this many seconds; None waits for the user.

    Raises:
        InputError: if an argument has the wrong type or value.
        KpviewerError: if no window can be opened, or, with ``seconds``, if the source failed.
    """
    if not is_main_thread():
        raise KpviewerError("kpviewer.view must be called on the main thread, as Qt requires.")
    if not has_display():
        raise KpviewerError(
            "There is no display to open a window on. Use kpviewer.stream and kpviewer.draw."
        )
    require_libraries()
    if seconds is not None and not (isinstance(seconds, Real) and 0 <= seconds <= _SECONDS_MAX):
        raise InputError(f"seconds must be from 0 to {_SECONDS_MAX:,}, got {shown(seconds)}.")
    sources = source if isinstance(source, list | tuple) else (source,)
    names, objects = _named(cast("Sequence[OneSource | None]", sources))
    options = ViewerOptions(
        source=names[0] if len(names) == 1 else None,
        sources=() if len(names) == 1 else tuple(name or "" for name in names),
        model=str(model),
        device=str(device),
        seconds=seconds,
        settings_folder=None if objects else settings_folder(),
        given=frozenset({"model"} if device == "auto" else {"model", "device"}),
    )
    loaders = _with_sources(LOADERS, objects)
    if not isinstance(model, str | Path):
        options, loaders = _with_model(options, loaders, model)
    code = run_viewer(options, loaders=loaders, ends_process=False)
    if code > _SIGNALLED:  # pass a signal that ended the window on to the program
        signal.raise_signal(code - _SIGNALLED)


def _named(
    sources: Sequence[OneSource | None],
) -> tuple[list[str | None], dict[str, FrameSource]]:
    """Return the names of sources for the window, and the objects among them by their names.

    Raises:
        InputError: if there is none, if there are too many, if one isn't a source, or if an object
            is there twice.
    """
    if not 1 <= len(sources) <= MOST_STREAMS:
        raise InputError(f"A window shows 1 to {MOST_STREAMS} sources, got {len(sources)}.")
    if len(sources) > 1 and None in sources:
        raise InputError("None, the first camera, must be the only source. Name the camera: 0.")
    names: list[str | None] = []
    objects: dict[str, FrameSource] = {}
    kinds: Counter[str] = Counter()
    for source in sources:
        kind = named_source(source)
        name = text_of(source)
        if source is not None and not isinstance(source, str | Path | int):
            if any(each is source for each in objects.values()):
                raise InputError(f"Each source can be shown once, got the same {kind} twice.")
            kinds[kind] += 1  # classes may have one name, such as those of two runs of a cell
            name = _OBJECT.format(kind if kinds[kind] == 1 else f"{kind} {kinds[kind]}")
            objects[name] = source
        names.append(name)
    return names, objects


def _with_sources(loaders: Loaders, objects: Mapping[str, FrameSource]) -> Loaders:
    """Return loaders that map names to objects; other sources open as usual."""

    def open_it(text: str | None, ground_truth: GroundTruthProvider | None) -> FrameSource:
        found = objects.get(text or "")
        return found if found is not None else loaders.open_source(text, ground_truth)

    return replace(loaders, open_source=open_it)


def _with_model(
    options: ViewerOptions, loaders: Loaders, given: Detector | Model
) -> tuple[ViewerOptions, Loaders]:
    """Return options and loaders that map a name to the model; other models load as usual."""
    from kpviewer.api.detecting import load  # noqa: PLC0415 - a model by name comes later
    from kpviewer.runtime.model import Model  # noqa: PLC0415

    model = given if isinstance(given, Model) else load(given, device=options.device)
    name = _OBJECT.format(model.spec.name)

    def load_it(
        text: str, device: str, source_hw: tuple[int, int], backend: str, precision: str
    ) -> ViewerEngine:
        if text != name:
            return loaders.load_variant(text, device, source_hw, backend, precision)
        is_wanted = (device, backend, precision) == (options.device, "auto", "auto")
        is_as_given = is_wanted and device in ("auto", model.device)
        engine = model if is_as_given else Model(model.detector, device, precision, backend)
        engine.warm_up(source_hw)
        return engine

    by_name = replace(options, model=name, settings_folder=None)
    return by_name, replace(
        loaders,
        load_engine=lambda text, device, size: load_it(text, device, size, "auto", "auto"),
        load_variant=load_it,
        load_first=None,
    )
