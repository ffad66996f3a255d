"""Base of all plots: a pyqtgraph widget without background and menus."""

from __future__ import annotations

import pyqtgraph as pg


def make_canvas() -> pg.PlotWidget:
    """Return a plot without a background of its own and without menus."""
    canvas = pg.PlotWidget(background=None, enableMenu=False)
    # pyqtgraph caches the background: that of the previous theme would stay.
    canvas.setCacheMode(pg.PlotWidget.CacheModeFlag.CacheNone)
    # pyqtgraph makes the menu anyway; without a parent it would outlive the window.
    menu = canvas.getPlotItem().ctrlMenu
    menu.setParent(canvas, menu.windowFlags())
    return canvas
