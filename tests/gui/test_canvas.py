"""A plot goes with its window, whole."""

from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication, QMenu

from kpviewer.gui.widgets.canvas import make_canvas


def menus() -> int:
    return sum(isinstance(widget, QMenu) for widget in QApplication.allWidgets())


def test_no_menu_outlives_its_plot(qapp: QApplication) -> None:
    before = menus()
    canvas = make_canvas()
    assert menus() > before  # pyqtgraph makes them, wanted or not
    canvas.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert menus() == before
