"""Panels that are shown, hidden, moved, floated and restored."""

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QDockWidget, QMenu, QTextEdit, QWidget

from kpviewer.config.files import read_settings, settings_path, write_settings
from kpviewer.config.settings import Settings, WindowSettings
from kpviewer.gui.controllers.settings_menu import add_panels_menu
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.views.panels.docks import DockArea, Part
from kpviewer.gui.widgets.dock import BAR_PX, Dock

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key
Area = Qt.DockWidgetArea
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # said of floating panels


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "config"


def dock_in(parent: QWidget, part: Part) -> Dock:
    return next(d for d in parent.findChildren(Dock) if d.objectName() == f"dock-{part}")


def dock_of(window: MainWindow, part: Part) -> Dock:
    return dock_in(window, part)


def area_of(window: MainWindow, part: Part) -> Qt.DockWidgetArea:
    return window.docks.dockWidgetArea(dock_of(window, part))


def panels_menu(window: MainWindow) -> QMenu:
    menu = window.top_bar.settings.menu()
    menu.aboutToShow.emit()
    found = next(each for each in menu.actions() if each.text() == "Panels").menu()
    assert found is not None
    return found


def line(menu: QMenu, text: str) -> QAction:
    return next(each for each in menu.actions() if each.text().partition("\t")[0] == text)


def test_at_first_the_side_panel_is_there_and_no_panel_has_a_bar(qtbot, open_window):
    window = open_window()
    side, plots = window.side_panel, window.plots
    assert not plots.isVisible()
    qtbot.keyClick(window, Key.Key_G)
    qtbot.waitUntil(lambda: plots.height() == 148)
    assert side.width() == 240
    assert side.mapTo(window, side.rect().topRight()).x() == window.width() - 1
    assert side.mapTo(window, side.rect().topLeft()).y() == window.top_bar.height()
    assert plots.mapTo(window, plots.rect().topLeft()).x() == 0
    assert plots.width() == window.width() - side.width() - 1
    assert not any(dock.bar.isEnabled() or dock.bar.height() for dock in window.findChildren(Dock))


def test_keys_fold_and_unfold(qtbot, open_window):
    window = open_window()
    qtbot.keyClick(window, Key.Key_G)
    assert window.plots.isVisible()
    qtbot.keyClick(window, Key.Key_P)
    qtbot.keyClick(window, Key.Key_G)
    assert not window.side_panel.isVisible()
    assert not window.plots.isVisible()
    qtbot.waitUntil(lambda: window.view.width() == window.width())
    qtbot.keyClick(window, Key.Key_P)
    assert window.side_panel.isVisible()
    assert window.docks.wanted() | {Part.SIDE: True, Part.PLOTS: False} == window.docks.wanted()


def test_menu_ticks_what_is_there_and_brings_it_back(open_window):
    window = open_window()
    window.docks.set_wanted(Part.PLOTS, wanted=True)
    line(panels_menu(window), "Plots").trigger()
    assert not window.plots.isVisible()
    menu = panels_menu(window)
    assert line(menu, "Side panel").isChecked()
    assert not line(menu, "Plots").isChecked()
    assert line(menu, "Plots").text().endswith("\tG")
    line(menu, "Plots").trigger()
    assert window.plots.isVisible()


def test_bars_come_on_request_with_buttons_to_float_and_close(qtbot, open_window):
    window = open_window()
    window.docks.set_wanted(Part.PLOTS, wanted=True)
    line(panels_menu(window), "Move panels").trigger()
    dock = dock_of(window, Part.PLOTS)
    qtbot.waitUntil(lambda: dock.bar.height() == BAR_PX)
    qtbot.mouseClick(dock.bar.float_button, LEFT)
    assert dock.isFloating()
    line(panels_menu(window), "Move panels").trigger()
    assert dock.bar.isEnabled()  # a window needs its bar
    assert not dock_of(window, Part.SIDE).bar.isEnabled()
    qtbot.mouseClick(dock.bar.float_button, LEFT)
    assert not dock.isFloating()
    line(panels_menu(window), "Move panels").trigger()
    qtbot.mouseClick(dock.bar.close_button, LEFT)
    assert not window.plots.isVisible()
    assert not line(panels_menu(window), "Plots").isChecked()
    qtbot.keyClick(window, Key.Key_G)
    assert window.plots.isVisible()


def test_full_screen_hides_all_and_brings_back_what_was_there(qtbot, open_window):
    window = open_window()
    dock_of(window, Part.SIDE).setFloating(True)
    qtbot.keyClick(window, Key.Key_F)
    assert not window.side_panel.isVisible()
    assert window.docks.wanted()[Part.SIDE]
    qtbot.keyClick(window, Key.Key_P)  # asked for all the same
    assert window.side_panel.isVisible()
    qtbot.keyClick(window, Key.Key_Escape)
    assert window.side_panel.isVisible()
    assert not window.plots.isVisible()


