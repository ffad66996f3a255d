"""The menus of source, model and device: filled when they open, as cameras come and go."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtWidgets import QFileDialog, QMenu, QWidget

from kpviewer.errors import KpviewerError
from kpviewer.gui.cameras import Cameras
from kpviewer.gui.icons import icon
from kpviewer.gui.keys import Act
from kpviewer.gui.model_loading import ModelLoading
from kpviewer.gui.recent import Recent, add_recent
from kpviewer.models.catalogue import available_models

VIDEO_FILTER = (
    "Videos and pictures "
    "(*.mp4 *.mkv *.mov *.avi *.webm *.m4v *.ts *.jpg *.jpeg *.png *.bmp *.webp)"
    ";;All files (*)"
)
MODEL_SUFFIXES = (".safetensors", ".onnx", ".pt", ".pth")
MODEL_FILTER = f"Models ({' '.join('*' + suffix for suffix in MODEL_SUFFIXES)});;All files (*)"

DEVICES = {"auto": "Automatic", "cpu": "CPU"}
"""Those that are always there, by their names on the command line."""

Choose = Callable[[str], None]
Ask = Callable[[Act], None]

_log = logging.getLogger(__name__)


def fill_source_menu(
    menu: QMenu, choose: Choose, ask: Ask, cameras: Cameras | None, recent: Recent
) -> None:
    """List the demo, the cameras (None: not known yet), the last ones, and the ways to open one."""
    menu.clear()
    _add(menu, "demo", "Demo", lambda: choose("demo"))
    menu.addSeparator()
    for index, name in cameras or ():
        _add(menu, "camera", name, partial(choose, str(index)))
    if not cameras:
        text = "Looking for cameras …" if cameras is None else "No camera found"
        _add_note(menu, text, "camera")
    menu.addSeparator()
    add_recent(menu, "file", recent, choose)
    ways = (("file", Act.OPEN_FILE), ("folder", Act.OPEN_FOLDER), ("paste", Act.PASTE))
    for name, act in ways:
        more = "" if act is Act.PASTE else "…"  # a dialog follows
        label = f"{act.value.text}{more}\t{act.value.keys[0]}"
        _add(menu, name, label, partial(ask, act))


def fill_model_menu(menu: QMenu, choose: Choose, ask: Ask, recent: Recent) -> None:
    """List the shipped models, the last others, and the way to open one."""
    menu.clear()
    for name, classes in shipped_models():
        noun = "class" if classes == 1 else "classes"
        _add(menu, "model", f"{name}\t{classes} {noun}", partial(choose, name))
    menu.addSeparator()
    add_recent(menu, "model", recent, choose)
    label = f"{Act.OPEN_MODEL.value.text}…\t{Act.OPEN_MODEL.value.keys[0]}"
    _add(menu, "folder", label, lambda: ask(Act.OPEN_MODEL))


def fill_device_menu(menu: QMenu, models: ModelLoading) -> None:
    """List where the model can run, the present choice ticked; GPUs once torch can name them."""
    menu.clear()
    for name, label in {**DEVICES, **(models.devices or {})}.items():
        action = menu.addAction(f"{label}\t{name}")
        if action is not None:
            action.setCheckable(True)
            action.setChecked(name == models.device)
            action.triggered.connect(lambda _checked, name=name: models.use_device(name))
    if models.devices is None:
        _add_note(menu, "GPUs are listed once a model is loaded")
    elif models.devices.keys() <= DEVICES.keys():
        _add_note(menu, "No GPU found")


def shipped_models() -> list[tuple[str, int]]:
    """Name the shipped models with their number of classes; none if they can't be read."""
    try:
        return [(model.name, len(model.spec.class_names)) for model in available_models()]
    except KpviewerError as error:
        _log.warning("%s", error)
        return []


def ask_for_file(parent: QWidget) -> str:
    """Let the user choose a video or picture; empty if they don't."""
    home = str(Path.home())
    return QFileDialog.getOpenFileName(parent, "Open file", home, VIDEO_FILTER)[0]


def ask_for_folder(parent: QWidget) -> str:
    """Let the user choose a folder of pictures; empty if they don't."""
    return QFileDialog.getExistingDirectory(parent, "Open folder", str(Path.home()))


def ask_for_model(parent: QWidget) -> str:
    """Let the user choose a weight file; empty if they don't."""
    return QFileDialog.getOpenFileName(parent, "Open model", str(Path.home()), MODEL_FILTER)[0]


def _add(menu: QMenu, name: str, text: str, run: Callable[[], None]) -> None:
    action = menu.addAction(icon(name), text)
    if action is not None:
        action.triggered.connect(lambda _checked: run())


def _add_note(menu: QMenu, text: str, name: str = "device") -> None:
    """Add a line that can't be chosen."""
    action = menu.addAction(icon(name), text)
    if action is not None:
        action.setEnabled(False)
