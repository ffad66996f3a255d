"""Charts: curves at their places, guides, the pointer; the wheel is left to the panel."""

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QImage, QWheelEvent
from PyQt6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from kpviewer.gui.widgets.buttons import ComboBox
from kpviewer.gui.widgets.chart import Chart, Curve, Guide, Point, round_step
from kpviewer.gui.widgets.theme import DARK, LIGHT, ThemeChoice, ThemeManager
from kpviewer.structures import FloatArray

RED, GREEN = "#ff0000", "#00ff00"


@pytest.fixture
def chart(qtbot: QtBot) -> Chart:
    """A chart of 10 x 10 values, of 10 px each, from (30, 10)."""
    chart = Chart((0.0, 10.0), (30, 10, 10, 20))
    qtbot.addWidget(chart)
    chart.y_range = (0.0, 10.0)
    chart.resize(140, 130)
    chart.show()
    return chart


def values(*numbers: float) -> FloatArray:
    return np.array(numbers, np.float32)


def painted(chart: Chart) -> QImage:
    return chart.grab().toImage()


def has(image: QImage, color: str, x: float, y: float) -> bool:
    """Return whether a value's pixel, or one beside it, is of a colour."""
    column, row = round(30 + 10 * x), round(110 - 10 * y)
    near = [(column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    wanted = QColor(color)
    return any(
        max(
            abs(a - b) for a, b in zip(image.pixelColor(*at).getRgb(), wanted.getRgb(), strict=True)
        )
        < 140
        for at in near
    )


def test_a_curve_runs_through_its_values_and_leaves_gaps(chart: Chart) -> None:
    chart.curves = (Curve(values(0, 4, 5, 6, 10), values(2, 2, np.nan, 8, 8), RED),)
    image = painted(chart)
    assert has(image, RED, 2, 2) and has(image, RED, 8, 8)
    assert not has(image, RED, 5, 5) and not has(image, RED, 8, 2)


def test_an_area_is_filled_down_to_zero_and_later_curves_are_on_top(chart: Chart) -> None:
    chart.curves = (
        Curve(values(0, 10), values(8, 8), RED, is_area=True),
        Curve(values(0, 10), values(4, 4), GREEN, is_area=True),
    )
    image = painted(chart)
    assert image.pixelColor(80, 110 - 60) == QColor(RED)
    assert image.pixelColor(80, 110 - 20) == QColor(GREEN)
    assert image.pixelColor(80, 110 - 90) not in (QColor(RED), QColor(GREEN))


def test_nothing_is_painted_beyond_the_axes(chart: Chart) -> None:
    chart.curves = (Curve(values(-20, 30), values(-20, 50), RED, is_area=True),)
    image = painted(chart)
    assert all(image.pixelColor(column, 118) != QColor(RED) for column in range(140))
    assert all(image.pixelColor(10, row) != QColor(RED) for row in range(130))


def test_points_and_guides_are_where_their_values_are(chart: Chart) -> None:
    before = painted(chart)
    chart.guides = (Guide(2.0), Guide(9.0, is_upright=False))
    chart.points = (Point(7.0, 3.0, GREEN),)
    after = painted(chart)
    assert after.pixelColor(100, 80) == QColor(GREEN)
    assert after.pixelColor(50, 60) != before.pixelColor(50, 60)
    assert after.pixelColor(120, 20) != before.pixelColor(120, 20)
    assert after.pixelColor(120, 60) == before.pixelColor(120, 60)


def test_the_pointer_is_reported_by_its_value(chart: Chart, qtbot: QtBot) -> None:
    seen: list[float | None] = []
    chart.hovered.connect(seen.append)
    qtbot.mouseMove(chart, QPoint(80, 60))
    qtbot.mouseMove(chart, QPoint(10, 60))
    qtbot.mouseMove(chart, QPoint(31, 60))
    QApplication.sendEvent(chart, QEvent(QEvent.Type.Leave))
    assert seen == [pytest.approx(5.0), None, pytest.approx(0.1), None]


@pytest.mark.parametrize(
    ("least", "step"), [(0.3, 0.5), (1.0, 1.0), (1.01, 2.0), (2.0, 2.0), (3.3, 5.0), (70.0, 100.0)]
)
def test_steps_between_ticks_are_round_numbers(least: float, step: float) -> None:
    assert round_step(least) == pytest.approx(step)


def test_a_chart_has_the_background_of_another_theme(chart: Chart, themes: ThemeManager) -> None:
    corner = [painted(chart).pixelColor(100, 50).name()]
    themes.set_choice(ThemeChoice.LIGHT)
    corner.append(painted(chart).pixelColor(100, 50).name())
    themes.set_choice(ThemeChoice.DARK)
    assert corner == [DARK.window, LIGHT.window]


def test_the_wheel_over_a_chart_is_left_to_the_panel(chart: Chart) -> None:
    assert not keeps_wheel(chart, QPointF(80, 60))


def test_wheel_over_a_combo_box_is_left_to_the_panel(qtbot: QtBot) -> None:
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
