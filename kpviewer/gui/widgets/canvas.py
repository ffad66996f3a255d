"""Base of all plots: a pyqtgraph widget that shows curves, and answers only to the pointer."""

import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPen
from PyQt6.QtWidgets import QGraphicsSceneWheelEvent

from kpviewer.gui.widgets.theme import Theme

_AXES = ("left", "bottom")
_FONT_PX = 10


class _Axis(pg.AxisItem):  # type: ignore[misc]
    """Axis that leaves the wheel to the panel that scrolls; pyqtgraph's keeps it."""

    def wheelEvent(self, event: QGraphicsSceneWheelEvent) -> None:
        """Zoom nothing."""
        event.ignore()


def make_canvas() -> pg.PlotWidget:
    """Return a plot without a background of its own, menus, zoom and focus."""
    axes = {name: _Axis(name) for name in _AXES}
    canvas = pg.PlotWidget(background=None, enableMenu=False, axisItems=axes)
    # pyqtgraph caches the background: that of the previous theme would stay.
    canvas.setCacheMode(pg.PlotWidget.CacheModeFlag.CacheNone)
    # pyqtgraph makes the menu anyway; without a parent it would outlive the window.
    menu = canvas.getPlotItem().ctrlMenu
    menu.setParent(canvas, menu.windowFlags())
    canvas.hideButtons()
    canvas.setMouseEnabled(x=False, y=False)
    canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    font = canvas.font()
    font.setPixelSize(_FONT_PX)
    for name in _AXES:
        axis = canvas.getAxis(name)
        axis.setStyle(tickLength=-3, tickTextOffset=4)
        axis.setTickFont(font)
    return canvas


def color_axes(canvas: pg.PlotWidget, theme: Theme) -> None:
    """Draw the axes of a plot in the colours of a theme."""
    for name in _AXES:
        axis = canvas.getAxis(name)
        axis.setPen(pg.mkPen(theme.border))
        axis.setTextPen(pg.mkPen(theme.secondary))


def faint_pen(theme: Theme, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return the pen of lines behind the curves: the cursor, targets and marks."""
    faint = QColor(theme.faint)
    faint.setAlpha(140)
    pen: QPen = pg.mkPen(faint, width=1, style=style)
    return pen
