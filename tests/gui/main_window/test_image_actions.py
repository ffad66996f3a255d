"""Menu of the image, its actual size, and its copy on the clipboard."""

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QContextMenuEvent, QGuiApplication
from PyQt6.QtWidgets import QApplication
from sample_results import detections, result

from kpviewer.gui.keys import Act
from kpviewer.overlay import OverlayStyle

FOUND = detections([(10, 10, 60, 60)])


@pytest.fixture
def window(open_window, qtbot):
    window = open_window()
    qtbot.waitUntil(lambda: window.view.result() is not None and window.session.engine is not None)
    window.bridge.playback.toggle()  # paused
    window.bridge.stop()
    window.view.show_result(result(FOUND, size_hw=(480, 640)))
    return window


def entries(menu):
    return {action.text().partition("\t")[0]: action for action in menu.actions() if action.text()}


def test_menu_runs_the_actions_of_the_keys(window, qtbot):
    with qtbot.waitSignal(window.actions_of_keys.done) as done:
        entries(window.image_actions.menu(None))[Act.FULLSCREEN.value.text].trigger()
    assert done.args == [Act.FULLSCREEN]
    assert window.isFullScreen()
    with qtbot.waitSignal(window.actions_of_keys.done):
        window.view.asked.emit(Act.FULLSCREEN)  # a double click
    assert not window.isFullScreen()


def test_menu_marks_the_frame(window, qtbot):
    with qtbot.waitSignal(window.actions_of_keys.done) as done:
        entries(window.image_actions.menu(None))[Act.MARK.value.text].trigger()
    assert done.args == [Act.MARK]


def test_menu_of_a_detection_zooms_to_it(window):
    assert Act.ZOOM_OBJECT.value.text not in entries(window.image_actions.menu(None))
    entries(window.image_actions.menu(0))[Act.ZOOM_OBJECT.value.text].trigger()
    assert window.view.transform.zoom > 1
    entries(window.image_actions.menu(0))[Act.FIT.value.text].trigger()
    assert window.view.transform.zoom == 1


def test_menu_of_a_detection_shows_its_class_alone_and_all_again(window):
    window.side_panel.set_class_names(("ace", "king"), None)
    window.view.set_style(OverlayStyle(("ace", "king")))
    entries(window.image_actions.menu(0))["Only this class: ace"].trigger()
    assert window.side_panel.classes.shown() == frozenset((0,))
    window.view.show_result(result(FOUND, size_hw=(480, 640)))
    entries(window.image_actions.menu(0))["All classes again"].trigger()
    assert window.side_panel.classes.shown() is None


def test_right_click_asks_for_the_menu_of_what_is_below(window, qtbot):
    x, y = window.view.transform.to_view(30, 30)
    asked = []
    window.view.menu_asked.disconnect()
    window.view.menu_asked.connect(lambda _at, index: asked.append(index))
    for at in (QPoint(int(x), int(y)), QPoint(1, 1)):
        event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, window.view.mapToGlobal(at))
        QApplication.sendEvent(window.view, event)
    assert asked == [0, None]


def test_actual_size_is_a_pixel_of_the_screen_for_one_of_the_image(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_1)
    assert window.view.transform.scale == pytest.approx(1 / window.devicePixelRatioF())
    assert window.view.zoom_sign.text() == "100 %"


def test_copied_image_is_annotated_and_of_the_source_s_size(window, qtbot):
    window.actions_of_keys.run(Act.COPY_IMAGE)
    clipboard = QGuiApplication.clipboard()
    qtbot.waitUntil(lambda: clipboard.image().width() == 640)
    image = clipboard.image()
    assert image.height() == 480
    colors = {image.pixelColor(x, 30).name() for x in range(5, 15)}
    assert len(colors) > 1  # an edge of the box
    window.view.clear()
    window.actions_of_keys.run(Act.COPY_IMAGE)  # nothing to copy


def test_image_that_is_copied_when_the_window_closes_does_no_harm(window):
    bgr = np.zeros((480, 640, 3), np.uint8)
    window.view.show_result(result(FOUND, bgr=bgr))
    window.actions_of_keys.run(Act.COPY_IMAGE)
    window.close()
