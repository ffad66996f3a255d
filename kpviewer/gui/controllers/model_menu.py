"""Menu of models, filled each time it opens; the present one is ticked."""

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.everyday import EverydayObjects
from kpviewer.gui.controllers.opener import ModelOpener
from kpviewer.gui.controllers.recent_items import add_recent
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.opening.model_names import (
    TITLES,
    input_side,
    larger_input,
    shipped_models,
    title_of,
    usual_input,
)
from kpviewer.gui.settings.recent import Recent
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu
from kpviewer.models.opening.weight_files import EVERYDAY_OBJECTS
from kpviewer.runtime.choosing.choices import BackendChoice

DEVICES = {"auto": tr_noop("Automatic"), "cpu": "CPU"}
"""Devices that are always available, by their names on the command line."""


class ModelMenu(QObject):
    """Fills the menu with models and backends."""

    def __init__(
        self,
        menu: QMenu,
        opener: ModelOpener,
        everyday: EverydayObjects,
        memory: WindowMemory,
        ask: Callable[[Act], None],
        add_more: Callable[[QMenu, Recent], None] | None = None,
    ) -> None:
        super().__init__(menu)
        self._add_more = add_more
        self._menu, self._opener, self._everyday = menu, opener, everyday
        self._memory, self._ask = memory, ask
        menu.aboutToShow.connect(self._fill)

    @property
    def _present(self) -> str:
        """Name of the present model; empty before one is loaded."""
        loaded = self._opener.models.loaded
        return loaded.model if loaded is not None else ""

    def _fill(self) -> None:
        menu, opener, recent = self._menu, self._opener, self._memory.recent_models()
        present = self._present
        menu.clear()
        menu.setToolTipsVisible(True)
        usual = usual_input(present) or present
        for name, classes in sorted(shipped_models(), key=lambda each: _place(each[0])):
            count = (tr("{n} class") if classes == 1 else tr("{n} classes")).format(n=classes)
            text = f"{title_of(name) or name}\t{count}"
            choose, is_on = partial(opener.choose_model, name), name == usual
            add_entry(menu, text, choose, "model", is_on=is_on)
        self._add_everyday(usual)
        menu.addSeparator()
        self._add_larger_input()
        menu.addSeparator()
        add_recent(menu, "model", recent, opener.choose_model, present, title_of)
        label = with_key(Act.OPEN_MODEL, f"{tr(Act.OPEN_MODEL.value.text)}…")
        add_entry(menu, label, lambda: self._ask(Act.OPEN_MODEL), "folder")
        _add_device_menu(menu, opener.models)
        _add_backend_menu(menu, opener.models)
        if self._add_more is not None:
            self._add_more(menu, recent)

    def _add_everyday(self, present: str) -> None:
        size = tr("{size:.0f} MB, downloaded once · BSD-3-Clause, COCO").format(
            size=EVERYDAY_OBJECTS.size_bytes / 1e6
        )
        text = f"{tr('Everyday objects · 80 classes')}\t{size}"
        is_on = EVERYDAY_OBJECTS.model == present
        add_entry(self._menu, text, self._everyday.choose, "model", is_on=is_on)

    def _add_larger_input(self) -> None:
        """Add the switch, if the present model's input can be larger."""
        present, engine = self._present, self._opener.models.engine
        other = usual_input(present)
        is_on = other is not None
        if engine is not None and other is None:
            other = larger_input(present, engine.spec)
        if other is None:
            return
        side = input_side(present if is_on else other)
        text = f"{tr('Larger input, for far and small objects')}\t{side} px"
        choose = partial(self._opener.choose_model, other)
        add_entry(self._menu, text, choose, "model", is_on=is_on)


def _place(name: str) -> int:
    """Return the place of a shipped model in the menu: models with titles are in their order."""
    names = list(TITLES)
    return names.index(name) if name in names else len(names)


def _add_device_menu(model_menu: QMenu, models: ModelLoading) -> None:
    """Add the submenu of the devices, the current one ticked; torch must know the GPUs first."""
    menu = add_submenu(model_menu, tr("Device"), "device")
    current, choice, engine = models.current, models.choice, models.engine
    device = (models.asked if models.loading else models.loaded or models.asked).device
    asides = {
        "auto": engine.device_name if engine and device == "auto" else "",
        "cpu": "",
    }
    anywhere = choice if choice is not None and not choice.device else None
    for name, label in {**DEVICES, **(current.devices if current else {})}.items():
        use, is_on = partial(models.use, name, anywhere), name == device
        text = "\t".join(filter(None, (tr(label), asides.get(name, name))))
        add_entry(menu, text, use, is_on=is_on, tip=tr(label))
    if current is None:
        add_note(menu, tr("GPUs are listed once a model is loaded"), "device")
    elif current.devices.keys() <= DEVICES.keys():
        add_note(menu, tr("No GPU found"), "device")


def _add_backend_menu(menu: QMenu, models: ModelLoading) -> None:
    """Add the submenu of the backends that run the present model here, the chosen one ticked."""
    submenu = add_submenu(menu, tr("Backend"), "device")
    current, engine = models.current, models.engine
    running = f"{engine.backend} {engine.precision}" if engine and models.choice is None else ""

    def add(text: str, choice: BackendChoice | None) -> None:
        use = partial(models.use, models.asked.device, choice)
        add_entry(submenu, text, use, is_on=choice == models.choice)

    add(f"{tr('Automatic')}\t{running}".strip(), None)
    submenu.addSeparator()
    if current is None:
        add_note(submenu, tr("Backends are listed once a model is loaded"), "device")
        return
    labels = {**DEVICES, **current.devices}
    for choice in current.backends:
        add(f"{choice.label}\t{tr(labels.get(choice.device, choice.device))}", choice)
