"""Sections of the side panel, and the room that the window leaves to the image."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeSource
from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QApplication

from kpviewer.config.files import read_settings, settings_path, write_settings
from kpviewer.config.settings import Settings, WindowSettings
from kpviewer.errors import SourceError
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.views.panels.display_panel import DisplayPanel
from kpviewer.gui.views.panels.side_panel import Intent, SidePanel
from kpviewer.structures import GroundTruth

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key
AREA_SHARES = {(1024, 700): 0.48, (1280, 800): 0.55, (1600, 1000): 0.55}
"""Least share that an image of any usual shape takes, by the size of the window."""


def labelled_source() -> FakeSource:
    boxes = np.array([[0, 0, 10, 10]], np.float32)
    no_points = np.zeros((1, 0, 2), np.float32)
    truth = GroundTruth(
        boxes, np.zeros(1, np.int64), no_points, np.zeros((1, 0), bool), np.zeros(1, bool)
    )
    return FakeSource(300, ground_truth=truth)


def open_sections(window: MainWindow) -> set[str]:
    return {name.value for name, each in window.side_panel.sections.items() if each.is_open}


def click(qtbot, window: MainWindow, intent: Intent) -> None:
    qtbot.mouseClick(window.side_panel.sections[intent].heading, LEFT)


def wait_for_image(qtbot, window: MainWindow) -> None:
    qtbot.waitUntil(lambda: window.session.engine is not None)
    qtbot.waitUntil(lambda: window.view.result() is not None)


def test_what_is_seldom_needed_is_folded_at_first(qtbot, open_window):
    window = open_window()
    wait_for_image(qtbot, window)
    assert open_sections(window) == {"find", "act"}
    assert window.side_panel.thresholds.isVisible()
    assert not window.side_panel.display.look.isVisible()
    click(qtbot, window, Intent.LOOK)
    click(qtbot, window, Intent.FIND)
    assert window.side_panel.display.look.isVisible()
    assert not window.side_panel.thresholds.isVisible()


def test_heading_is_reached_and_pressed_by_keys(qtbot, open_window):
    window = open_window()
    heading = window.side_panel.sections[Intent.LOOK].heading
    assert heading.accessibleName() == "Look"
    assert heading.focusPolicy() & Qt.FocusPolicy.TabFocus
    heading.setFocus()
    qtbot.keyClick(heading, Key.Key_Return)
    assert "look" in open_sections(window)


def test_tab_into_the_panel_scrolls_to_what_gets_the_focus(qtbot, open_window):
    window = open_window()
    wait_for_image(qtbot, window)
    window.resize(1024, 620)
    window.side_panel.open(Intent.LOOK)
    page, heading = window.side_panel.page, window.side_panel.sections[Intent.FIND].heading
    qtbot.waitUntil(lambda: page.verticalScrollBar().maximum() > 0)
    page.verticalScrollBar().setValue(page.verticalScrollBar().maximum())
    assert heading.visibleRegion().isEmpty()
    window.transport.play.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(9):
        if not heading.hasFocus():
            qtbot.keyClick(QApplication.focusWidget(), Key.Key_Tab)
    assert heading.hasFocus()
    assert heading.visibleRegion().boundingRect() == heading.rect()


def test_find_says_how_many_were_found(qtbot, open_window):
    window = open_window()
    summary = window.side_panel.sections[Intent.FIND].heading.summary
    qtbot.waitUntil(lambda: summary.text() == "2 found")
    window.side_panel.thresholds.confidence.box.setValue(0.95)
    qtbot.waitUntil(lambda: summary.text() == "0 found")


def test_where_no_model_was_run_nothing_is_called_found(qtbot, open_window):
    source = FakeSource(300)

    def open_it(text, _ground_truth):
        if text != "fake":
            raise SourceError(f"File not found: {text}.")
        return source

    window = open_window(open_source=open_it)
    summary = window.side_panel.sections[Intent.FIND].heading.summary
    qtbot.waitUntil(lambda: summary.text() == "2 found")
    assert " ms" in window.status_bar.model.text()
    window.session.close_source()
    window.opener.choose_source("missing.mp4")
    qtbot.waitUntil(lambda: window.view.card.card() is not None)
    assert summary.text() == ""
    assert " ms" not in window.status_bar.model.text()


def test_score_opens_by_itself_with_ground_truth(qtbot, open_window):
    window = open_window(labelled_source())
    qtbot.waitUntil(lambda: "score" in open_sections(window))
    assert window.side_panel.choices() == {}


def test_score_that_the_user_folded_stays_folded(qtbot, open_window, tmp_path):
    window = open_window(labelled_source(), settings_folder=tmp_path)
    qtbot.waitUntil(lambda: "score" in open_sections(window))
    click(qtbot, window, Intent.SCORE)
    window.bridge.refresh()
    assert "score" not in open_sections(window)
    window.close()
    again = open_window(labelled_source(), settings_folder=tmp_path)
    wait_for_image(qtbot, again)
    qtbot.waitUntil(lambda: again.view.result().frame.ground_truth is not None)
    again.bridge.refresh()
    assert "score" not in open_sections(again)


def test_what_the_user_opened_and_folded_is_remembered(qtbot, open_window, tmp_path):
    window = open_window(settings_folder=tmp_path)
    for intent in (Intent.ACT, Intent.LOOK, Intent.FIND, Intent.FIND):
        click(qtbot, window, intent)
    window.close()
    panels = read_settings(settings_path(tmp_path)).settings.panels
    assert panels == {"act": False, "look": True}
    assert open_sections(open_window(settings_folder=tmp_path)) == {"find", "look"}


VERSION_1 = (
    "5d9fe4e4:AAAA/wAAAAH9AAAAAwAAAAAAAAAAAAAAAPwCAAAAAfsAAAAUAGQAbwBjAGsALQB0AGEAYgBsAGUAAAAAAP///"
    "/8AAAAAAAAAAAAAAAEAAAEoAAADDPwCAAAAAfsAAAASAGQAbwBjAGsALQBzAGkAZABlAQAAAAAAAAMMAAAAAAAAAAAAAAAD"
)
"""Beginning of a layout as kpviewer 0.1 wrote it."""


def test_settings_of_version_0_1_do_no_harm(qtbot, open_window, tmp_path):
    kept = Settings(panels={"plots": False, "side": True}, window=WindowSettings(docks=VERSION_1))
    write_settings(settings_path(tmp_path), kept)
    window = open_window(settings_folder=tmp_path)
    assert open_sections(window) == {"find", "act"}
    assert (window.side_panel.isVisible(), window.plots.isVisible()) == (True, False)
    assert window.side_panel.width() == 240


def image_share(window: MainWindow, shape: tuple[int, int]) -> float:
    """Return the share of the window that an image of a shape takes, at most as large as fits."""
    view, (across, down) = window.view, shape
    scale = min(view.width() / across, view.height() / down)
    return scale**2 * across * down / (window.width() * window.height())


def show_at(qtbot, window: MainWindow, size: tuple[int, int]) -> None:
    window.resize(*size)
    wait_for_image(qtbot, window)
    qtbot.waitUntil(lambda: "score" in open_sections(window))
    qtbot.waitUntil(lambda: (window.width(), window.height()) == size)
    QApplication.processEvents()


@pytest.mark.parametrize("size", AREA_SHARES)
def test_image_takes_most_of_the_window(qtbot, open_window, size):
    window = open_window(labelled_source())
    show_at(qtbot, window, size)
    for shape in ((4, 3), (16, 9)):
        assert image_share(window, shape) >= AREA_SHARES[size]


def test_image_takes_most_of_the_window_in_chinese(qtbot, chinese, open_window):
    window = open_window(labelled_source())
    show_at(qtbot, window, (1280, 800))
    assert image_share(window, (4, 3)) >= AREA_SHARES[1280, 800]
    content, viewport = window.side_panel.page.widget(), window.side_panel.page.viewport()
    window.side_panel.open(Intent.LOOK)
    assert content.minimumSizeHint().width() <= viewport.width()


def test_no_button_has_the_focus_at_first(qtbot, open_window):
    window = open_window()
    wait_for_image(qtbot, window)
    assert window.focusWidget() is window.view


def test_strip_opens_and_closes_the_plots(qtbot, open_window):
    window = open_window()
    strip = window.status_bar
    for is_open in (True, False):
        qtbot.mouseClick(strip, LEFT, pos=strip.rect().center())
        assert window.plots.isVisible() is is_open


def test_bars_are_low(qtbot, open_window):
    window = open_window()
    window.resize(1280, 800)
    wait_for_image(qtbot, window)
    assert window.top_bar.height() == 40
    assert window.status_bar.height() <= 28
    assert window.transport.height() <= 64


@pytest.mark.parametrize("width", [760, 1024])
def test_nothing_of_the_top_bar_is_clipped(qtbot, open_window, width):
    window = open_window()
    window.resize(width, 700)
    wait_for_image(qtbot, window)
    window.top_bar.source.set_choice("a-long-name-of-a-recording-of-yesterday.mp4")
    window.top_bar.model.set_choice("Faces, precise landmarks (slower)")
    QApplication.processEvents()
    bar = window.top_bar
    assert bar.minimumSizeHint().width() <= width == bar.width()
    for button in (bar.source, bar.model, bar.record, bar.record_options, bar.export, bar.settings):
        assert bar.rect().contains(button.geometry())
        assert button.width() >= button.minimumSizeHint().width()


class StyledWidgets(QObject):
    """Widgets that the style sheet was applied to."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Polish:
            self.seen.append(watched)
        return False


def test_widgets_of_the_sections_are_styled_only_when_they_are_shown(qapp, qtbot, themes):
    styled = StyledWidgets()
    qapp.installEventFilter(styled)
    panel = SidePanel()
    qapp.removeEventFilter(styled)
    qtbot.addWidget(panel)
    headings = [section.heading for section in panel.sections.values()]
    assert not {*headings, panel.classes, panel.score.summary}.intersection(styled.seen)


def test_only_landmarks_can_be_smoothed(qtbot):
    panel = DisplayPanel()
    qtbot.addWidget(panel.act)
    qtbot.addWidget(panel.look)
    for names in ((), ("nose",)):
        panel.set_model(replace(FAKE_SPEC, keypoint_names=names))
        assert panel.switches["smooth_landmarks"].isEnabled() is bool(names)
        assert panel.switches["tracks"].isEnabled()
