"""Status bar: delay up to the screen, and frames not shown by cause."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from kpviewer.gui.panels.status_bar import ROOMY_PX, StatusBar
from kpviewer.gui.widgets.theme import ThemeManager
from kpviewer.pipeline_status import Percentiles, PipelineStats
from kpviewer.structures import Frame, StreamInfo

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of plain widgets alone

LONG = (
    "No ground truth: labels.csv has classes that face-ssd does not know: "
    + "ace, jack, king, " * 8
)
STATS = PipelineStats(
    drops={"queue full": 8, "display skipped": 2},
    latency={"forward": Percentiles(9.8, 11.2, 14.0), "display": Percentiles(44.6, 61.2, 80.3)},
)


@pytest.fixture
def bar(qtbot: QtBot, themes: ThemeManager) -> StatusBar:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.resize(ROOMY_PX, 28)
    bar.show()
    return bar


def label(bar: StatusBar, name: str) -> QLabel:
    return next(each for each in bar.findChildren(QLabel) if each.accessibleName() == name)


def test_delay_is_shown_by_its_median_and_tail(bar):
    bar.show_stats(STATS, has_model=True)
    shown = label(bar, "Capture to screen")
    assert shown.text() == "delay 45 ms (95 %: 61)"
    assert "model: 9.8, 11.2, 14.0" in shown.toolTip().splitlines()
    assert "capture to screen: 44.6, 61.2, 80.3" in shown.toolTip().splitlines()


def test_frames_not_shown_are_listed_by_cause(bar):
    bar.show_stats(STATS, has_model=True)
    shown = label(bar, "Frames not shown")
    assert shown.text() == "10 not shown: model busy 8, window busy 2"
    assert "model busy: 8 (arrived while the model was busy)" in shown.toolTip()
    bar.show_stats(PipelineStats(), has_model=True)
    assert (shown.text(), shown.toolTip()) == (
        "0 not shown",
        "Frames not shown since the start: none",
    )


def test_frames_that_only_the_window_skipped_have_no_cause_beside_them(bar):
    bar.show_stats(PipelineStats(drops={"display skipped": 160}), has_model=True)
    shown = label(bar, "Frames not shown")
    assert shown.text() == "160 not shown"
    assert "window busy: 160 (a newer frame was ready)" in shown.toolTip()


def test_narrow_line_leaves_latency_and_causes_to_the_tooltips(bar):
    bar.resize(ROOMY_PX - 1, 28)
    bar.show_stats(STATS, has_model=False)
    assert not label(bar, "Capture to screen").isVisible()
    assert label(bar, "Frames not shown").text() == "10 not shown"
    assert "80.3" in label(bar, "Frames per second").toolTip()


@pytest.mark.parametrize("width", [720, 1024, 1600])
def test_message_is_shown_whole_at_every_width(bar, qapp, width):
    bar.resize(width, 28)
    bar.show_stats(STATS, has_model=True)
    bar.show_message(LONG)
    qapp.processEvents()
    shown = label(bar, "Message")
    assert shown.text() == LONG.strip()
    assert shown.wordWrap() or shown.width() >= shown.fontMetrics().horizontalAdvance(LONG.strip())
    assert shown.height() >= shown.heightForWidth(shown.width())
    assert bar.rect().contains(shown.mapTo(bar, shown.rect().bottomRight()))
    bar.show_message("")
    assert (bar.height(), label(bar, "Frames per second").isVisible()) == (28, True)


def test_earlier_messages_stay_in_the_tooltip(bar):
    for text in ("Saved one.png", "Saved two.png"):
        bar.show_message(text)
    bar.show_message("")
    line = label(bar, "Message").parentWidget()
    assert [each.split("  ")[-1] for each in line.toolTip().splitlines()[1:]] == [
        "Saved one.png",
        "Saved two.png",
    ]


def test_text_of_a_message_is_never_taken_for_markup(bar, tmp_path):
    bar.show_message("<b>no</b>&amp;", tmp_path / "a.png")
    assert bar.message() == "<b>no</b>&amp; Open folder"
    assert bar.findChild(QPushButton).isVisible()


def test_no_numbers_stay_when_nothing_is_open(bar):
    bar.show_stats(STATS, has_model=True)
    bar.clear_stats()
    for name in ("Frames per second", "Capture to screen", "Frames not shown"):
        assert (label(bar, name).text(), label(bar, name).toolTip()) == ("", "")


def test_image_of_a_folder_is_named_with_its_number_and_size(bar):
    info = StreamInfo("photos", 64, 48, 2.0, 363, is_live=False, is_seekable=True)
    frame = Frame(10, 0, None, np.zeros((30, 40, 3), np.uint8), file="a/IMG_0007.jpg")
    bar.show_source(info, frame)
    shown = label(bar, "Size of the source")
    assert (shown.text(), shown.toolTip()) == (
        "a/IMG_0007.jpg · 11 of 363 · 40×30",
        "a/IMG_0007.jpg",
    )
    film = StreamInfo("clip.mp4", 64, 48, 25.0, 100, is_live=False, is_seekable=True)
    bar.show_source(film, replace(frame, file="clip.mp4", frame_in_file=10))
    assert (shown.text(), shown.toolTip()) == ("40×30 @ 25", "")
