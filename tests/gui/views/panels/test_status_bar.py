"""Status bar: delay up to the screen, and frames not shown by cause."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QLabel, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from kpviewer.gui.keys import Act
from kpviewer.gui.views.panels.status_bar import ROOMY_PX, StatusBar
from kpviewer.gui.widgets.sparkline import Sparkline
from kpviewer.gui.widgets.theme import ThemeManager
from kpviewer.pipeline_status import Percentiles, PipelineStats
from kpviewer.structures import Frame, FrameError, StreamInfo

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
    assert "80.3" in bar.findChild(Sparkline).parentWidget().toolTip()


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
    info = StreamInfo("photos", 64, 48, 2.0, 1363, is_live=False, is_seekable=True)
    frame = Frame(10, 0, None, np.zeros((30, 40, 3), np.uint8), file="a/IMG_0007.jpg")
    bar.show_source(info, frame)
    shown = label(bar, "Size of the source")
    assert (shown.text(), shown.toolTip()) == (
        "a/IMG_0007.jpg · 11 of 1,363 · 40×30",
        "a/IMG_0007.jpg",
    )
    film = StreamInfo("clip.mp4", 64, 48, 25.0, 100, is_live=False, is_seekable=True)
    bar.show_source(film, replace(frame, file="clip.mp4", frame_in_file=10))
    assert (shown.text(), shown.toolTip()) == ("40×30 @ 25", "")


def line(bar: StatusBar, name: str) -> Sparkline:
    return next(each for each in bar.findChildren(Sparkline) if each.accessibleName() == name)


@pytest.fixture
def timed(qtbot: QtBot, themes: ThemeManager) -> tuple[StatusBar, list[float]]:
    """A bar, and the time in a list of one item."""
    now = [100.0]
    bar = StatusBar(lambda: now[0])
    qtbot.addWidget(bar)
    bar.resize(ROOMY_PX, 28)
    bar.show()
    return bar, now


def error(px: float | None) -> FrameError:
    return FrameError(px, None, "box diagonal", None, 1, 0, 0)


def test_fps_of_the_last_ten_seconds_are_plotted_with_their_value(timed):
    bar, now = timed
    for at, fps in ((100.0, 20.0), (105.0, 30.0), (111.0, 29.6)):
        now[0] = at
        bar.show_stats(PipelineStats(display_fps=fps, capture_fps=31), has_model=False)
    drawn = line(bar, "Frames per second, last 10 s")
    assert drawn.values().tolist() == pytest.approx([30.0, 29.6])
    assert label(bar, "Frames per second").text() == "30 fps"
    tip = drawn.parentWidget().toolTip()
    assert tip.splitlines()[0] == "capture 31.0   model –   display 29.6 fps"


def test_error_is_plotted_by_its_worst_since_the_last_point(timed):
    bar, _now = timed
    drawn = line(bar, "Error, last 10 s")
    bar.note_error(None, None)
    assert not drawn.isVisible()
    for px in (2.0, 5.0, 1.0):
        bar.note_error(error(px), None)
    bar.show_stats(PipelineStats(), has_model=True)
    assert (drawn.isVisible(), drawn.values().tolist()) == (True, [5.0])
    assert label(bar, "Error").text() == "error 1.0 px"
    bar.show_source(None)
    assert not drawn.isVisible()
    assert drawn.values().size == 0


def test_difference_of_two_models_is_plotted_without_ground_truth(timed):
    bar, _now = timed
    drawn = line(bar, "Error, last 10 s")
    bar.note_error(error(7.0), error(1.5))
    bar.show_stats(PipelineStats(), has_model=True)
    bar.note_error(None, error(1.5))
    assert label(bar, "Error").text() == "A–B 1.5 px"
    assert drawn.values().size == 0  # the error is another number
    bar.show_stats(PipelineStats(), has_model=True)
    assert drawn.values().tolist() == [1.5]


def test_fps_and_error_stay_beside_a_long_message(bar):
    bar.resize(760, 28)
    bar.note_error(error(1.0), None)
    bar.show_stats(STATS, has_model=True)
    bar.show_message(LONG)
    assert all(each.isVisible() for each in bar.findChildren(Sparkline))


def test_button_of_the_plots_is_in_the_middle_of_the_bar(qapp, bar):
    button = bar.findChild(QToolButton)
    bar.show_stats(STATS, has_model=True)
    qapp.processEvents()
    place = button.geometry().translated(button.parentWidget().pos())
    assert bar.rect().contains(place)
    assert abs(place.center().y() - bar.rect().center().y()) <= 1


def test_click_and_button_ask_for_the_plots(qtbot, bar):
    asked: list[Act] = []
    bar.asked.connect(asked.append)
    qtbot.mouseClick(line(bar, "Frames per second, last 10 s"), Qt.MouseButton.LeftButton)
    qtbot.mouseClick(bar.findChild(QToolButton), Qt.MouseButton.LeftButton)
    assert asked == [Act.PLOTS, Act.PLOTS]


def test_line_is_drawn_with_its_gaps(qtbot, themes):
    drawn = Sparkline("x", 10.0)
    qtbot.addWidget(drawn)

    def inked() -> list[bool]:
        image = drawn.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        rows = range(image.height() - 4)  # above the baseline
        ground = image.pixel(0, 0)
        return [any(image.pixel(x, y) != ground for y in rows) for x in range(image.width())]

    assert not any(inked())
    for tenth in range(101):
        value = None if 40 < tenth < 60 else 8.0
        drawn.add(tenth / 10, value)
    columns = inked()
    assert (columns[10], columns[32], columns[55]) == (True, False, True)
