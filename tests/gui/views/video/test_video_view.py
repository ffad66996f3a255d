"""The view paints its result, and releases frames."""

import gc
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QImage, QWheelEvent
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.controllers.view_state import empty_card
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.structures import Candidates, Detections, Frame, FrameResult, StageTimings


class CountedLease:
    """Counts its holders."""

    def __init__(self) -> None:
        self.holders = 1

    def retain(self) -> None:
        self.holders += 1

    def release(self) -> None:
        self.holders -= 1


def result_of(color, lease=None, size_hw=(60, 80)) -> FrameResult:
    bgr = np.full((*size_hw, 3), color, np.uint8)
    frame = Frame(0, 0, None, bgr, lease=lease)
    return FrameResult(frame, Candidates.empty(), Detections.empty(), StageTimings())


@pytest.fixture
def view(qtbot, themes) -> VideoView:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(800, 600)
    with qtbot.waitExposed(view):
        view.show()
    return view


def pixel(view: VideoView, x: int, y: int) -> tuple[int, int, int]:
    color = view.grab().toImage().pixelColor(x, y)
    return color.red(), color.green(), color.blue()


def wheel(view: VideoView, at: QPoint, notches: int) -> None:
    event = QWheelEvent(
        QPointF(at),
        QPointF(view.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, event)


def test_image_is_painted_in_its_colours_inside_bars_of_the_base(view):
    view.show_result(result_of((10, 100, 200), size_hw=(60, 60)))
    assert pixel(view, 400, 300) == (200, 100, 10)
    assert pixel(view, 20, 300) == pixel(view, 780, 300) != (200, 100, 10)


def test_repainted_image_is_that_of_the_first_paint(view):
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    seen = replace(result_of(0), frame=Frame(0, 0, None, noise))
    other = result_of(90)
    for change in (lambda: None, lambda: view.zoom(3.0), lambda: view.pan(7, 5)):
        view.show_result(seen)
        for _ in range(2):
            view.grab()
        change()
        repainted = view.grab().toImage()
        view.show_result(other)
        assert view.grab().toImage() != repainted
        view.show_result(seen)
        assert view.grab().toImage() == repainted


def test_frame_is_held_while_it_is_shown_and_no_longer(view):
    first, second = CountedLease(), CountedLease()
    view.show_result(result_of(0, first))
    view.show_again(replace(view.result(), detections=Detections.empty()))
    assert first.holders == 1
    view.show_result(result_of(0, second))
    assert (first.holders, second.holders) == (0, 1)
    view.clear()
    assert second.holders == 0
    view.clear()
    assert second.holders == 0


def test_no_picture_of_a_cleared_frame_is_kept(view):
    def count_pictures() -> int:
        gc.collect()
        images = [each for each in gc.get_referrers(QImage) if type(each) is QImage]
        return sum(each.size() == view.size() for each in images)

    of_others = count_pictures()
    view.show_result(result_of(90))
    for _ in range(2):
        view.repaint()
    assert count_pictures() == of_others + 1
    view.clear()
    assert count_pictures() == of_others


def test_painting_is_signalled_once_a_result(qtbot, view):
    with qtbot.waitSignal(view.painted):
        view.show_result(result_of(0))
    with qtbot.assertNotEmitted(view.painted, wait=50):
        view.repaint()


def test_lost_image_is_darker(view):
    view.show_result(result_of(200))
    view.set_dimmed(True)
    assert max(pixel(view, 400, 300)) < 120


def test_wheel_zooms_at_the_pointer_and_the_sign_fits_again(qtbot, view):
    view.show_result(result_of(0))
    at = QPoint(600, 200)
    under = view.transform.to_source(600, 200)
    wheel(view, at, 3)
    assert view.transform.zoom > 1.5
    assert view.transform.to_source(600, 200) == pytest.approx(under)
    assert view.zoom_sign.text() == "1728 %"  # 10 to fit, 1.2 to the power of 3
    qtbot.mouseClick(view.zoom_sign.fit_button, Qt.MouseButton.LeftButton)
    assert view.transform.zoom == 1
    assert view.zoom_sign.text() == ""


def test_drag_moves_the_image(qtbot, view):
    view.show_result(result_of(0))
    wheel(view, QPoint(400, 300), 6)
    x, y = view.transform.to_view(40, 30)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(400, 300))
    qtbot.mouseMove(view, QPoint(430, 280))
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(430, 280))
    assert view.transform.to_view(40, 30) == pytest.approx((x + 30, y - 20))


def test_card_stands_in_the_middle(view):
    view.card.set_card(empty_card())
    center = view.card.geometry().center()
    assert abs(center.x() - 400) <= 1
    assert abs(center.y() - 300) <= 1
    assert view.card.height() > 80
