"""Tooltips that wrap, and icons of dialogs."""

from collections.abc import Iterator

import pytest
from PyQt6.QtCore import QPoint
from PyQt6.QtWidgets import QApplication, QLabel, QStyle, QToolTip, QWidget

from kpviewer.gui.widgets.chrome_style import TIP_PX

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # said of tooltips
LONG = "Hide faces, or all objects of the shown classes: here, in snapshots and in recordings"


@pytest.fixture
def widget(qtbot, themes) -> Iterator[QWidget]:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.show()
    yield widget
    QToolTip.hideText()


def tip_of(widget: QWidget, text: str, at: QPoint) -> QLabel:
    QToolTip.showText(at, text, widget)
    QApplication.processEvents()
    return next(
        each
        for each in QApplication.topLevelWidgets()
        if isinstance(each, QLabel) and each.inherits("QTipLabel") and each.isVisible()
    )


@pytest.mark.parametrize("text", [LONG, f"<b>{LONG}</b> {LONG}", f"{LONG}\n{LONG} {LONG}"])
def test_long_tip_wraps_and_is_shown_whole(widget, text):
    one_line = tip_of(widget, "Record (R)", QPoint(20, 20)).height()
    QToolTip.hideText()
    QApplication.processEvents()
    tip = tip_of(widget, text, QPoint(20, 20))
    assert tip.width() <= TIP_PX
    assert tip.height() >= tip.heightForWidth(tip.width())
    assert tip.wordWrap()
    assert tip.height() >= one_line + tip.fontMetrics().height()


def test_short_tip_has_the_width_of_its_text(widget):
    assert tip_of(widget, "Record (R)", QPoint(20, 20)).width() < 150


def test_next_tip_is_wrapped_too(widget):
    tip_of(widget, "Record (R)", QPoint(20, 20))
    tip = tip_of(widget, LONG, QPoint(25, 20))
    assert tip.wordWrap()
    assert tip.width() <= TIP_PX
    assert tip.height() >= tip.heightForWidth(tip.width())


def test_tip_at_the_lower_edge_stays_on_the_screen(widget):
    screen = widget.screen().availableGeometry()
    tip = tip_of(widget, LONG * 3, screen.bottomLeft() - QPoint(0, 30))
    assert screen.contains(tip.geometry())


def test_icons_of_dialogs_are_drawn_in_the_colour_of_text(widget, qapp):
    style = QApplication.style()
    icon = style.standardIcon(QStyle.StandardPixmap.SP_MessageBoxWarning)
    image = icon.pixmap(18, 18).toImage()
    text = qapp.palette().windowText().color()
    solid = [
        image.pixelColor(x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).alpha() == 255
    ]
    assert solid
    assert all(each.name() == text.name() for each in solid)
    assert style.standardIcon(QStyle.StandardPixmap.SP_DialogOkButton).isNull()
