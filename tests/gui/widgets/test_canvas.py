"""A plot is deleted with its window, completely, and leaves the wheel to the panel."""

from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QApplication, QMenu, QWidget

from kpviewer.gui.widgets.buttons import ComboBox
from kpviewer.gui.widgets.canvas import make_canvas
from kpviewer.gui.widgets.theme import DARK, LIGHT, ThemeChoice


def menus() -> list[QMenu]:
    return [widget for widget in QApplication.allWidgets() if isinstance(widget, QMenu)]


def test_no_menu_outlives_its_plot(qapp):
    before = menus()  # of windows that other tests have left
    canvas = make_canvas()
    own = [menu for menu in menus() if menu not in before]
    assert own  # pyqtgraph makes them, wanted or not
    canvas.deleteLater()
    QCoreApplication.sendPostedEvents(canvas, QEvent.Type.DeferredDelete.value)
    assert all(sip.isdeleted(menu) for menu in own)


def test_plot_takes_the_background_of_another_theme(qtbot, themes):
    canvas = make_canvas()
    qtbot.addWidget(canvas)
    canvas.resize(200, 100)
    canvas.show()
    corner = [canvas.grab().toImage().pixelColor(100, 50).name()]
    themes.set_choice(ThemeChoice.LIGHT)
    corner.append(canvas.grab().toImage().pixelColor(100, 50).name())
    themes.set_choice(ThemeChoice.DARK)
    assert corner == [DARK.window, LIGHT.window]


def test_wheel_over_a_plot_or_its_axes_is_left_to_the_panel(qtbot):
    canvas = make_canvas()
    qtbot.addWidget(canvas)
    canvas.resize(200, 100)
    canvas.show()
    for item in (canvas.getAxis("bottom"), canvas.getAxis("left"), canvas.getPlotItem().vb):
        middle = canvas.mapFromScene(item.sceneBoundingRect().center())
        assert not keeps_wheel(canvas.viewport(), QPointF(middle)), item


def test_wheel_over_a_combo_box_is_left_to_the_panel(qtbot):
    box = ComboBox()
    box.addItems(["all", "face"])
    qtbot.addWidget(box)
    assert not keeps_wheel(box, QPointF(5, 5))
    assert box.currentIndex() == 0


def keeps_wheel(widget: QWidget, at: QPointF) -> bool:
    no_button, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        at,
        QPointF(widget.mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, -120),
        no_button,
        no_key,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)
    return event.isAccepted()
