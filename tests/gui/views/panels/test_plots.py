"""Plots of rates, times and errors."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PyQt6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from kpviewer.gui.views.panels.plots_panel import PlotsPanel
from kpviewer.gui.widgets.theme import DARK
from kpviewer.structures import FrameError, StageTimings

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def plots(qtbot: QtBot) -> Iterator[PlotsPanel]:
    panel = PlotsPanel(DARK)
    qtbot.addWidget(panel)
    yield panel
    panel.stop()


def test_a_turn_of_the_event_loop_makes_one_plot(plots):
    plots.show()
    made = [len(plots.made)]
    while made[-1] < 3:
        QCoreApplication.processEvents()
        made.append(len(plots.made))
    assert max(after - before for before, after in pairwise([0, *made])) == 1


def test_hiding_the_plots_before_they_are_made_makes_them_once(qtbot, plots):
    for _ in range(2):
        plots.show()
        plots.hide()
    plots.show()
    qtbot.waitUntil(lambda: len(plots.made) == 3 and plots.made[2].isVisible())


def test_the_plot_of_errors_says_what_it_lacks_until_there_was_an_error(qtbot, plots):
    plots.show()
    qtbot.waitUntil(lambda: len(plots.made) == 3 and plots.made[2].isVisible())
    plots.draw(0.0)
    assert plots.made[2].hint() == ""
    plots.show_lack("needs annotations")
    plots.draw(0.0)
    assert plots.made[2].hint() == "needs annotations"
    plots.add_frame(0.0, StageTimings(), FrameError(2.0, None, "", None, 1, 0, 0))
    plots.draw(60.0)  # paused since
    assert plots.made[2].hint() == ""
    plots.set_source(None)
    plots.draw(61.0)
    assert plots.made[2].hint() == "needs annotations"
