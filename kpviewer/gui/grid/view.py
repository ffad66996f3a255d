"""Tiles beside each other, one of which may fill the whole view."""

from collections.abc import Sequence

from PyQt6.QtCore import QPoint, Qt, pyqtSignal
from PyQt6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.grid.layout import cells, moved, shape_of
from kpviewer.gui.grid.texts import distinct_names
from kpviewer.gui.grid.tile import Tile
from kpviewer.gui.language import tr
from kpviewer.gui.session import Session
from kpviewer.gui.views.video.signs import RecordingSign
from kpviewer.gui.views.video.state_card import StateCard
from kpviewer.gui.widgets.buttons import ENTER
from kpviewer.gui.widgets.card_layout import CardLayout, Place

GAP_PX = 1
BELOW_HEADER_PX = 48
"""Distance that keeps the heading of a tile free, px."""
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
"""Steps to the right and down, by key."""


class GridView(QWidget):
    """Grid of tiles. Arrows move between them, Enter or a click enlarges one."""

    appeared = pyqtSignal()
    """Emitted when the grid is on the screen for the first time."""
    enlarged_changed = pyqtSignal()
    """Emitted when another tile, or none, is enlarged."""
    menu_asked = pyqtSignal(object, QPoint)
    """Emitted by a right click on a tile, with its position on the screen."""
    card_pressed = pyqtSignal(object, str)
    """Emitted with a Tile and the key of the button of its card."""
    asked = pyqtSignal(object)
    """Emitted with the Act that a gesture on the enlarged tile requests."""
    remove_asked = pyqtSignal(object)
    """Emitted with a Tile by the Delete key."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("videoArea")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Streams"))
        self.setMinimumSize(320, 180)
        self.tiles: list[Tile] = []
        """Tiles from the upper left to the lower right."""
        self.current: Tile | None = None
        """Tile that keys act on; None without tiles."""
        self.enlarged: Tile | None = None
        """Tile that fills the view; None while all are shown."""
        self._has_appeared = False
        self.card = StateCard(self)
        """Card in the centre while there is no stream."""
        self.sign = RecordingSign(self)
        """Sign at the upper right in full screen: recording and messages."""
        layout = CardLayout(self, BELOW_HEADER_PX)
        layout.add(Place.CENTER, self.card)
        layout.add(Place.TOP_RIGHT, self.sign)

    @property
    def shown(self) -> Sequence[Tile]:
        """Tiles that are on the screen."""
        return self.tiles if self.enlarged is None else (self.enlarged,)

    def set_sessions(self, sessions: Sequence[Session]) -> list[Tile]:
        """Show a tile for each session, in their order; return the new ones."""
        present = {tile.session: tile for tile in self.tiles}
        kept = [present.get(session) or self._make(session) for session in sessions]
        index = self.tiles.index(self.current) if self.current is not None else 0
        for tile in self.tiles:
            if tile not in kept:
                tile.view.clear()
                tile.hide()
                tile.deleteLater()
        self.tiles = kept
        if self.current not in kept:
            self.choose(kept[min(index, len(kept) - 1)] if kept else None)
        if self.enlarged not in kept:
            self.enlarge(None)
        self._arrange()
        return [tile for tile in kept if tile.session not in present]

    def update_names(self) -> None:
        """Give each tile a name of its own; a source may have another one once it is open."""
        streams = [(tile.own_name, tile.session.source_text) for tile in self.tiles]
        for tile, name in zip(self.tiles, distinct_names(streams), strict=True):
            tile.name = name

    def choose(self, tile: Tile | None) -> None:
        """Make a tile the one that keys act on; an enlarged view shows it."""
        self.current = tile
        if self.enlarged is not None and tile is not None:
            self.enlarge(tile)
        self._show_current()

    def enlarge(self, tile: Tile | None) -> None:
        """Let a tile fill the view; None shows all."""
        if tile is self.enlarged:
            return
        self.enlarged = tile
        if tile is not None:
            self.current = tile
        self._arrange()
        self.enlarged_changed.emit()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move with arrows, enlarge with Enter, remove with Delete."""
        if event is None or self.current is None:
            return
        if event.key() in _ARROWS:
            right, down = _ARROWS[Qt.Key(event.key())]
            index, count = self.tiles.index(self.current), len(self.tiles)
            if self.enlarged is None:
                index = moved(index, count, right, down)
            else:  # no columns and rows are to be seen
                index = min(max(index + right + down, 0), count - 1)
            self.choose(self.tiles[index])
        elif event.key() in ENTER:
            self.enlarge(None if self.enlarged is not None else self.current)
        elif event.key() == Qt.Key.Key_Delete:
            self.remove_asked.emit(self.current)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:
        """Ask for the menu of the tile below the pointer, or by a key for the current one."""
        if event is None:
            return
        if event.reason() is QContextMenuEvent.Reason.Keyboard and self.current is not None:
            center = self.current.rect().center()
            self._ask_for_menu(self.current, self.current.mapToGlobal(center))
            return
        inside = (tile for tile in self.shown if tile.geometry().contains(event.pos()))
        tile = next(inside, None)
        if tile is not None:
            self._ask_for_menu(tile, event.globalPos())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Arrange the tiles again."""
        super().resizeEvent(event)
        self._arrange()

    def focusInEvent(self, event: QFocusEvent | None) -> None:
        """Show which tile keys act on."""
        super().focusInEvent(event)
        self._show_current()

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Hide it: keys act on something else."""
        super().focusOutEvent(event)
        self._show_current()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the lines between the tiles, and the cells without one."""
        painter, roles = QPainter(self), QPalette.ColorRole
        painter.fillRect(self.rect(), self.palette().color(roles.Mid))
        columns, rows = shape_of(len(self.shown))
        places = cells(columns * rows, self.width(), self.height(), GAP_PX)
        for empty in places[len(self.shown) :]:
            painter.fillRect(*empty, self.palette().color(roles.Dark))
        if not self._has_appeared:
            self._has_appeared = True
            self.appeared.emit()

    def _make(self, session: Session) -> Tile:
        tile = Tile(session)
        tile.setParent(self)
        tile.view.clicked.connect(lambda: self._on_clicked(tile))
        tile.view.asked.connect(self.asked)
        tile.view.card.pressed.connect(lambda key: self.card_pressed.emit(tile, key))
        tile.view.menu_asked.connect(lambda at, _index: self._ask_for_menu(tile, at))
        tile.header.back.clicked.connect(lambda: self.enlarge(None))
        return tile

    def _ask_for_menu(self, tile: Tile, at: QPoint) -> None:
        self.choose(tile)
        self.menu_asked.emit(tile, at)

    def _on_clicked(self, tile: Tile) -> None:
        self.setFocus()
        self.enlarge(tile)

    def _arrange(self) -> None:
        """Place the tiles that are shown, and hide the others."""
        shown = self.shown
        for tile in self.tiles:
            tile.setVisible(tile in shown)
            tile.view.set_enlarged(is_enlarged=tile is self.enlarged)
            tile.header.back.setVisible(tile is self.enlarged)
        for tile, cell in zip(
            shown, cells(len(shown), self.width(), self.height(), GAP_PX), strict=True
        ):
            tile.setGeometry(*cell)
        self.sign.raise_()
        self._show_current()

    def _show_current(self) -> None:
        has_ring = self.hasFocus() and self.enlarged is None and len(self.tiles) > 1
        for tile in self.tiles:
            tile.set_current(is_current=has_ring and tile is self.current)
