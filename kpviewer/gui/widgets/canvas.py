"""The bare plot that ours are drawn on."""

from __future__ import annotations

import pyqtgraph as pg


def make_canvas() -> pg.PlotWidget:
    """Make a plot without ground and menus."""
    canvas = pg.PlotWidget(background=None, enableMenu=False)
    # The menu is made all the same, and without a parent it would outlive the window.
    menu = canvas.getPlotItem().ctrlMenu
    menu.setParent(canvas, menu.windowFlags())
    return canvas