def test_places_and_sizes_are_there_the_next_time(qtbot, open_window, folder):
    window = open_window(settings_folder=folder)
    docks = window.docks
    docks.set_wanted(Part.PLOTS, wanted=True)
    docks.addDockWidget(Area.LeftDockWidgetArea, dock_of(window, Part.SIDE))
    docks.resizeDocks([dock_of(window, Part.PLOTS)], [230], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: window.plots.height() == 230)
    qtbot.keyClick(window, Key.Key_P)
    window.close()
    again = open_window(settings_folder=folder)
    assert not again.side_panel.isVisible()
    assert area_of(again, Part.SIDE) is Area.LeftDockWidgetArea
    assert again.plots.height() == 230
    qtbot.keyClick(again, Key.Key_P)
    qtbot.waitUntil(lambda: again.side_panel.isVisible() and again.side_panel.x() == 0)
    line(panels_menu(again), "Reset panels").trigger()
    assert area_of(again, Part.SIDE) is Area.RightDockWidgetArea
    qtbot.waitUntil(lambda: again.side_panel.width() == 240)
    assert not again.plots.isVisible()


@pytest.mark.parametrize("part", [Part.SIDE, Part.PLOTS])
def test_a_panel_that_is_a_window_of_its_own_can_be_reset(qtbot, open_window, part):
    window = open_window()
    window.docks.set_wanted(part, wanted=True)
    dock = dock_of(window, part)
    dock.setFloating(True)
    qtbot.waitUntil(dock.isVisible)
    line(panels_menu(window), "Reset panels").trigger()
    assert not dock.isFloating()
    qtbot.waitUntil(lambda: window.side_panel.width() == 240 and window.side_panel.x() == 0)


def test_panels_that_were_never_shown_can_be_reset(open_window):
    open_window().docks.reset()  # Qt warns of a width of 0


def test_state_in_full_screen_is_that_of_the_window(qtbot, open_window, folder):
    window = open_window(settings_folder=folder)
    qtbot.keyClick(window, Key.Key_G)
    qtbot.keyClick(window, Key.Key_F)
    window.close()
    again = open_window(settings_folder=folder)
    assert again.side_panel.isVisible()
    assert again.plots.isVisible()


@pytest.mark.parametrize("state", ["not base64 !", "AAAA", "/////wAAAAD9AAAA", "é"])
def test_damaged_state_is_ignored(open_window, folder, state):
    write_settings(settings_path(folder), Settings(window=WindowSettings(docks=state)))
    window = open_window(settings_folder=folder)
    assert window.side_panel.width() == 240
    assert window.side_panel.isVisible()
    assert not any(dock.isFloating() for dock in window.findChildren(QDockWidget))


def test_state_cut_short_or_changed_anywhere_never_hides_a_panel(qtbot, themes):
    area = DockArea(QTextEdit(), {Part.SIDE: QTextEdit(), Part.PLOTS: QTextEdit()})
    qtbot.addWidget(area)
    area.resize(900, 700)
    area.set_wanted(Part.PLOTS, wanted=True)
    area.show()
    state = area.state()
    for at in range(0, len(state), 7):
        area.restore(state[: at - at % 4])
        other = "A" if state[at] != "A" else "/"
        area.restore(state[:at] + other + state[at + 1 :])
        assert all(dock.isVisible() for dock in area.findChildren(Dock))
    area.reset()
    assert not dock_in(area, Part.PLOTS).isVisible()
    assert not any(dock.isFloating() for dock in area.findChildren(Dock))


def test_window_that_was_never_shown_keeps_the_state(qtbot, open_window, themes, folder):
    window = open_window(settings_folder=folder)
    window.docks.addDockWidget(Area.LeftDockWidgetArea, dock_of(window, Part.SIDE))
    window.close()
    before = read_settings(settings_path(folder)).settings.window.docks
    unseen = MainWindow(ViewerOptions(settings_folder=folder), themes)
    qtbot.addWidget(unseen)
    unseen.close()
    assert read_settings(settings_path(folder)).settings.window.docks == before


def test_place_of_the_window_comes_back_if_its_screen_is_there(qtbot, open_window, themes, folder):
    window = open_window(settings_folder=folder)
    window.resize(780, 560)
    window.move(12, 34)
    window.close()
    assert open_window(settings_folder=folder).pos() == window.pos()


@pytest.mark.parametrize("corner", [(50_000, -50_000), (10, -540), (-770, 10), (790, 10)])
def test_place_whose_title_bar_no_screen_would_show_is_left(open_window, folder, corner):
    kept = WindowSettings(780, 560, left_px=corner[0], top_px=corner[1])
    write_settings(settings_path(folder), Settings(window=kept))
    pos = open_window(settings_folder=folder).pos()
    assert (pos.x(), pos.y()) != corner


def test_small_window_folds_the_plots_and_unfolds_them_to_their_height(qtbot, open_window):
    window = open_window()
    qtbot.keyClick(window, Key.Key_G)
    window.resize(1024, 700)
    qtbot.waitUntil(window.plots.is_folded)
    qtbot.waitUntil(lambda: window.plots.height() == 168)
    window.resize(1360, 860)
    qtbot.waitUntil(lambda: window.plots.height() == 148)


def test_menu_of_panels_explains_its_entries(qtbot, themes):
    area = DockArea(QTextEdit(), {Part.SIDE: QTextEdit()})
    qtbot.addWidget(area)
    menu = QMenu(area)
    add_panels_menu(menu, area)
    (panels,) = (each.menu() for each in menu.actions())
    assert panels.toolTipsVisible()
    assert all(line(panels, text).toolTip() for text in ("Move panels", "Reset panels"))
