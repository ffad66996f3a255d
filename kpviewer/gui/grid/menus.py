"""Menus of a grid: adding and removing streams, and the actions of a tile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.language import tr
from kpviewer.gui.menus import Ask, add_note, add_to
from kpviewer.gui.opening.source_menu import ACTS, DeviceMenu
from kpviewer.gui.widgets.plain_text import without_mnemonic

if TYPE_CHECKING:
    from kpviewer.gui.grid.opener import GridOpener
    from kpviewer.gui.grid.tile import Tile
    from kpviewer.gui.grid.view import GridView
    from kpviewer.gui.opening.cameras import Devices
    from kpviewer.gui.settings.memory import WindowMemory


class StreamMenu:
    """Menu that adds streams, and removes them.

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
        self._menu, self._session, self._grid = menu, opener.session, grid
        self._devices = DeviceMenu(
            menu, opener.cameras, memory, lambda text: opener.add([text]), ask, self._fill
        )

    def _fill(self, devices: Devices | None) -> None:
        menu, room = self._menu, self._session.room
        add_note(menu, tr("Add a stream") if room else tr("The grid is full"), "grid")
        if room:
            self._devices.add_sources(devices, ACTS)
        menu.addSeparator()
        removing = menu.addMenu(tr("Remove a stream"))
        if removing is not None:
            removing.setEnabled(bool(self._grid.tiles))
            for tile in self._grid.tiles:
                name = without_mnemonic(tile.name)
                add_to(removing, "close", name, partial(self._grid.remove_asked.emit, tile))


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
