"""Menu of panels: which are shown, whether they can be moved, and a reset."""

from __future__ import annotations

from functools import partial

from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from kpviewer.gui.keys import with_key
from kpviewer.gui.language import tr
from kpviewer.gui.panels.docks import PLACES, DockArea, Part


def add_view_menu(menu: QMenu, docks: DockArea) -> None:
    """Add the submenu with the current state."""
    view = menu.addMenu(tr("Panels"))
    if view is None:
        return
    view.setToolTipsVisible(True)
    for part, is_wanted in docks.wanted().items():
        place = PLACES[part]
        action = QAction(with_key(place.act, tr(place.title)), view)
        action.setCheckable(True)
        action.setChecked(is_wanted)
        action.toggled.connect(partial(_set_wanted, docks, part))
        view.addAction(action)
    view.addSeparator()
    move = QAction(tr("Move panels"), view)
    move.setToolTip(tr("Give each panel a title bar to drag, float and close it"))
    move.setCheckable(True)
    move.setChecked(docks.are_movable)
    move.toggled.connect(lambda is_on: docks.set_movable(movable=is_on))
    view.addAction(move)
    reset = QAction(tr("Reset panels"), view)
    reset.setToolTip(tr("Return all panels to their default positions"))
    reset.triggered.connect(lambda _checked: docks.reset())
    view.addAction(reset)


def _set_wanted(docks: DockArea, part: Part, wanted: bool) -> None:
    docks.set_wanted(part, wanted=wanted)
