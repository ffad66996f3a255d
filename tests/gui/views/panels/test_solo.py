"""One class shown alone and the return: by double click, button, keyboard and Ctrl+click."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fakes import FAKE_SPEC
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QApplication, QVBoxLayout, QWidget

from kpviewer.config.files import read_settings, settings_path
from kpviewer.gui.views.panels.class_list import ClassList
from kpviewer.gui.views.panels.class_rows import ClassTree, Solo

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
Key = Qt.Key
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of plain widgets alone


@pytest.fixture
def classes(qtbot, themes) -> Iterator[ClassList]:
    holder = QWidget()
    qtbot.addWidget(holder)
    classes = ClassList()
    QVBoxLayout(holder).addWidget(classes)
    classes.set_classes(("cat", "dog", "cow"), frozenset((0, 1)))
    with qtbot.waitExposed(holder):
        holder.show()
    yield classes


def tree_of(classes) -> ClassTree:
    return classes.findChild(ClassTree)


def centre_of(classes, row: int) -> QPoint:
    tree = tree_of(classes)
    return tree.visualItemRect(tree.topLevelItem(row)).center()


def click(qtbot, classes, row: int, modifier=CTRL) -> None:
    qtbot.mouseClick(tree_of(classes).viewport(), LEFT, modifier, centre_of(classes, row))


def test_keys_show_which_class_they_act_on(qtbot, classes):
    tree = tree_of(classes)
    with qtbot.waitActive(tree.window()):
        tree.window().activateWindow()
    tree.clearFocus()
    images = [tree.grab().toImage()]
    tree.setFocus(Qt.FocusReason.TabFocusReason)
    images.append(tree.grab().toImage())
    qtbot.keyClick(tree, Key.Key_Down)
    images.append(tree.grab().toImage())
    assert tree.currentIndex().row() == 1
    assert images[0] != images[1] != images[2] != images[0]


def test_ctrl_click_shows_a_class_alone_and_again_what_was_shown(qtbot, classes):
    with qtbot.waitSignals([classes.changed]):
        click(qtbot, classes, 1)
    assert classes.shown() == {1}
    click(qtbot, classes, 1)
    assert classes.shown() == {0, 1}


def test_from_one_class_alone_to_another_and_back_to_the_first_choice(qtbot, classes):
    click(qtbot, classes, 0)
    click(qtbot, classes, 2)
    assert classes.shown() == {2}
    click(qtbot, classes, 2)
    assert classes.shown() == {0, 1}


def test_it_is_not_lasting_when_the_same_classes_are_listed_again(qtbot, classes):
    click(qtbot, classes, 2)
    classes.set_classes(("cat", "dog", "cow"), frozenset((2,)))  # with another confidence
    assert classes.lasting() == {0, 1}
    click(qtbot, classes, 2)
    assert classes.shown() == {0, 1}


def test_tick_by_hand_ends_it_for_good(qtbot, classes):
    click(qtbot, classes, 0)
    classes.set_ticked(2, True)
    assert classes.lasting() == {0, 2}
    click(qtbot, classes, 0)  # alone anew
    assert classes.shown() == {0}
    click(qtbot, classes, 0)
    assert classes.shown() == {0, 2}


def test_ctrl_click_on_the_box_does_not_tick_it_too(qtbot, classes):
    tree = tree_of(classes)
    rect = tree.visualItemRect(tree.topLevelItem(2))
    qtbot.mouseClick(tree.viewport(), LEFT, CTRL, QPoint(10, rect.center().y()))
    assert classes.shown() == {2}
    qtbot.mouseClick(tree.viewport(), LEFT, CTRL, QPoint(10, rect.center().y()))
    assert classes.shown() == {0, 1}


def test_double_click_on_a_name_shows_its_class_alone(qtbot, classes):
    viewport = tree_of(classes).viewport()
    qtbot.mouseDClick(viewport, LEFT, pos=centre_of(classes, 1))
    assert classes.shown() == {1}
    qtbot.mouseDClick(viewport, LEFT, pos=centre_of(classes, 1))
    assert classes.shown() == {0, 1}


def test_double_click_on_the_box_shows_no_class_alone(qtbot, classes):
    on_box = QPoint(10, centre_of(classes, 1).y())
    qtbot.mouseDClick(tree_of(classes).viewport(), LEFT, pos=on_box)
    assert classes.lasting() == classes.shown()


def test_button_follows_the_pointer_and_names_its_effect(qtbot, classes):
    solo = tree_of(classes).solo
    assert not solo.isVisible()
    qtbot.mouseMove(tree_of(classes).viewport(), centre_of(classes, 0))
    QApplication.processEvents()
    qtbot.mouseMove(tree_of(classes).viewport(), centre_of(classes, 1))
    qtbot.waitUntil(solo.isVisible)
    assert (solo.text(), solo.toolTip()) == ("Only", "Show only dog (double click)")
    assert abs(solo.geometry().center().y() - centre_of(classes, 1).y()) <= 1
    qtbot.mouseClick(solo, LEFT)
    assert classes.shown() == {1}
    assert solo.text() == "All"
    qtbot.mouseClick(solo, LEFT)
    assert classes.shown() == {0, 1}


def test_one_class_needs_no_button(qtbot, classes):
    classes.set_classes(("face",), None)
    qtbot.mouseMove(tree_of(classes).viewport(), centre_of(classes, 0))
    QApplication.processEvents()
    assert not tree_of(classes).solo.isVisible()


def test_keyboard_reaches_it(qtbot, classes):
    tree = tree_of(classes)
    tree.setFocus()
    tree.setCurrentItem(tree.topLevelItem(1))
    qtbot.keyClick(tree, Key.Key_Return, CTRL)
    assert classes.shown() == {1}
    qtbot.keyClick(tree, Key.Key_Return, CTRL)
    qtbot.keyClick(tree, Key.Key_Return)
    assert classes.shown() == {0}


def test_other_classes_of_another_model_end_it(classes):
    classes.toggle_solo(0)
    classes.set_classes(("a", "b"), None)
    assert classes.lasting() is None
    classes.toggle_solo(0)
    assert classes.shown() == {0}


def test_window_filters_and_remembers_what_is_shown_without_it(
    qtbot, open_window, engine, tmp_path
):
    engine.spec = replace(FAKE_SPEC, class_names=("cat", "dog"))
    window = open_window(settings_folder=tmp_path / "config")
    qtbot.waitUntil(lambda: window.session.engine is not None)
    window.side_panel.classes.toggle_solo(1)
    assert window.session.thresholds.classes == {1}
    window.close()
    assert not read_settings(settings_path(tmp_path / "config")).settings.thresholds


def test_state_leads_back_to_all():
    solo = Solo()
    assert solo.toggle(3, None) == {3}
    assert (solo.class_id, solo.lasting(frozenset((3,)))) == (3, None)
    assert solo.toggle(3, frozenset((3,))) is None
    assert solo.class_id is None
