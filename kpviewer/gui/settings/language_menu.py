"""The menu of languages; the choice counts from the next start on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.language import languages, tr

if TYPE_CHECKING:
    from kpviewer.gui.main_window import MainWindow


def add_language_menu(menu: QMenu, window: MainWindow) -> None:
    """Add the submenu; each language is named in itself, so that its readers find it."""
    submenu = menu.addMenu(tr("Language"))
    if submenu is None:
        return
    known = languages()
    chosen = window.memory.store.current.language
    chosen = chosen if chosen in known else None
    for code, name in ((None, tr("As the system")), *known.items()):
        action = QAction(name, submenu)
        action.setCheckable(True)
        action.setChecked(code == chosen)
        action.triggered.connect(partial(_choose, window, code))
        submenu.addAction(action)


def _choose(window: MainWindow, code: str | None, _checked: bool) -> None:
    window.memory.store.edit(lambda settings: replace(settings, language=code))
    window.status_bar.show_message(tr("The language changes at the next start."))
