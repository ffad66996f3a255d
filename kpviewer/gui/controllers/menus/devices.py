"""Menus of devices and backends, filled when they open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu
from kpviewer.runtime.choosing.choices import BackendChoice

DEVICES = {"auto": tr_noop("Automatic"), "cpu": "CPU"}
"""Devices that are always available, by their names on the command line."""

Ask = Callable[[Act], None]


def add_device_menu(model_menu: QMenu, models: ModelLoading) -> None:
    """Add the submenu of the devices, the current one ticked; torch must know the GPUs first."""
    menu = add_submenu(model_menu, tr("Device"), "device")
    current, choice, engine = models.current, models.choice, models.engine
    asides = {"auto": engine.device_name if engine and models.device == "auto" else "", "cpu": ""}
    anywhere = choice if choice is not None and not choice.device else None
    for name, label in {**DEVICES, **(current.devices if current else {})}.items():
        use, is_on = partial(models.use, name, anywhere), name == models.device
        text = "\t".join(filter(None, (tr(label), asides.get(name, name))))
        add_entry(menu, text, use, is_on=is_on, tip=tr(label))
    if current is None:
        add_note(menu, tr("GPUs are listed once a model is loaded"), "device")
    elif current.devices.keys() <= DEVICES.keys():
        add_note(menu, tr("No GPU found"), "device")


def add_backend_menu(menu: QMenu, models: ModelLoading) -> None:
    """Add the submenu of the backends that run the present model here, the chosen one ticked."""
    submenu = add_submenu(menu, tr("Backend"), "device")
    current, engine = models.current, models.engine
    running = f"{engine.backend} {engine.precision}" if engine and models.choice is None else ""

    def add(text: str, choice: BackendChoice | None) -> None:
        use = partial(models.use, models.device, choice)
        add_entry(submenu, text, use, is_on=choice == models.choice)

    add(f"{tr('Automatic')}\t{running}".strip(), None)
    submenu.addSeparator()
    if current is None:
        add_note(submenu, tr("Backends are listed once a model is loaded"), "device")
        return
    labels = {**DEVICES, **current.devices}
    for choice in current.backends:
        add(f"{choice.label}\t{tr(labels.get(choice.device, choice.device))}", choice)
