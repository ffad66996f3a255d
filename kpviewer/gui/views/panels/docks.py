"""Centre of the window: the video, and around it panels that can be moved and closed.

The layout of the panels is one text (``state``) that Qt makes and reads. Which panels are wanted is
kept apart, by name: full screen hides them all and restores the wanted ones.
"""

import base64
import zlib
from dataclasses import dataclass
from enum import StrEnum

from PyQt6.QtCore import QByteArray, Qt, pyqtSignal
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QMainWindow, QWidget

from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.dock import Dock

LAYOUT_VERSION = 2
"""Version of the initial layout; a state of another version is ignored."""
_Area = Qt.DockWidgetArea
_SIDES = _Area.LeftDockWidgetArea | _Area.RightDockWidgetArea
_ENDS = _Area.TopDockWidgetArea | _Area.BottomDockWidgetArea


class Part(StrEnum):
    """Panels, by their names in the settings."""

    SIDE = "side"
    PLOTS = "plots"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Place:
    """Title, key, initial area and allowed areas of a panel."""

    title: str
    act: Act
    area: Qt.DockWidgetArea
    allowed: Qt.DockWidgetArea
    is_shown: bool = True


PLACES = {
    Part.SIDE: Place(tr_noop("Side panel"), Act.PANEL, _Area.RightDockWidgetArea, _SIDES),
    Part.PLOTS: Place(
        tr_noop("Plots"), Act.PLOTS, _Area.BottomDockWidgetArea, _ENDS, is_shown=False
    ),
    Part.TABLE: Place(
        tr_noop("Table of detections"),
        Act.TABLE,
        _Area.LeftDockWidgetArea,
        _Area.AllDockWidgetAreas,
        is_shown=False,
    ),
}


class DockArea(QMainWindow):
    """Area with the video in the centre and panels around it, used as a plain widget.

    Args:
        center: the video.
        panels: panels by their names in the settings.
        parent: widget around it. A widget that changes its parent applies the style sheet again,
            with all that is in it; so panels come last, into docks that are at their place.
    """

    wanted_changed = pyqtSignal()
    """Emitted when ``wanted`` may have changed."""

    def __init__(
        self, center: QWidget, panels: dict[Part, QWidget], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setCentralWidget(center)
        self.setDockOptions(self.DockOption.AllowNestedDocks | self.DockOption.AllowTabbedDocks)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, _Area.RightDockWidgetArea)
        self._docks = {part: Dock(part, tr(PLACES[part].title), self) for part in panels}
        self._wanted = {part: PLACES[part].is_shown for part in panels}
        self._is_clean = False
        self.are_movable = False
        """Whether the panels have title bars to drag them by."""
        self._pending: str | None = None
        for part, dock in self._docks.items():
            dock.setAllowedAreas(PLACES[part].allowed)
            dock.closed.connect(lambda part=part: self.set_wanted(part, wanted=False))
            self.addDockWidget(PLACES[part].area, dock)
            dock.setWidget(panels[part])
        self._show_wanted()

    @property
    def is_fullscreen(self) -> bool:
        """Whether the window around it fills the screen."""
        window = self.window()
        return window is not None and window.isFullScreen()

    def wanted(self) -> dict[Part, bool]:
        """Return which panels are wanted, whether full screen hides them or not."""
        return dict(self._wanted)

    def set_wanted(self, part: Part, *, wanted: bool) -> None:
        """Show a panel, in full screen too, or hide it."""
        self._wanted[part] = wanted
        self._docks[part].setVisible(wanted)
        self.wanted_changed.emit()

    def set_all_wanted(self, wanted: dict[Part, bool]) -> None:
        """Set which of the panels here are wanted; full screen keeps hiding them."""
        self._wanted |= {part: wanted[part] for part in self._docks if part in wanted}
        self._show_wanted()
        self.wanted_changed.emit()

    def toggle(self, part: Part) -> None:
        """Show a panel, raising it if another one covers it, or hide it."""
        dock = self._docks[part]
        is_seen = not dock.isHidden() and not dock.visibleRegion().isEmpty()
        self.set_wanted(part, wanted=not is_seen)
        if not is_seen:
            dock.raise_()

    def set_clean(self, *, is_clean: bool) -> None:
        """Hide all panels, or show those that are wanted."""
        self._is_clean = is_clean
        self._show_wanted()

    def set_movable(self, *, movable: bool) -> None:
        """Set whether the panels have title bars to drag, float and close them."""
        self.are_movable = movable
        for dock in self._docks.values():
            dock.set_movable(movable=movable)

    def reset(self) -> None:
        """Restore the initial layout of all panels."""
        self._pending = None
        for part, dock in self._docks.items():
            dock.setFloating(False)  # once it is removed, this has no effect
            self.removeDockWidget(dock)
            self.addDockWidget(PLACES[part].area, dock)
        self.set_all_wanted({part: PLACES[part].is_shown for part in self._docks})
        for orientation, size_of in (
            (Qt.Orientation.Horizontal, Dock.preferred_width),
            (Qt.Orientation.Vertical, Dock.preferred_height),
        ):
            docks = list(self._docks.values())
            self.resizeDocks(docks, [size_of(dock) for dock in docks], orientation)

    def state(self) -> str:
        """Return the layout of the panels, for ``restore``."""
        if self._pending is not None:
            return self._pending
        data = self.saveState(LAYOUT_VERSION).data()
        return f"{zlib.crc32(data):08x}:{base64.b64encode(data).decode('ascii')}"

    def restore(self, state: str) -> None:
        """Restore a layout of ``state``, as soon as the size is known.

        A damaged state, or one of another version, changes nothing. Which panels are wanted stays.
        """
        self._pending = state
        if self.isVisible():
            self._restore_pending()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Restore the layout that waits for the size."""
        super().showEvent(event)
        self._restore_pending()

    def _restore_pending(self) -> None:
        state, self._pending = self._pending, None
        if state is None:
            return
        checksum, _, text = state.partition(":")
        try:
            data = base64.b64decode(text, validate=True)
        except ValueError:  # binascii.Error is one
            return
        if checksum == f"{zlib.crc32(data):08x}":  # Qt crashes on some damaged ones
            self.restoreState(QByteArray(data), LAYOUT_VERSION)
            self._show_wanted()

    def fit_height(self, part: Part, at_most: int) -> None:
        """Restore the preferred height of a panel, unless the user has made it higher."""
        dock = self._docks[part]
        if dock.height() <= at_most and not dock.isFloating():
            self.resizeDocks([dock], [dock.preferred_height()], Qt.Orientation.Vertical)

    def _show_wanted(self) -> None:
        for part, dock in self._docks.items():
            dock.setVisible(self._wanted[part] and not self._is_clean)
