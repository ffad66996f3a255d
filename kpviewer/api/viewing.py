"""The window, for a program that continues after it is closed."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kpviewer.api.arguments import named_source, text_of
from kpviewer.config_files import settings_folder
from kpviewer.errors import KpviewerError
from kpviewer.gui.app import run_viewer
from kpviewer.gui.opening.own_loaders import LOADERS
from kpviewer.gui.options import ViewerOptions
from kpviewer.installation.qt_libraries import has_display, require_libraries
from kpviewer.runtime.threads import is_main_thread
from kpviewer.shipped import DEFAULT_MODEL

if TYPE_CHECKING:
    from kpviewer.gui.opening.loaders import Loaders, ViewerEngine
    from kpviewer.models.base import Detector
    from kpviewer.runtime.model import Model
    from kpviewer.sources.base import FrameSource, GroundTruthProvider

_OBJECT = "{} (Python)"
"""Name that the window shows for a Python object."""
_SIGNALLED = 128
"""Exit codes above it are the number of a signal plus this one."""


def view(
    source: str | Path | int | FrameSource | None = None,
    model: str | Path | Detector | Model = DEFAULT_MODEL,
    *,
    device: str = "auto",
    seconds: float | None = None,
) -> None:
    """Open the window and return when it is closed. Main thread only.

    The window saves its settings as usual, except with an object as source or model.

    Args:
        source: as for ``stream``.
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
    options = ViewerOptions(
        source=text_of(source),
        model=str(model),
        device=str(device),
        seconds=seconds,
        settings_folder=settings_folder(),
        given=frozenset({"model"} if device == "auto" else {"model", "device"}),
    )
    name = named_source(source)
    loaders = LOADERS
    if source is not None and not isinstance(source, str | Path | int):
        options = replace(options, source=_OBJECT.format(name), settings_folder=None)
        loaders = _with_source(loaders, source, _OBJECT.format(name))
    if not isinstance(model, str | Path):
        options, loaders = _with_model(options, loaders, model)
    code = run_viewer(options, loaders=loaders, ends_process=False)
    if code > _SIGNALLED:  # pass a signal that ended the window on to the program
        signal.raise_signal(code - _SIGNALLED)


def _with_source(loaders: Loaders, source: FrameSource, name: str) -> Loaders:
    """Return loaders that map the name to the source; other sources open as usual."""

    def open_it(text: str | None, ground_truth: GroundTruthProvider | None) -> FrameSource:
        return source if text == name else loaders.open_source(text, ground_truth)

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
        is_as_given = (device, backend, precision) == (options.device, "auto", "auto")
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
