"""Menu of languages; a choice takes effect at the next start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.language import languages, tr
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.gui.widgets.menu_entries import add_entry, add_submenu


def add_language_menu(menu: QMenu, store: SettingsStore, say: Callable[[str], None]) -> None:
    """Add the submenu; each language is listed by its own name."""

    def choose(code: str | None) -> None:
        store.edit(lambda settings: replace(settings, language=code))
        say(tr("The language changes at the next start."))

    submenu, known = add_submenu(menu, tr("Language")), languages()
    chosen = store.current.language
    chosen = chosen if chosen in known else None
    for code, name in ((None, tr("As the system")), *known.items()):
        add_entry(submenu, name, partial(choose, code), is_on=code == chosen)
