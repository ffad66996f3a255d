"""Menu of panels: which are shown, whether they can be moved, and a reset."""

from __future__ import annotations

from functools import partial

from PyQt6.QtWidgets import QMenu

from kpviewer.gui.keys import with_key
from kpviewer.gui.language import tr
from kpviewer.gui.views.panels.docks import PLACES, DockArea
from kpviewer.gui.widgets.menu_entries import add_entry, add_submenu


def add_view_menu(menu: QMenu, docks: DockArea) -> None:
    """Add the submenu with the current state."""
    view = add_submenu(menu, tr("Panels"))
    view.setToolTipsVisible(True)
    for part, is_wanted in docks.wanted().items():
        place = PLACES[part]
        toggle = partial(docks.set_wanted, part, wanted=not is_wanted)
        add_entry(view, with_key(place.act, tr(place.title)), toggle, is_on=is_wanted)
    view.addSeparator()
    move = partial(docks.set_movable, movable=not docks.are_movable)
    tip = tr("Give each panel a title bar to drag, float and close it")
    add_entry(view, tr("Move panels"), move, is_on=docks.are_movable, tip=tip)
    tip = tr("Return all panels to their default positions")
    add_entry(view, tr("Reset panels"), docks.reset, tip=tip)
