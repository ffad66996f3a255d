"""Slider with its number field."""

import pytest
from PyQt6.QtCore import QLocale, QPoint, QPointF, Qt
from PyQt6.QtGui import QInputMethodEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.widgets.value_slider import ValueSlider

# The offscreen plugin says so of every window with a fixed size.
pytestmark = pytest.mark.qt_log_ignore("does not support propagateSizeHints")

SHIFT = Qt.KeyboardModifier.ShiftModifier
NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def slider(qtbot, themes) -> ValueSlider:
    widget = ValueSlider("Confidence", "How sure.")
    qtbot.addWidget(widget)
    widget.set_default(0.35)
    widget.set_value(0.5)
    widget.show()
    return widget


@pytest.mark.parametrize(
    ("key", "modifier", "value"),
    [
        (Qt.Key.Key_Right, NONE, 0.51),
        (Qt.Key.Key_Left, NONE, 0.49),
        (Qt.Key.Key_Up, SHIFT, 0.501),
        (Qt.Key.Key_Down, SHIFT, 0.499),
    ],
)
def test_arrows_move_by_hundredths_and_shift_by_thousandths(qtbot, slider, key, modifier, value):
    with qtbot.waitSignal(slider.changed):
        qtbot.keyClick(slider.slider, key, modifier)
    assert slider.value() == pytest.approx(value)
    assert slider.box.value() == pytest.approx(value)


@pytest.mark.parametrize(
    ("delta", "modifier", "value"),
    [
        (QPoint(0, 120), NONE, 0.51),
        (QPoint(0, -120), SHIFT, 0.499),
        (QPoint(-120, 0), SHIFT, 0.499),  # what Shift makes of the wheel on some systems
    ],
)
def test_wheel_moves(slider, delta, modifier, value):
    centre = QPointF(slider.slider.rect().center())
    phase = Qt.ScrollPhase.NoScrollPhase
    buttons = Qt.MouseButton.NoButton
    event = QWheelEvent(centre, centre, QPoint(), delta, buttons, modifier, phase, False)
    QApplication.sendEvent(slider.slider, event)
    assert slider.value() == pytest.approx(value)


def test_click_goes_to_the_place_and_drag_follows(qtbot, slider):
    inner = slider.slider
    end = QPoint(inner.width() - 1, inner.height() // 2)
    qtbot.mousePress(inner, LEFT, pos=end)
    assert slider.value() == 1.0
    qtbot.mouseMove(inner, QPoint(0, inner.height() // 2))
    qtbot.mouseRelease(inner, LEFT)
    assert slider.value() == 0.0


def test_double_click_goes_back_to_the_models_default(qtbot, slider):
    qtbot.mouseDClick(slider.slider, LEFT)
    assert slider.value() == pytest.approx(0.35)


def test_typing_a_number_moves_the_slider(qtbot, slider):
    box = slider.box
    box.selectAll()
    qtbot.keyClicks(box, "0.125")
    with qtbot.waitSignal(slider.changed):
        qtbot.keyClick(box, Qt.Key.Key_Return)
    assert slider.slider.value() == 125


@pytest.fixture(params=["en_US", "de_DE", "ar_EG"])
def locale(request):
    """The locale of the system, which widgets take when they are made."""
    before = QLocale()
    QLocale.setDefault(QLocale(request.param))
    yield request.param
    QLocale.setDefault(before)


@pytest.mark.usefixtures("locale")
@pytest.mark.parametrize("typed", ["0.3", "0,3", "30", "30%", "30 %", ".3", ",300", " 0.3 "])
def test_a_share_is_read_as_people_write_it_in_every_locale(qtbot, themes, typed):
    slider = ValueSlider("Confidence", "How sure.")
    qtbot.addWidget(slider)
    slider.show()
    slider.box.selectAll()
    qtbot.keyClicks(slider.box, typed)
    qtbot.keyClick(slider.box, Qt.Key.Key_Return)
    assert slider.value() == pytest.approx(0.3)
    assert slider.box.text() == "0.300"


@pytest.mark.parametrize("typed", ["\uff10\uff0e3", "0\uff0c3"])
def test_signs_of_chinese_keyboards_are_read(qtbot, slider, typed):
    slider.box.selectAll()
    for sign in typed:  # keyClicks can't send them
        event = QInputMethodEvent()
        event.setCommitString(sign)
        QApplication.sendEvent(slider.box, event)
    qtbot.keyClick(slider.box, Qt.Key.Key_Return)
    assert slider.value() == pytest.approx(0.3)


@pytest.mark.parametrize("typed", ["", ".", "%", "250", "-", "abc"])
def test_what_is_no_share_leaves_the_value(qtbot, slider, typed):
    slider.box.selectAll()
    qtbot.keyClicks(slider.box, typed)
    if not typed:
        qtbot.keyClick(slider.box, Qt.Key.Key_Delete)
    qtbot.keyClick(slider.box, Qt.Key.Key_Return)
    assert slider.value() == pytest.approx(0.5)


def test_setting_a_value_emits_nothing(qtbot, slider):
    with qtbot.assertNotEmitted(slider.changed):
        slider.set_value(0.8)
