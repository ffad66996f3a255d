"""Window of a grid of streams; only ``app`` imports it."""

from collections.abc import Callable

from PyQt6.QtCore import QPoint, pyqtSignal
from PyQt6.QtWidgets import QMenu, QWidget

from kpviewer.gui.controllers.any_window import AnyWindow
from kpviewer.gui.controllers.dropping import DropTarget
from kpviewer.gui.controllers.everyday import EverydayObjects
from kpviewer.gui.grid.bridge import GridBridge
from kpviewer.gui.grid.opener import GridOpener, StreamMenu
from kpviewer.gui.grid.panes import GridPanes, make_panes
from kpviewer.gui.grid.playing import GridPlayback
from kpviewer.gui.grid.saving import GridSaving
from kpviewer.gui.grid.session import GridSession
from kpviewer.gui.grid.texts import REMOVE, RETRY
from kpviewer.gui.grid.tile import Tile
from kpviewer.gui.grid.tile_view import TileView
from kpviewer.gui.grid.view import GridView
from kpviewer.gui.keys import Act, with_key
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.opening.clipboard import paste
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.views.dialogs.questions import ask_for_files
from kpviewer.gui.views.video.video_view import WHEEL_ZOOM
from kpviewer.gui.widgets.menu_entries import add_entry
from kpviewer.gui.widgets.theme import ThemeManager

GESTURES = (
    tr_noop("Streams"),
    (
        (tr_noop("Arrows"), tr_noop("Move between the streams")),
        (tr_noop("Enter, click"), tr_noop("Enlarge a stream; Esc returns")),
        (tr_noop("Delete"), tr_noop("Remove a stream")),
        (tr_noop("Right-click"), tr_noop("Menu")),
    ),
)
"""Keys of the tiles, which can't be changed."""


class GridWindow(AnyWindow):
    """Owner of the tiles, the streams and the bridge between them."""

    alone_asked = pyqtSignal(str, list)
    """Emitted with the source that the window of one source shall show, and those of the grid."""
    remembers_docks = False
    """The remembered places are those of the other window."""
    gestures = GESTURES

    panes: GridPanes
    view: GridView
    session: GridSession
    saving: GridSaving
    opener: GridOpener
    bridge: GridBridge

    def __init__(
        self,
        options: ViewerOptions,
        themes: ThemeManager,
        loaders: Loaders,
        before: RememberedSettings | None = None,
    ) -> None:
        super().__init__(options, loaders, before)
        options, loaders = self._options, self._loaders
        self.setCentralWidget(center := QWidget())
        # What is seen.
        panes = self.panes = make_panes(center)
        self.grid = self.view = panes.grid
        self.top_bar, self.status_bar = panes.top_bar, panes.status_bar
        self.side_panel, self.docks = panes.side_panel, panes.docks
        # What runs.
        session = self.session = GridSession(options, loaders, self.remembered)
        saving = GridSaving(session, options.folder, with_results=options.with_results)
        self.saving = saving
        self.playback = GridPlayback(lambda: [tile.session for tile in self.grid.shown], panes.say)
        # What joins both, and what the user may ask for.
        opener = self.opener = GridOpener(session, panes, loaders)
        self.everyday = EverydayObjects(panes.notices.add(), opener.choose_model)
        self.bridge = GridBridge(panes, session, saving)
        DropTarget(self, opener.open)
        self._link(themes, self._handlers())
        StreamMenu(panes.top_bar.source.popup, opener, self.memory, self._run, panes.grid)
        self._connect_tiles()

    def begin(self) -> None:
        """Open the streams and load the model, once the window is on the screen."""
        if self.isHidden():  # closed before it began
            return
        self.opener.add(self._options.sources)
        self.opener.choose_model(self._options.model)
        self.saving.recover_leftovers()
        if self._options.record is not None:
            self.saving.record_from_start(self._options.record)

    def _stop_showing(self) -> None:
        for tile in self.grid.tiles:
            tile.view.clear()

    def _leave(self) -> None:
        """Return from the enlarged tile to all, else from full screen to the window."""
        if self.grid.enlarged is not None:
            self.grid.enlarge(None)
        else:
            self.set_fullscreen(False)

    def _handlers(self) -> dict[Act, Callable[[], object]]:
        saving, opener, panes, grid = self.saving, self.opener, self.panes, self.grid
        return {
            **self.playback.handlers(),
            Act.OPEN_FILE: lambda: opener.open(ask_for_files(self, self.memory.recent_sources())),
            Act.PASTE: lambda: paste(opener.open, panes.say),
            Act.SNAPSHOT: lambda: saving.save_snapshot(grid.shown),
            Act.FIT: lambda: self._zoom(lambda view: view.fit()),
            Act.ZOOM_IN: lambda: self._zoom(lambda view: view.zoom(WHEEL_ZOOM)),
            Act.ZOOM_OUT: lambda: self._zoom(lambda view: view.zoom(1 / WHEEL_ZOOM)),
            Act.ACTUAL_SIZE: lambda: self._zoom(lambda view: view.show_actual_size()),
            Act.ZOOM_OBJECT: lambda: self._zoom(lambda view: view.zoom_to_object()),
            Act.LEAVE: self._leave,
        }

    def _zoom(self, act: Callable[[TileView], None]) -> None:
        """Zoom the enlarged tile; those of the grid show the whole image."""
        if self.grid.enlarged is not None:
            act(self.grid.enlarged.view)

    def _connect_tiles(self) -> None:
        grid = self.grid
        grid.remove_asked.connect(self.remove)
        grid.menu_asked.connect(self._show_tile_menu)
        grid.asked.connect(self._run)
        grid.card_pressed.connect(self._on_card_pressed)
        grid.card.pressed.connect(lambda _key: self._run(Act.OPEN_FILE))

    def remove(self, tile: Tile) -> None:
        """End a stream and remove its tile; its recording is finished. It can be added again."""
        text, source = tr("Removed {name}").format(name=tile.name), tile.session.source_text or ""
        self.status_bar.show_message(text, lambda: self.opener.choose_source(source))
        self.session.remove(tile.session)

    def _show_tile_menu(self, tile: Tile, at: QPoint) -> None:
        is_large = self.grid.enlarged is tile
        enlarge = tr("All streams") if is_large else tr("Enlarge")
        menu = QMenu(tile)
        menu.aboutToHide.connect(menu.deleteLater)
        add_entry(menu, enlarge, lambda: self.grid.enlarge(None if is_large else tile), "grid")
        add_entry(menu, tr("Open again"), lambda: self.session.reopen(tile.session), "loop")
        add_entry(
            menu, with_key(Act.SNAPSHOT), lambda: self.saving.save_snapshot([tile]), "snapshot"
        )
        add_entry(menu, tr("Open alone"), lambda: self._open_alone(tile), "float")
        add_entry(menu, tr("Remove"), lambda: self.remove(tile), "close")
        menu.popup(at)

    def _open_alone(self, tile: Tile) -> None:
        texts = [each.source_text or "" for each in self.session.sessions]
        self.alone_asked.emit(tile.session.source_text or "", texts)

    def _on_card_pressed(self, tile: Tile, key: str) -> None:
        if key == RETRY:
            self.session.reopen(tile.session)
        elif key == REMOVE:
            self.remove(tile)
