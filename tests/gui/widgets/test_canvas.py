"""A plot is deleted with its window, completely."""

from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication, QMenu

from kpviewer.gui.widgets.canvas import make_canvas
from kpviewer.gui.widgets.theme import DARK, LIGHT, ThemeChoice, ThemeManager


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


def test_plot_takes_the_background_of_another_theme(qtbot, themes: ThemeManager) -> None:
    canvas = make_canvas()
    qtbot.addWidget(canvas)
    canvas.resize(200, 100)
    canvas.show()
    corner = [canvas.grab().toImage().pixelColor(100, 50).name()]
    themes.set_choice(ThemeChoice.LIGHT)
    corner.append(canvas.grab().toImage().pixelColor(100, 50).name())
    themes.set_choice(ThemeChoice.DARK)
    assert corner == [DARK.window, LIGHT.window]
