"""The middle of the window: what is watched, and around it the panels that can be moved and closed.

Where the panels are is one text (``state``) that Qt makes and reads; whether each is wanted is kept
apart, by name, so that full screen can hide them all and bring back those that were there.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from enum import StrEnum

from PyQt6.QtCore import QByteArray, Qt
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QMainWindow, QVBoxLayout, QWidget

from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.dock import Dock

LAYOUT_VERSION = 1
"""Of the places that panels have at first; a state of another version is ignored."""
_Area = Qt.DockWidgetArea
_SIDES = _Area.LeftDockWidgetArea | _Area.RightDockWidgetArea
_ENDS = _Area.TopDockWidgetArea | _Area.BottomDockWidgetArea


class Part(StrEnum):
    """The panels, by their names in the settings."""

    SIDE = "side"
    PLOTS = "plots"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel is at first, and where it may be."""

    title: str
    act: Act
    area: Qt.DockWidgetArea
    allowed: Qt.DockWidgetArea
    is_shown: bool = True


PLACES = {
    Part.SIDE: Place(tr_noop("Side panel"), Act.PANEL, _Area.RightDockWidgetArea, _SIDES),
    Part.PLOTS: Place(tr_noop("Plots"), Act.PLOTS, _Area.BottomDockWidgetArea, _ENDS),
    Part.TABLE: Place(
        tr_noop("Table of detections"),
        Act.TABLE,
        _Area.LeftDockWidgetArea,
        _Area.AllDockWidgetAreas,
        is_shown=False,
    ),
}


def column_of(*widgets: QWidget, stretch: int) -> QWidget:
    """Stack widgets without gaps; the one of index ``stretch`` takes the room that is left."""
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for index, widget in enumerate(widgets):
        column.addWidget(widget, int(index == stretch))
    return holder


class DockArea(QMainWindow):
    """Holds the panels; stands in the window as a plain widget."""

    def __init__(self, center: QWidget, panels: dict[Part, QWidget]) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setCentralWidget(center)
        self.setDockOptions(self.DockOption.AllowNestedDocks | self.DockOption.AllowTabbedDocks)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, _Area.RightDockWidgetArea)
        self._docks = {part: Dock(part, tr(PLACES[part].title), panels[part]) for part in panels}
        self._wanted = {part: PLACES[part].is_shown for part in panels}
        self._is_clean = self._are_movable = False
        self._pending: str | None = None
        for part, dock in self._docks.items():
            dock.setAllowedAreas(PLACES[part].allowed)
            dock.closed.connect(lambda part=part: self.set_wanted(part, wanted=False))
            self.addDockWidget(PLACES[part].area, dock)
            dock.set_movable(movable=False)  # before, without a window, it floated
        self._show_wanted()

    # -- which are there ---------------------------------------------------------------------

    def wanted(self) -> dict[Part, bool]:
        """Tell which panels are wanted, full screen or not."""
        return dict(self._wanted)

    def set_wanted(self, part: Part, *, wanted: bool) -> None:
        """Bring a panel, in full screen too, or take it away."""
        self._wanted[part] = wanted
        self._docks[part].setVisible(wanted)

    def set_all_wanted(self, wanted: dict[Part, bool]) -> None:
        """Set which are there, where full screen doesn't hide them all."""
        self._wanted.update(wanted)
        self._show_wanted()

    def toggle(self, part: Part) -> None:
        """Bring a panel, to the front where another one covers it, or take it away."""
        dock = self._docks[part]
        is_seen = not dock.isHidden() and not dock.visibleRegion().isEmpty()
        self.set_wanted(part, wanted=not is_seen)
        if not is_seen:
            dock.raise_()

    def set_clean(self, *, is_clean: bool) -> None:
        """Hide all panels, or bring back those that are wanted."""
        self._is_clean = is_clean
        self._show_wanted()

    # -- where they are ----------------------------------------------------------------------

    @property
    def are_movable(self) -> bool:
        """Whether the panels have bars to drag them by."""
        return self._are_movable

    def set_movable(self, *, movable: bool) -> None:
        """Give the panels bars to drag, float and close them by, or take the bars away."""
        self._are_movable = movable
        for dock in self._docks.values():
            dock.set_movable(movable=movable)

    def reset(self) -> None:
        """Put all panels where they are at first."""
        self._pending = None
        for part, dock in self._docks.items():
            self.removeDockWidget(dock)
            dock.setFloating(False)
            self.addDockWidget(PLACES[part].area, dock)
        self.set_all_wanted({part: PLACES[part].is_shown for part in self._docks})
        for orientation, size_of in (
            (Qt.Orientation.Horizontal, Dock.usual_width),
            (Qt.Orientation.Vertical, Dock.usual_height),
        ):
            docks = list(self._docks.values())
            self.resizeDocks(docks, [size_of(dock) for dock in docks], orientation)

    def state(self) -> str:
        """Tell where the panels are, for ``restore``."""
        if self._pending is not None:
            return self._pending
        data = self.saveState(LAYOUT_VERSION).data()
        return f"{zlib.crc32(data):08x}:{base64.b64encode(data).decode('ascii')}"

    def restore(self, state: str) -> None:
        """Put the panels where they were, as soon as the size is known.

        What is damaged, or of another version, changes nothing; which panels are wanted stays.
        """
        self._pending = state
        if self.isVisible():
            self._restore_pending()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Restore what waits for a size."""
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
        if checksum == f"{zlib.crc32(data):08x}":  # Qt crashes on some that are damaged
            self.restoreState(QByteArray(data), LAYOUT_VERSION)
            self._show_wanted()

    def fit_height(self, part: Part, at_most: int) -> None:
        """Give a panel its usual height again, unless the user has made it higher."""
        dock = self._docks[part]
        if dock.height() <= at_most and not dock.isFloating():
            self.resizeDocks([dock], [dock.usual_height()], Qt.Orientation.Vertical)

    def _show_wanted(self) -> None:
        for part, dock in self._docks.items():
            dock.setVisible(self._wanted[part] and not self._is_clean)
