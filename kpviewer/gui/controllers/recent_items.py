"""Part of a menu that lists recent sources or models."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.language import tr
from kpviewer.gui.settings.recent import Recent
from kpviewer.gui.widgets.menu_entries import add_entry, add_note

LONGEST_FOLDER = 32
"""Greatest length of the folder beside a name, in characters."""


def add_recent(
    menu: QMenu,
    icon_name: str,
    recent: Recent,
    choose: Callable[[str], None],
    present: str = "",
    title_of: Callable[[str], str | None] = lambda _item: None,
) -> None:
    """Add the items to a menu, and an entry that clears them."""
    if not recent.items:
        return
    menu.setToolTipsVisible(True)
    add_note(menu, tr("Recent"))
    for item in recent.items:
        label, is_present = title_of(item) or _label(item), item == present or None
        add_entry(menu, label, partial(choose, item), icon_name, is_on=is_present, tip=item)
    menu.addSeparator()
    add_entry(menu, tr("Clear recent"), recent.clear)
    menu.addSeparator()


def _label(item: str) -> str:
    """Return the name and, after a tab, its folder; Qt shows text after a tab on the right."""
    path = Path(item)
    is_file = path.is_absolute()
    folder = str(path.parent) if is_file else ""
    if len(folder) > LONGEST_FOLDER:
        folder = f"…{folder[1 - LONGEST_FOLDER :]}"
    name = path.name if is_file else item
    if len(name) > 2 * LONGEST_FOLDER:
        name = f"{name[:LONGEST_FOLDER]}…{name[-LONGEST_FOLDER:]}"
    text = name.replace("\t", " ")
    return f"{text}\t{folder}" if folder else text
