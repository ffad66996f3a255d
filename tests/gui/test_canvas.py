"""A plot goes with its window, whole."""

from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication, QMenu

from kpviewer.gui.widgets.canvas import make_canvas


def menus() -> list[QMenu]:
    return [widget for widget in QApplication.allWidgets() if isinstance(widget, QMenu)]


def test_no_menu_outlives_its_plot(qapp: QApplication) -> None:
    before = menus()  # of windows that other tests have left
    canvas = make_canvas()
    own = [menu for menu in menus() if menu not in before]
    assert own  # pyqtgraph makes them, wanted or not
    canvas.deleteLater()
    QCoreApplication.sendPostedEvents(canvas, QEvent.Type.DeferredDelete.value)
    assert all(sip.isdeleted(menu) for menu in own)
