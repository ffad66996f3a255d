"""Menu of a grid that adds and removes streams."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.menus.device_menu import ACTS, DeviceMenu
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.grid.opener import GridOpener
from kpviewer.gui.grid.view import GridView
from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr
from kpviewer.gui.opening.cameras import Devices
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu


class StreamMenu:
    """Menu that adds streams, and removes them."""

    def __init__(
        self,
        menu: QMenu,
        opener: GridOpener,
        memory: WindowMemory,
        ask: Callable[[Act], None],
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
        removing = add_submenu(menu, tr("Remove a stream"))
        removing.setEnabled(bool(self._grid.tiles))
        for tile in self._grid.tiles:
            add_entry(removing, tile.name, partial(self._grid.remove_asked.emit, tile), "close")
