"""Opening of what the user chooses in a grid: further streams by name or menu, and the model."""

from collections.abc import Callable, Sequence
from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.controllers.device_menu import ACTS, DeviceMenu
from kpviewer.gui.controllers.dropping import not_opened
from kpviewer.gui.controllers.opener import ModelOpener, is_ground_truth, is_model, is_source
from kpviewer.gui.controllers.window_memory import WindowMemory
from kpviewer.gui.grid.layout import MOST_STREAMS
from kpviewer.gui.grid.panes import GridPanes
from kpviewer.gui.grid.session import GridSession
from kpviewer.gui.grid.view import GridView
from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr
from kpviewer.gui.opening.cameras import Devices
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.widgets.menu_entries import add_entry, add_note, add_submenu
from kpviewer.gui.widgets.plain_text import shortened


class GridOpener(ModelOpener):
    """Target of menus, dialogs, keys, drops and the clipboard; opens by name."""

    def __init__(self, session: GridSession, panes: GridPanes, loaders: Loaders) -> None:
        super().__init__(session.models, panes, loaders)
        self.session = session

    def choose_source(self, text: str) -> None:
        """Open a further stream; an empty text (a cancelled dialog) does nothing."""
        self.add([text])

    def add(self, texts: Sequence[str], *said: str) -> None:
        """Open further streams up to the limit; report how many exceed it, after ``said``."""
        texts = [text for text in texts if text]
        more = len(texts) - self.session.room
        self.session.add(texts)
        if more > 0:
            text = tr("{count} not opened: a grid shows at most {most} streams. Remove some first.")
            said = (*said, text.format(count=more, most=MOST_STREAMS))
        if said:
            self._panes.say(" ".join(said))

    def open(self, texts: Sequence[str]) -> None:
        """Open addresses and paths: a model by its suffix, else streams."""
        models = [text for text in texts if is_model(text)]
        annotations = [text for text in texts if is_ground_truth(text)]
        if models:
            self.choose_model(models[0])
        said = not_opened(models[1:])
        if annotations:
            said.append(
                tr("Annotations need a single source. Open it alone, then drop them there.")
            )
        self.add([text for text in texts if is_source(text)], *said)


class StreamMenu(DeviceMenu):
    """Menu that adds streams, and removes them."""

    def __init__(
        self,
        menu: QMenu,
        opener: GridOpener,
        memory: WindowMemory,
        ask: Callable[[Act], None],
        grid: GridView,
    ) -> None:
        super().__init__(menu, opener.cameras, memory, opener.choose_source, ask)
        self._session, self._grid = opener.session, grid

    def _fill(self, devices: Devices | None) -> None:
        menu, room = self._menu, self._session.room
        add_note(menu, tr("Add a stream") if room else tr("The grid is full"), "grid")
        if room:
            self._add_sources(devices, ACTS)
        menu.addSeparator()
        removing = add_submenu(menu, tr("Remove a stream"))
        removing.setEnabled(bool(self._grid.tiles))
        for tile in self._grid.tiles:
            add_entry(
                removing, shortened(tile.name), partial(self._grid.remove_asked.emit, tile), "close"
            )
