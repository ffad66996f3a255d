"""Menus of devices and backends, filled when they open, and parts of other menus."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PyQt6.QtWidgets import QMenu

from kpviewer.errors import KpviewerError
from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.widgets.icons import icon
from kpviewer.gui.widgets.plain_text import plain_tip, without_mnemonic
from kpviewer.models.opening.catalogue import available_models
from kpviewer.runtime.choosing.choices import BackendChoice

DEVICES = {"auto": tr_noop("Automatic"), "cpu": "CPU"}
"""Devices that are always available, by their names on the command line."""

Ask = Callable[[Act], None]

_log = logging.getLogger(__name__)


def add_device_menu(model_menu: QMenu, models: ModelLoading) -> None:
    """Add the submenu of the devices, the current one ticked; torch must know the GPUs first."""
    menu = model_menu.addMenu(icon("device"), tr("Device"))
    if menu is None:
        return
    current, choice = models.current, models.choice
    anywhere = choice if choice is not None and not choice.device else None
    for name, label in {**DEVICES, **(current.devices if current else {})}.items():
        action = menu.addAction(f"{without_mnemonic(tr(label))}\t{name}")
        if action is not None:
            action.setToolTip(plain_tip(tr(label)))
            action.setCheckable(True)
            action.setChecked(name == models.device)
            action.triggered.connect(lambda _checked, name=name: models.use(name, anywhere))
    if current is None:
        add_note(menu, tr("GPUs are listed once a model is loaded"))
    elif current.devices.keys() <= DEVICES.keys():
        add_note(menu, tr("No GPU found"))


def add_backend_menu(menu: QMenu, models: ModelLoading) -> None:
    """Add the submenu of the backends that run the present model here, the chosen one ticked."""
    submenu = menu.addMenu(icon("device"), tr("Backend"))
    if submenu is None:
        return
    current, engine = models.current, models.engine
    running = f"{engine.backend} {engine.precision}" if engine and models.choice is None else ""
    _add_backend(submenu, f"{tr('Automatic')}\t{running}".strip(), models, None)
    submenu.addSeparator()
    if current is None:
        add_note(submenu, tr("Backends are listed once a model is loaded"))
        return
    labels = {**DEVICES, **current.devices}
    for choice in current.backends:
        device = without_mnemonic(tr(labels.get(choice.device, choice.device)))
        _add_backend(submenu, f"{choice.label}\t{device}", models, choice)


def _add_backend(
    menu: QMenu, text: str, models: ModelLoading, choice: BackendChoice | None
) -> None:
    action = menu.addAction(text)
    if action is not None:
        action.setCheckable(True)
        action.setChecked(choice == models.choice)
        action.triggered.connect(lambda _checked: models.use(models.device, choice))


def shipped_models() -> list[tuple[str, int]]:
    """Return names and numbers of classes of the shipped models; empty if they are unreadable."""
    try:
        return [(model.runnable_name, len(model.spec.class_names)) for model in available_models()]
    except KpviewerError as error:
        _log.warning("%s", error)
        return []


def add_to(
    menu: QMenu, name: str, text: str, run: Callable[[], None], is_on: bool | None = None
) -> None:
    """Add an entry with an icon; with ``is_on`` it can be ticked, and shows a tick for an icon."""
    action = menu.addAction(text) if is_on else menu.addAction(icon(name), text)
    if action is not None:
        action.setToolTip(plain_tip(action.text()))
        if is_on is not None:
            action.setCheckable(True)
            action.setChecked(is_on)
        action.triggered.connect(lambda _checked: run())


def add_note(menu: QMenu, text: str, name: str = "device") -> None:
    """Add an entry that can't be chosen."""
    action = menu.addAction(icon(name), text)
    if action is not None:
        action.setEnabled(False)
