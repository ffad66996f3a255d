"""Numbers of the detection under the pointer, and of the one that was clicked."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication
from sample_results import detections, result

from kpviewer.gui.video.selection import Selection, describe
from kpviewer.gui.video.video_view import VideoView
from kpviewer.overlay import OverlayStyle

LEFT = Qt.MouseButton.LeftButton
LARGE, SMALL = (100.0, 100.0, 300.0, 340.0), (400.0, 50.0, 440.0, 90.0)
FOUND = detections([LARGE, SMALL], scores=[0.931, 0.5], points=[[(150, 150)], [(410, 60)]])


@pytest.fixture
def view(qtbot, themes) -> VideoView:
    view = VideoView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    with qtbot.waitExposed(view):
        view.show()
    view.set_style(OverlayStyle(("face",)))
    view.show_result(result(FOUND, size_hw=(480, 640)))
    return view


def at(x: float, y: float) -> QPoint:
    return QPoint(int(x), int(y))


def click(qtbot, view, x: float, y: float) -> None:
    qtbot.mouseClick(view, LEFT, pos=at(x, y))


def test_click_shows_the_numbers_and_stays_until_a_click_beside(qtbot, view):
    click(qtbot, view, 200, 300)
    title, *lines = view.numbers.text().splitlines()
    assert title == "face"
    assert lines[:4] == ["Confidence 0.931", "Size 200 × 240 px", "At 100, 100", "Number 0"]
    assert view.rect().contains(view.numbers.geometry())
    assert view.numbers.x() > 300
    click(qtbot, view, 20, 20)
    assert view.numbers.text() == ""


def test_pointer_over_a_detection_shows_its_numbers_without_buttons(qtbot, view, monkeypatch):
    monkeypatch.setattr(view, "underMouse", lambda: True)  # offscreen has no pointer of its own
    qtbot.mouseMove(view, at(420, 70))
    QApplication.processEvents()
    qtbot.waitUntil(lambda: "Confidence 0.500" in view.numbers.text())
    assert not view.numbers.zoom.isVisible()
    qtbot.mouseMove(view, at(600, 400))
    qtbot.waitUntil(lambda: view.numbers.text() == "")


def test_selected_detection_is_found_again_when_it_moves_and_its_loss_is_shown(qtbot, view):
    click(qtbot, view, 420, 70)
    moved = detections([(404, 52, 444, 92), LARGE], scores=[0.99, 0.9])
    view.show_result(result(moved, size_hw=(480, 640)))
    assert "Confidence 0.990" in view.numbers.text() and "At 404, 52" in view.numbers.text()
    view.show_result(result(detections([LARGE]), size_hw=(480, 640)))
    assert "Left the frame" in view.numbers.text()
    assert not view.numbers.zoom.isEnabled()
    view.show_result(result(moved, size_hw=(480, 640)))
    assert "Confidence 0.990" in view.numbers.text()
    qtbot.mouseClick(view.numbers.close_button, LEFT)
    assert view.numbers.text() == ""


def middle_of_view(view: VideoView) -> tuple[float, float]:
    return view.transform.to_source(320, 240)


def test_zoom_to_it_puts_it_in_the_middle(qtbot, view):
    click(qtbot, view, 420, 70)
    qtbot.mouseClick(view.numbers.zoom, LEFT)
    assert view.transform.zoom == pytest.approx(6)  # half of 480 px for 40
    x, y = middle_of_view(view)
    assert (x, y) == pytest.approx((420, 70), abs=1)


def test_double_click_zooms_to_a_detection_and_fits_beside_it(qtbot, view):
    qtbot.mouseDClick(view, LEFT, pos=at(420, 70))
    assert view.transform.zoom > 5
    assert "Number 1" in view.numbers.text()
    qtbot.mouseDClick(view, LEFT, pos=at(20, 460))
    assert view.transform.zoom == 1


def test_drag_chooses_nothing(qtbot, view):
    qtbot.mousePress(view, LEFT, pos=at(200, 200))
    qtbot.mouseMove(view, at(260, 200))
    qtbot.mouseRelease(view, LEFT, pos=at(260, 200))
    assert view.numbers.text() == ""


def test_click_on_the_card_is_not_one_on_the_image_below(qtbot, view):
    click(qtbot, view, 200, 300)
    qtbot.mouseClick(view.numbers, LEFT, pos=QPoint(3, 3))
    assert "Number 0" in view.numbers.text()


def test_another_source_forgets_the_choice(qtbot, view):
    click(qtbot, view, 200, 300)
    view.clear()
    view.show_result(result(FOUND, size_hw=(480, 640)))
    assert view.numbers.text() == ""


@pytest.mark.parametrize("box", [(0, 0, 640, 480), (600, 440, 640, 480), (-50, -50, 30, 30)])
def test_card_is_always_inside_the_view(qtbot, view, box):
    view.show_result(result(detections([box]), size_hw=(480, 640)))
    x, y = np.clip(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), 5, 630)
    click(qtbot, view, x if box[0] >= 0 else 10, y if box[1] >= 0 else 10)
    assert view.numbers.text()
    assert view.rect().contains(view.numbers.geometry())


def test_chosen_track_is_followed_where_boxes_don_t_overlap():
    selection = Selection()
    selection.choose(replace(FOUND, track_ids=np.array([4, 9])), 1)
    swapped = replace(FOUND, track_ids=np.array([9, 4]))
    assert selection.find(swapped) == 0
    assert selection.find(replace(FOUND, track_ids=np.array([1, 2]))) is None


def test_description_has_the_scores_that_the_model_predicts():
    found = replace(
        detections([LARGE], scores=[0.9], points=[[(1, 2), (3, 4)]]),
        keypoint_scores=np.array([[0.71, 0.93]], np.float32),
        track_ids=np.array([7]),
    )
    title, text = describe(found, 0, OverlayStyle(("face",)))
    assert title == "face #7"
    assert "2 landmarks, confidence 0.71 to 0.93\n" in text
    plain = replace(found, keypoint_scores=np.full((1, 2), np.nan, np.float32), track_ids=None)
    title, text = describe(plain, 0, OverlayStyle())
    assert title == "class 0"
    assert text.endswith("2 landmarks")


def test_description_names_the_confidence_of_each_landmark():
    found = detections([LARGE], points=[[(1, 2), (3, 4), (5, 6)]], point_scores=[[0.71, 0.93, 0.2]])
    _, text = describe(found, 0, OverlayStyle(keypoint_names=("nose", "left_eye")))
    assert text.splitlines()[-3:] == [
        "1 below 0.50, in brackets: not predicted",
        "nose 0.71 · left_eye 0.93",
        "(point 2 0.20)",
    ]
    many = detections([LARGE], points=[[(1, 2)] * 98], point_scores=[[0.2] * 98])
    assert len(describe(many, 0, OverlayStyle())[1].splitlines()) == 6  # no list of 98
