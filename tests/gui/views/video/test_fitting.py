"""Chips and cards have the size of their current text."""

import pytest
from PyQt6.QtWidgets import QLabel, QPushButton, QWidget

from kpviewer.gui.views.video.hover_card import CardText, HoverCard
from kpviewer.gui.views.video.state_card import Card, Chip, StateCard
from kpviewer.gui.widgets.card_layout import CardLayout, OverlayCard, Place

LONG = "tiny.onnx can't be loaded. Its output has 7 columns: export it again."


@pytest.fixture
def parent(qtbot, themes) -> QWidget:
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(900, 500)
    with qtbot.waitExposed(parent):
        parent.show()
    return parent


def laid_out(card: OverlayCard) -> OverlayCard:
    CardLayout(card.parentWidget()).add(Place.BOTTOM, card)
    return card


@pytest.mark.parametrize("before", ["The end.", LONG * 2], ids=["short", "long"])
def test_chip_has_the_size_of_its_text_whatever_it_showed_before(qapp, parent, before):
    chip = laid_out(Chip(parent))
    for text in (before, "", LONG):
        chip.show_line(text)
        qapp.processEvents()
    fresh = laid_out(Chip(parent))
    fresh.show_line(LONG)
    qapp.processEvents()
    assert chip.size() == chip.sizeHint() == fresh.size()
    assert chip.width() > chip.fontMetrics().horizontalAdvance(LONG)


def test_chip_shows_every_line_of_a_text_that_is_wider_than_the_view(qapp, parent):
    chip = laid_out(Chip(parent))
    for text in ("The end.", "", LONG * 4):
        chip.show_line(text)
        qapp.processEvents()
    assert chip.width() <= parent.width()
    assert chip.height() >= 3 * chip.fontMetrics().height()


def test_card_that_gets_buttons_has_room_for_them(qapp, parent):
    card = HoverCard(parent)
    card.show_numbers(CardText("face", "0.9"), None, pinned=False)
    qapp.processEvents()
    card.hide()
    card.show_numbers(CardText("face", "Confidence 0.9\nAt 100, 100"), None, pinned=True)
    assert card.zoom.geometry().right() < card.close_button.geometry().left()
    assert card.close_button.geometry().right() <= card.rect().right()
    assert card.zoom.width() >= card.zoom.sizeHint().width()


def test_state_card_has_one_distance_between_its_parts(qapp, parent):
    card = laid_out(StateCard(parent))
    for title in ("clip.mp4 is empty.", "clip.mp4 is no video (invalid data in its header). " * 2):
        card.set_card(Card(title, "Copy it again, or convert it. " * 5, (("file", "Open file"),)))
        qapp.processEvents()
        title_label, text_label = card.findChildren(QLabel)
        button = card.findChildren(QPushButton)[-1]
        for label in (title_label, text_label):
            assert label.height() == label.heightForWidth(label.width())
        assert text_label.y() - title_label.geometry().bottom() == 13
        assert button.y() - text_label.geometry().bottom() == 13
