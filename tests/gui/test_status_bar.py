"""The line at the bottom: latency up to the screen, and what was lost for which cause."""

import pytest
from PyQt6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from kpviewer.gui.panels.status_bar import ROOMY_PX, StatusBar
from kpviewer.structures import Percentiles, PipelineStats

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of plain widgets alone

STATS = PipelineStats(
    drops={"queue full": 8, "display skipped": 2},
    latency={"forward": Percentiles(9.8, 11.2, 14.0), "display": Percentiles(44.6, 61.2, 80.3)},
)


@pytest.fixture
def bar(qtbot: QtBot) -> StatusBar:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.resize(ROOMY_PX, 28)
    bar.show()
    return bar


def label(bar: StatusBar, name: str) -> QLabel:
    return next(each for each in bar.findChildren(QLabel) if each.accessibleName() == name)


def test_capture_to_screen_is_told_by_three_percentiles(bar):
    bar.show_stats(STATS, has_model=True)
    shown = label(bar, "Capture to screen")
    assert shown.text() == "to screen 45 · 61 · 80 ms"
    assert "model: 9.8, 11.2, 14.0" in shown.toolTip().splitlines()
    assert "capture to screen: 44.6, 61.2, 80.3" in shown.toolTip().splitlines()


def test_drops_are_told_by_their_cause_with_those_of_the_recorder(bar):
    bar.show_stats(STATS, has_model=True, recorder_dropped=3)
    shown = label(bar, "Dropped frames")
    assert shown.text() == "dropped 13: model busy 8, window busy 2, recorder busy 3"
    assert "model busy: 8 (they came while the model was at work)" in shown.toolTip()
    bar.show_stats(PipelineStats(), has_model=True)
    assert (shown.text(), shown.toolTip()) == ("dropped 0", "Frames lost since the start: none")


def test_narrow_line_leaves_latency_and_causes_to_the_tooltips(bar):
    bar.resize(ROOMY_PX - 1, 28)
    bar.show_stats(STATS, has_model=False)
    assert not label(bar, "Capture to screen").isVisible()
    assert label(bar, "Dropped frames").text() == "dropped 10"
    assert "80.3" in label(bar, "Frames a second").toolTip()
