"""The menus of model and device, filled when they open; and dialogs that ask for files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PyQt6.QtWidgets import QFileDialog, QMenu, QWidget

from kpviewer.annotations.beside import TRUTH_SUFFIXES, spec_of_file
from kpviewer.errors import KpviewerError
from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.settings.recent import MODEL_SUFFIXES, Recent, add_recent
from kpviewer.gui.widgets.icons import icon
from kpviewer.models.catalogue import available_models

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".ts")
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
_WATCHED = VIDEO_SUFFIXES + PICTURE_SUFFIXES
DEVICES = {"auto": tr_noop("Automatic"), "cpu": "CPU"}
"""Those that are always there, by their names on the command line."""

Choose = Callable[[str], None]
Ask = Callable[[Act], None]

_log = logging.getLogger(__name__)


def fill_model_menu(menu: QMenu, choose: Choose, ask: Ask, recent: Recent) -> None:
    """List the shipped models, the last others, and the way to open one."""
    menu.clear()
    for name, classes in shipped_models():
        count = (tr("{n} class") if classes == 1 else tr("{n} classes")).format(n=classes)
        add_to(menu, "model", f"{name}\t{count}", partial(choose, name))
    menu.addSeparator()
    add_recent(menu, "model", recent, choose)
    label = f"{tr(Act.OPEN_MODEL.value.text)}…\t{Act.OPEN_MODEL.value.keys[0]}"
    add_to(menu, "folder", label, lambda: ask(Act.OPEN_MODEL))


def fill_device_menu(menu: QMenu, models: ModelLoading) -> None:
    """List where the model can run, the present choice ticked; GPUs once torch can name them."""
    menu.clear()
    for name, label in {**DEVICES, **(models.devices or {})}.items():
        action = menu.addAction(f"{tr(label)}\t{name}")
        if action is not None:
            action.setCheckable(True)
            action.setChecked(name == models.device)
            action.triggered.connect(lambda _checked, name=name: models.use_device(name))
    if models.devices is None:
        add_note(menu, tr("GPUs are listed once a model is loaded"))
    elif models.devices.keys() <= DEVICES.keys():
        add_note(menu, tr("No GPU found"))


def shipped_models() -> list[tuple[str, int]]:
    """Name the shipped models with their number of classes; none if they can't be read."""
    try:
        return [(model.watched_as, len(model.spec.class_names)) for model in available_models()]
    except KpviewerError as error:
        _log.warning("%s", error)
        return []


def ask_for_file(parent: QWidget) -> str:
    """Let the user choose a video or picture; empty if they don't."""
    home, kinds = str(Path.home()), _filter(tr("Videos and pictures"), _WATCHED)
    return QFileDialog.getOpenFileName(parent, tr("Open file"), home, kinds)[0]


def ask_for_folder(parent: QWidget) -> str:
    """Let the user choose a folder of pictures; empty if they don't."""
    return QFileDialog.getExistingDirectory(parent, tr("Open folder"), str(Path.home()))


def ask_for_model(parent: QWidget) -> str:
    """Let the user choose a weight file; empty if they don't."""
    home, kinds = str(Path.home()), _filter(tr("Models"), MODEL_SUFFIXES)
    return QFileDialog.getOpenFileName(parent, tr("Open model"), home, kinds)[0]


def ask_for_truth(parent: QWidget, source: str | None) -> str:
    """Let the user choose annotations of a source; gives their specification, or nothing."""
    place = Path(source) if source and Path(source).exists() else Path.home()
    start, kinds = str(place), _filter(tr("Annotations"), TRUTH_SUFFIXES)
    chosen = QFileDialog.getOpenFileName(parent, tr("Open truth"), start, kinds)[0]
    return spec_of_file(Path(chosen), place) if chosen else ""


def _filter(name: str, suffixes: Iterable[str]) -> str:
    """Write a file dialog's choice of kinds."""
    everything = tr("All files")
    return f"{name} ({' '.join('*' + suffix for suffix in suffixes)});;{everything} (*)"


def add_to(menu: QMenu, name: str, text: str, run: Callable[[], None]) -> None:
    """Add a line with an icon."""
    action = menu.addAction(icon(name), text)
    if action is not None:
        action.triggered.connect(lambda _checked: run())


def add_note(menu: QMenu, text: str, name: str = "device") -> None:
    """Add a line that can't be chosen."""
    action = menu.addAction(icon(name), text)
    if action is not None:
        action.setEnabled(False)
