"""Menus of a grid: adding and removing streams, and the actions of a tile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr
from kpviewer.gui.menus import Ask, add_note, add_to
from kpviewer.gui.settings.recent import add_recent
from kpviewer.gui.widgets.plain_text import without_mnemonic

if TYPE_CHECKING:
    from kpviewer.gui.grid.grid_view import GridView
    from kpviewer.gui.grid.opener import GridOpener
    from kpviewer.gui.grid.tile import Tile
    from kpviewer.gui.opening.cameras import Devices
    from kpviewer.gui.settings.memory import WindowMemory

_ENTRIES = (
    ("file", Act.OPEN_FILE),
    ("folder", Act.OPEN_FOLDER),
    ("camera", Act.OPEN_URL),
    ("paste", Act.PASTE),
)


class StreamMenu(QObject):
    """Fills the menu of streams each time it opens, as cameras come and go.

    Args:
        menu: menu to fill.
        opener: adds streams.
        memory: knows the recent sources.
        ask: runs an act.
        grid: has the tiles that can be removed.
    """

    def __init__(
        self,
        menu: QMenu,
        opener: GridOpener,
        memory: WindowMemory,
        ask: Ask,
        grid: GridView,
    ) -> None:
        super().__init__(menu)
        self._menu, self._opener, self._memory, self._ask = menu, opener, memory, ask
        self._grid = grid
        menu.aboutToShow.connect(self._on_about_to_show)

    def _on_about_to_show(self) -> None:
        """Show the devices that were found last, then search and update the menu."""
        shown = self._opener.cameras.known
        self._fill(shown)
        self._opener.cameras.ask(lambda found: None if found == shown else self._fill(found))

    def _fill(self, devices: Devices | None) -> None:
        menu, room = self._menu, self._opener.session.room
        menu.clear()
        add_note(menu, tr("Add a stream") if room else tr("The grid is full"), "grid")
        if room:
            self._add_sources(devices)
        menu.addSeparator()
        removing = menu.addMenu(tr("Remove a stream"))
        if removing is not None:
            removing.setEnabled(bool(self._grid.tiles))
            for tile in self._grid.tiles:
                name = without_mnemonic(tile.name)
                add_to(removing, "close", name, partial(self._grid.remove_asked.emit, tile))

    def _add_sources(self, devices: Devices | None) -> None:
        menu = self._menu

        def add(text: str) -> None:
            self._opener.add([text])

        add_to(menu, "demo", tr("Demo"), partial(add, "demo"))
        cameras = devices.cameras if devices is not None else ()
        for camera in cameras:
            add_to(menu, "camera", without_mnemonic(camera.name), partial(add, camera.source))
        if not cameras:
            text = tr("Looking for cameras …") if devices is None else tr("No camera found")
            add_note(menu, text, "camera")
        for screen in devices.screens if devices is not None else ():
            add_to(menu, "panel", without_mnemonic(screen.name), partial(add, screen.source))
        menu.addSeparator()
        add_recent(menu, "file", self._memory.recent_sources(), add)
        for name, act in _ENTRIES:
            more = "" if act is Act.PASTE else "…"  # a dialog follows
            label = with_key(act, f"{tr(act.value.text)}{more}")
            add_to(menu, name, label, partial(self._ask, act))


def tile_menu(tile: Tile, entries: list[tuple[str, str, Callable[[], None]]]) -> QMenu:
    """Return the menu of a tile.

    Args:
        tile: tile that the menu is about; the menu is deleted when it closes.
        entries: icon, text and function of each entry.
    """
    menu = QMenu(tile)
    menu.aboutToHide.connect(menu.deleteLater)
    for name, text, run in entries:
        add_to(menu, name, text, run)
    return menu
