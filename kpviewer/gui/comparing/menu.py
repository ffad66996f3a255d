"""Submenu that chooses a model to compare with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.menus import shipped_models
from kpviewer.gui.opening.dialogs import ask_for_model
from kpviewer.gui.opening.model_titles import title_of
from kpviewer.gui.opening.opener import Opener
from kpviewer.gui.settings.recent import Recent, add_heading, add_recent
from kpviewer.gui.widgets.icons import icon
from kpviewer.gui.widgets.plain_text import without_mnemonic

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
    submenu = menu.addMenu(icon("model"), tr("Compare with…"))
    if submenu is None:
        return
    if opener.compare.is_on:
        _add(submenu, tr("Stop comparing"), opener.compare.stop)
        submenu.addSeparator()
    for name, _classes in shipped_models():
        _add(submenu, title_of(name) or name, partial(compare, name))
    add_recent(submenu, "model", recent, compare, title_of=title_of)
    submenu.addSeparator()
    add_heading(submenu, tr("The same model"))
    for variant, text in VARIANTS.items():
        _add(submenu, tr(text), partial(compare, variant))
    submenu.addSeparator()
    _add(
        submenu,
        tr("Open file…"),
        lambda: compare(ask_for_model(menu.parentWidget() or menu, recent)),
    )


def _add(menu: QMenu, text: str, run: Callable[[], None]) -> None:
    action = QAction(without_mnemonic(text), menu)
    action.triggered.connect(lambda _checked: run())
    menu.addAction(action)
