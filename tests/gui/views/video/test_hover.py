"""Numbers of the detection under the pointer, and of the one that was clicked."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QContextMenuEvent
from PyQt6.QtWidgets import QApplication, QWidget
from sample_results import detections, ground_truth, result

from kpviewer.gui.keys import Act
from kpviewer.gui.views.video.selection import Selection, describe, describe_point
from kpviewer.gui.views.video.state_card import Card
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.gui.widgets.plain_text import Label
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
    title, *lines = view.cards.numbers.text().splitlines()
    assert title == "face"
    assert lines[:2] == ["Confidence 0.931 · Number 0", "Size 200 × 240 px · At 100, 100"]
    assert view.rect().contains(view.cards.numbers.geometry())
    assert view.cards.numbers.x() > 300
    click(qtbot, view, 20, 20)
    assert view.cards.numbers.text() == ""


def test_outdated_image_has_no_numbers_beside_detections_that_are_not_drawn(view):
    view.choose(FOUND, 0)
    view.set_dimmed(True)
    assert view.cards.numbers.text() == ""
    assert view.current_result() is None
    view.set_dimmed(False)
    assert "Confidence 0.931" in view.cards.numbers.text()


def test_outdated_image_has_no_menu_of_detections_that_are_not_drawn(view):
    asked: list[int | None] = []
    view.menu_asked.connect(lambda _, index: asked.append(index))
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at(200, 300), QPoint())
    view.contextMenuEvent(event)
    view.set_dimmed(True)
    view.contextMenuEvent(event)
    assert asked == [0, None]


def test_numbers_stay_below_the_card_of_the_state(view):
    view.card.set_card(Card("Opening camera 1"))
    view.choose(FOUND, 0)
    view.cards.numbers.setGeometry(view.card.geometry())
    assert view.cards.numbers.isVisible()
    assert view.childAt(view.card.geometry().center()) in view.card.findChildren(QWidget)


def test_pointer_over_a_detection_shows_its_numbers_without_buttons(qtbot, view, monkeypatch):
    monkeypatch.setattr(view, "underMouse", lambda: True)  # offscreen has no pointer of its own
    qtbot.mouseMove(view, at(420, 70))
    QApplication.processEvents()
    qtbot.waitUntil(lambda: "Confidence 0.500" in view.cards.numbers.text())
    assert not view.cards.numbers.zoom.isVisible()
    qtbot.mouseMove(view, at(600, 400))
    qtbot.waitUntil(lambda: view.cards.numbers.text() == "")


def test_selected_detection_is_found_again_when_it_moves_and_its_loss_is_shown(qtbot, view):
    click(qtbot, view, 420, 70)
    moved = detections([(404, 52, 444, 92), LARGE], scores=[0.99, 0.9])
    view.show_result(result(moved, size_hw=(480, 640)))
    assert (
        "Confidence 0.990" in view.cards.numbers.text()
        and "At 404, 52" in view.cards.numbers.text()
    )
    view.show_result(result(detections([LARGE]), size_hw=(480, 640)))
    assert "Not detected" in view.cards.numbers.text()
    assert not view.cards.numbers.zoom.isEnabled()
    view.show_result(result(moved, size_hw=(480, 640)))
    assert "Confidence 0.990" in view.cards.numbers.text()
    qtbot.mouseClick(view.cards.numbers.close_button, LEFT)
    assert view.cards.numbers.text() == ""


def middle_of_view(view: VideoView) -> tuple[float, float]:
    return view.transform.to_source(320, 240)


def test_zoom_to_it_puts_it_in_the_middle(qtbot, view):
    click(qtbot, view, 420, 70)
    qtbot.mouseClick(view.cards.numbers.zoom, LEFT)
    assert view.transform.zoom == pytest.approx(6)  # half of 480 px for 40
    x, y = middle_of_view(view)
    assert (x, y) == pytest.approx((420, 70), abs=1)


def test_double_click_asks_for_full_screen_and_selects_nothing(qtbot, view):
    click(qtbot, view, 200, 300)
    with qtbot.waitSignal(view.asked) as asked:
        click(qtbot, view, 420, 70)  # the first of the two
        qtbot.mouseDClick(view, LEFT, pos=at(420, 70))
    assert asked.args == [Act.FULLSCREEN]
    assert "Number 0" in view.cards.numbers.text()
    assert view.transform.zoom == 1


def test_zoom_to_object_prefers_the_selected_one(qtbot, view):
    large = detections([(300, 200, 400, 300), SMALL])
    view.show_result(result(large, size_hw=(480, 640)))
    view.zoom_to_object()
    assert middle_of_view(view) == pytest.approx((350, 250), abs=1)  # the best
    view.fit()
    click(qtbot, view, 420, 70)
    with qtbot.waitSignal(view.asked) as asked:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert asked.args == [Act.ZOOM_OBJECT]
    view.zoom_to_object()
    assert middle_of_view(view) == pytest.approx((420, 70), abs=1)


def test_zoom_to_object_needs_one(view):
    view.show_result(result(detections(), size_hw=(480, 640)))
    view.zoom_to_object()
    assert view.transform.zoom == 1


def test_card_of_a_lost_detection_goes_after_a_second_and_comes_back_with_it(qtbot, view):
    click(qtbot, view, 420, 70)
    view.show_result(result(detections([LARGE]), size_hw=(480, 640)))
    assert "Not detected" in view.cards.numbers.text()
    qtbot.waitUntil(lambda: view.cards.numbers.text() == "")
    view.show_result(result(detections([LARGE]), size_hw=(480, 640)))
    assert view.cards.numbers.text() == ""
    view.show_result(result(FOUND, size_hw=(480, 640)))
    assert "Number 1" in view.cards.numbers.text()


def test_keypoint_at_the_pointer_is_named_with_its_values(qtbot, view, monkeypatch):
    monkeypatch.setattr(view, "underMouse", lambda: True)
    scored = replace(FOUND, keypoint_scores=np.array([[0.931], [0.4]], np.float32))
    scored = replace(scored, keypoint_threshold=0.5)
    view.set_style(OverlayStyle(("face",), keypoint_names=("left_eye",)))
    view.show_result(result(scored, size_hw=(480, 640)))
    qtbot.mouseMove(view, at(154, 147))
    qtbot.waitUntil(view.cards.point.isVisible)
    assert view.cards.point.text() == "left eye · 0.93 · 150, 150"
    assert view.rect().contains(view.cards.point.geometry())
    assert not view.cards.point.geometry().intersects(view.cards.numbers.geometry())
    qtbot.mouseMove(view, at(410, 60))
    qtbot.waitUntil(lambda: view.cards.point.text() == "(left eye · 0.40) · 410, 60")
    qtbot.mouseMove(view, at(600, 400))
    qtbot.waitUntil(lambda: not view.cards.point.isVisible())


def test_line_of_a_keypoint_covers_no_card(qtbot, view, monkeypatch):
    monkeypatch.setattr(view, "underMouse", lambda: True)
    near = detections([LARGE], points=[[(290, 110)]])
    view.show_result(result(near, size_hw=(480, 640)))
    qtbot.mouseMove(view, at(290, 110))
    qtbot.waitUntil(view.cards.point.isVisible)
    assert view.cards.numbers.isVisible()
    assert not view.cards.point.geometry().intersects(view.cards.numbers.geometry())
    assert view.rect().contains(view.cards.point.geometry())


def test_line_of_a_keypoint_has_its_error(qapp):
    found = detections([LARGE], points=[[(150, 150)]])
    seen = result(found, size_hw=(480, 640), targets=ground_truth(LARGE, (153, 154)))
    style = OverlayStyle(keypoint_names=("nose",))
    assert describe_point(seen, 0, 0, style) == "nose · 150, 150 · error 5.0 px"
    hidden = replace(style, ground_truth=False)
    assert describe_point(seen, 0, 0, hidden) == "nose · 150, 150"


@pytest.mark.parametrize("size", [(320, 180), (480, 300), (760, 520)])
def test_card_is_readable_in_small_views(qtbot, view, size):
    points = [[(110 + 5 * k, 120 + 9 * k) for k in range(17)]]
    view.resize(*size)
    found = detections([LARGE], points=points, point_scores=[[0.9] * 17])
    view.show_result(result(found, size_hw=(480, 640)))
    click(qtbot, view, *view.transform.to_view(290, 110))
    card = view.cards.numbers
    assert view.rect().contains(card.geometry())
    for label in card.findChildren(Label):
        if label.isVisible():
            assert label.width() >= label.sizeHint().width()
            assert label.height() >= label.sizeHint().height()
            inside = label.rect().translated(label.mapTo(card, QPoint()))
            assert card.rect().contains(inside)
    if size[1] >= 300:
        assert len(card.points.rows()) == 17


def test_drag_chooses_nothing(qtbot, view):
    qtbot.mousePress(view, LEFT, pos=at(200, 200))
    qtbot.mouseMove(view, at(260, 200))
    qtbot.mouseRelease(view, LEFT, pos=at(260, 200))
    assert view.cards.numbers.text() == ""


def test_click_on_the_card_is_not_one_on_the_image_below(qtbot, view):
    click(qtbot, view, 200, 300)
    qtbot.mouseClick(view.cards.numbers, LEFT, pos=QPoint(3, 3))
    assert "Number 0" in view.cards.numbers.text()


def test_another_source_forgets_the_choice(qtbot, view):
    click(qtbot, view, 200, 300)
    view.clear()
    view.show_result(result(FOUND, size_hw=(480, 640)))
    assert view.cards.numbers.text() == ""


@pytest.mark.parametrize("box", [(0, 0, 640, 480), (600, 440, 640, 480), (-50, -50, 30, 30)])
def test_card_is_always_inside_the_view(qtbot, view, box):
    view.show_result(result(detections([box]), size_hw=(480, 640)))
    x, y = np.clip(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), 5, 630)
    click(qtbot, view, x if box[0] >= 0 else 10, y if box[1] >= 0 else 10)
    assert view.cards.numbers.text()
    assert view.rect().contains(view.cards.numbers.geometry())


def test_chosen_track_is_followed_where_boxes_don_t_overlap():
    selection = Selection()
    selection.choose(replace(FOUND, track_ids=np.array([4, 9])), 1)
    swapped = replace(FOUND, track_ids=np.array([9, 4]))
    assert selection.find(swapped) == 0
    assert selection.find(replace(FOUND, track_ids=np.array([1, 2]))) is None


def test_description_has_the_scores_that_the_model_predicts(qapp):
    found = replace(
        detections([LARGE], scores=[0.9], points=[[(1, 2), (3, 4)]]),
        keypoint_scores=np.array([[0.71, 0.93]], np.float32),
        track_ids=np.array([7]),
    )
    title, text, _ = describe(found, 0, OverlayStyle(("face",)))
    assert title == "face #7"
    assert text.endswith("2 landmarks, confidence 0.71 to 0.93")
    plain = replace(found, keypoint_scores=np.full((1, 2), np.nan, np.float32), track_ids=None)
    title, text, points = describe(plain, 0, OverlayStyle())
    assert title == "class 0"
    assert text.endswith("2 landmarks")
    assert points == (("point 0", "1, 2", ""), ("point 1", "3, 4", ""))


def test_no_number_is_minus_zero(qapp):
    found = detections([(-0.3, -0.2, 9, 9)], scores=[0.9], points=[[(-0.4, 3)]])
    text = describe(found, 0, OverlayStyle(("face",), keypoint_names=("nose",)))
    assert text.text.splitlines()[1] == "Size 9 × 9 px · At 0, 0"
    assert text.points[0].place == "0, 3"


def test_description_lists_the_landmarks(qapp):
    found = detections([LARGE], points=[[(1, 2), (3, 4), (5, 6)]], point_scores=[[0.71, 0.93, 0.2]])
    _, text, points = describe(found, 0, OverlayStyle(keypoint_names=("nose", "left_eye")))
    assert text.splitlines()[-1] == "1 below 0.50, in brackets: not predicted"
    assert points == (
        ("nose", "1, 2", "0.71"),
        ("left eye", "3, 4", "0.93"),
        ("(point 2", "5, 6", "0.20)"),
    )
    many = detections([LARGE], points=[[(1, 2)] * 98], point_scores=[[0.2] * 98])
    assert describe(many, 0, OverlayStyle()).points == ()  # no list of 98


def test_card_with_long_names_fits_into_half_of_a_small_window(qtbot, view):
    view.resize(391, 500)
    long = "person_with_a_high_visibility_vest_and_a_helmet_near_a_forklift"
    view.set_style(OverlayStyle((long,), keypoint_names=(f"{long}_hand",)))
    view.choose(FOUND, 0)
    card = view.cards.numbers
    assert view.rect().contains(card.geometry())
    assert "person_with" in card.text() and card.points.rows()[0].name.endswith("forklift hand")


def test_card_shows_the_listed_landmarks(qtbot, view):
    click(qtbot, view, 200, 300)
    assert view.cards.numbers.points.rows() == [("point 0", "150, 150", "")]
