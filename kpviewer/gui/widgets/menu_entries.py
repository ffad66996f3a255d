"""Entries of menus. Qt's own ``addAction`` and ``addMenu`` may return None, says its stubs."""

from collections.abc import Callable

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.widgets.icons import icon
from kpviewer.gui.widgets.plain_text import plain_tip, without_mnemonic


def add_entry(
    menu: QMenu,
    text: str,
    run: Callable[[], object],
    icon_name: str = "",
    *,
    is_on: bool | None = None,
    tip: str = "",
) -> QAction:
    """Add an entry that runs a function.

    Args:
        menu: menu to extend.
        text: plain text; what follows a tab is shown on the right.
        run: function to run.
        icon_name: its icon; a tick is shown in its place.
        is_on: whether the entry is ticked; None: it can't be.
        tip: its tooltip; empty: its text.
    """
    action = _added(menu, text, "" if is_on else icon_name)
    action.setToolTip(plain_tip(tip or text))
    action.setCheckable(is_on is not None)
    action.setChecked(bool(is_on))
    action.triggered.connect(lambda _checked: run())
    return action


def add_note(menu: QMenu, text: str, icon_name: str = "") -> None:
    """Add an entry that can't be chosen; under a style sheet, Qt draws no text of a section."""
    _added(menu, text, icon_name).setEnabled(False)


def add_submenu(menu: QMenu, text: str, icon_name: str = "") -> QMenu:
    """Add an empty menu."""
    submenu = QMenu(text, menu)
    submenu.setToolTipsVisible(menu.toolTipsVisible())
    if icon_name:
        submenu.setIcon(icon(icon_name))
    menu.addMenu(submenu)
    return submenu


def _added(menu: QMenu, text: str, icon_name: str) -> QAction:
    action = QAction(without_mnemonic(text), menu)
    if icon_name:
        action.setIcon(icon(icon_name))
    menu.addAction(action)
    return action
