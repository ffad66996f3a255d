"""Submenu that chooses a model to compare with."""

from __future__ import annotations

from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.recent_items import add_recent
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.opening.model_names import shipped_models, title_of
from kpviewer.gui.settings.recent import Recent
from kpviewer.gui.views.dialogs.questions import ask_for_model
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu

VARIANTS = {
    "torch": tr_noop("in torch"),
    "openvino": tr_noop("in OpenVINO"),
    "fp32": tr_noop("in single precision (fp32)"),
    "bf16": tr_noop("in half precision (bf16)"),
    "fp16": tr_noop("in half precision (fp16)"),
    "int8": tr_noop("in 8-bit integers (int8)"),
}


def add_compare_menu(opener: Opener, menu: QMenu, recent: Recent) -> None:
    """Add the submenu to the menu of models."""
    compare = opener.compare_with
    menu.addSeparator()
    submenu = add_submenu(menu, tr("Compare with…"), "model")
    if opener.compare.is_on:
        add_entry(submenu, tr("Stop comparing"), opener.compare.stop)
        submenu.addSeparator()
    loaded = opener.models.loaded
    for name, _classes in shipped_models():
        if loaded is None or name != loaded.model:  # with itself nothing differs
            add_entry(submenu, title_of(name) or name, partial(compare, name))
    add_recent(submenu, "model", recent, compare, title_of=title_of)
    submenu.addSeparator()
    add_note(submenu, tr("The same model"))
    for variant, text in VARIANTS.items():
        add_entry(submenu, tr(text), partial(compare, variant))
    submenu.addSeparator()
    parent = menu.parentWidget() or menu
    add_entry(submenu, tr("Open model…"), lambda: compare(ask_for_model(parent, recent)))
