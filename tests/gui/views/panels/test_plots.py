"""Plots of rates, times and errors."""

import pytest
from pytestqt.qtbot import QtBot

from kpviewer.gui.views.panels.plots_panel import PlotsPanel
from kpviewer.gui.widgets.theme import DARK
from kpviewer.structures import FrameError, StageTimings


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_the_plot_of_errors_asks_for_annotations_until_there_was_an_error(qtbot: QtBot) -> None:
    plots = PlotsPanel(DARK)
    qtbot.addWidget(plots)
    plots.show()
    plots.draw(0.0)
    assert plots.error.hint() == "Needs annotations"
    plots.add_frame(0.0, StageTimings(), FrameError(2.0, None, "", None, 1, 0, 0))
    plots.draw(60.0)  # paused since
    assert plots.error.hint() == ""
    plots.set_source(None)
    plots.draw(61.0)
    assert plots.error.hint() == "Needs annotations"
