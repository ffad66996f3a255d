"""Cards over the image: of those that are shown together, none covers another."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QWidget
from sample_results import detections

from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.gui.views.video.state_card import Card
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.gui.widgets.card_layout import Place
from kpviewer.gui.widgets.notice_line import FloatingNotice, Notice
from kpviewer.metrics.frame_error import frame_error
from kpviewer.overlay import OverlayStyle, array_of
from kpviewer.structures import (
    Candidates,
    Frame,
    FrameResult,
    GroundTruth,
    ImageArray,
    SecondResult,
    StageTimings,
)

LOW_LEFT = detections([[20, 380, 120, 470]])
NOTICE = Notice("Nothing found for 5 s. " * 3, (("a", "Lower confidence"), ("b", "Other model…")))


@pytest.fixture
def view(qtbot, themes) -> VideoView:
    view = VideoView()
    qtbot.addWidget(view)
    frame = Frame(0, 0, None, np.zeros((480, 640, 3), np.uint8))
    nothing = Candidates(
        np.zeros((0, 4), np.float32), np.zeros((0, 1), np.float32), np.zeros((0, 0, 2), np.float32)
    )
    view.show()
    view.show_result(FrameResult(frame, nothing, LOW_LEFT, StageTimings(0, 0, 0, 0, 0, 0)))
    return view


def show_cards(view: VideoView) -> dict[str, QWidget]:
    """Show a card in each place, and the numbers of a detection at the lower left."""
    notice = FloatingNotice(view)
    view.layout_of_cards.add(Place.ABOVE, notice)
    view.choose(LOW_LEFT, 0)
    view.zoom(1.2)
    view.chip.show_line("Loading model face-ssd …", can_cancel=True)
    notice.show_notice(NOTICE)
    view.sign.show_state(RecordingState(12.0), "Recording to a folder with a long name: " * 3)
    return {
        "chip": view.chip,
        "notice": notice,
        "sign": view.sign,
        "zoom": view.zoom_sign,
        "numbers": view.cards.numbers,
    }


@pytest.mark.parametrize("size", [(520, 400), (760, 430), (1200, 700)])
def test_no_card_in_a_corner_covers_another(view, size):
    view.resize(*size)
    cards = show_cards(view)
    for (one, first), (other, second) in combinations(cards.items(), 2):
        assert first.isVisible()
        assert second.isVisible()
        assert not first.geometry().intersects(second.geometry()), (one, other)
    assert all(view.rect().contains(card.geometry()) for card in cards.values())


def without_cards(view: VideoView, style: OverlayStyle) -> ImageArray:
    view.set_style(style)
    image = QImage(view.size(), QImage.Format.Format_BGR888)
    view.render(image, flags=QWidget.RenderFlag.DrawWindowBackground)
    return array_of(image)


@pytest.mark.parametrize("size", [(640, 480), (900, 500)])
def test_the_legend_of_two_models_stands_below_the_sign_of_a_recording(view, size):
    view.resize(*size)
    found = view.result()
    error = frame_error(found.detections, GroundTruth.empty(num_keypoints=0))
    second = SecondResult(found.candidates, found.detections, 1.0, error)
    view.show_result(replace(found, second=second))
    view.sign.show_state(RecordingState(12.0), "")
    bare = replace(view.overlay_style, boxes=False, labels=False)
    alone = without_cards(view, bare)
    legend = without_cards(view, replace(bare, names_of_two=("one", "two")))
    rows, columns = np.nonzero((alone != legend).any(axis=2))
    assert len(rows) > 200
    assert columns.min() > view.width() / 2
    assert rows.min() > view.sign.geometry().bottom()


def test_card_of_a_state_moves_out_of_the_way_of_the_cards_in_the_corners(view):
    view.resize(420, 300)
    view.card.set_card(Card("The model fails on every frame.", "Try again later.", ()))
    assert abs(view.card.geometry().center().y() - 150) <= 1
    view.sign.show_state(RecordingState(12.0), "Recording to a folder with a long name. " * 4)
    assert not view.card.geometry().intersects(view.sign.geometry())
    view.sign.show_state(None, "")
    assert abs(view.card.geometry().center().y() - 150) <= 1


def test_a_short_message_after_a_long_one_is_short(view):
    view.resize(900, 500)
    view.sign.show_state(None, "Saved.")
    width = view.sign.width()
    view.sign.show_state(None, "Recording to a folder with a long name. " * 2)
    assert view.sign.width() > 2 * width
    view.sign.show_state(None, "Saved.")
    assert view.sign.width() == width


def test_links_of_a_notice_stand_below_each_other_in_a_narrow_view(view):
    notice = FloatingNotice(view)
    view.layout_of_cards.add(Place.ABOVE, notice)
    view.resize(900, 400)
    notice.show_notice(NOTICE)
    assert len({link.y() for link in notice.links()}) == 1
    view.resize(320, 300)
    first, second = notice.links()
    assert first.geometry().bottom() < second.geometry().top()
    assert view.rect().contains(notice.geometry())


def test_a_notice_has_room_for_new_links_at_once(view, qtbot):
    notice = FloatingNotice(view)
    view.layout_of_cards.add(Place.ABOVE, notice)
    view.resize(420, 400)
    notice.show_notice(Notice("No face.", (("a", "Lower confidence to 0.40"),)))
    notice.show_notice(Notice("No face.", (("a", "Lower confidence to 0.30"), ("b", "Other"))))
    at_once = notice.size()
    qtbot.waitUntil(lambda: all(link.isVisible() for link in notice.links()))
    view.layout_of_cards.arrange()
    assert notice.size() == at_once
