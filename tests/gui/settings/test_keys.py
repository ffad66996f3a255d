"""Keys: each has one meaning, and the tooltips of controls end with theirs."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from fakes import FakeSource
from PyQt6.QtCore import QEvent, QPoint, Qt
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QLabel, QScrollArea

from kpviewer.config.files import read_settings, settings_path
from kpviewer.gui.keys import Act, keys_of, tooltip, use_keys
from kpviewer.gui.settings.key_bindings import own_keys
from kpviewer.gui.views.dialogs.keys_dialog import KeysDialog, portable

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of dialogs without a screen


def test_no_key_has_two_meanings():
    counts = Counter(key for act in Act for key in act.value.keys)
    assert [key for key, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("act", list(Act))
def test_every_key_is_one_that_qt_knows(act):
    for key in act.value.keys:
        assert not QKeySequence(key).isEmpty()


def test_tooltips_end_with_the_key():
    assert tooltip(Act.RECORD) == "Record (R)"


def test_every_button_has_a_name_and_a_tooltip(open_window):
    window = open_window()
    bars = (window.top_bar, window.transport)
    buttons = [button for bar in bars for button in bar.findChildren(QAbstractButton)]
    assert len(buttons) > 10
    for button in buttons:
        assert button.accessibleName()
        assert button.toolTip(), button.accessibleName()


def test_the_tooltip_of_a_button_with_a_key_ends_with_the_key(open_window):
    window = open_window()
    acts = {act.value.text: act for act in Act}
    bars = (window.top_bar, window.transport)
    buttons = [button for bar in bars for button in bar.findChildren(QAbstractButton)]
    keyed = [button for button in buttons if button.accessibleName() in acts]
    assert len(keyed) >= 10
    for button in keyed:
        key = acts[button.accessibleName()].value.keys[0]
        assert button.toolTip().endswith(f"({key})"), button.accessibleName()


def test_help_sheet_lists_every_action(qtbot, themes, open_window):
    window = open_window()
    dialog = KeysDialog(window, window.key_bindings)
    texts = {label.text() for label in dialog.findChildren(QLabel)}
    assert {act.value.text for act in Act} <= texts


def test_the_help_sheet_fits_on_a_small_screen(qtbot, themes, open_window):
    window = open_window()
    dialog = KeysDialog(window, window.key_bindings)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    room = dialog.screen().availableSize()
    assert room.width() == 800  # less than the three columns need
    assert dialog.width() <= room.width() and dialog.height() <= room.height()
    assert dialog.rect().contains(dialog.reset.geometry())
    (area,) = dialog.findChildren(QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0


def test_every_row_of_the_help_sheet_is_as_high_as_its_key(qtbot, themes, open_window):
    window = open_window()
    dialog = KeysDialog(window, window.key_bindings)
    qtbot.addWidget(dialog)
    dialog.resize(dialog.minimumSizeHint())  # a low screen allows no more
    with qtbot.waitExposed(dialog):
        dialog.show()
    buttons = list(dialog.buttons.values())
    steps = {
        below.mapToGlobal(QPoint()).y() - above.mapToGlobal(QPoint()).y()
        for above, below in pairwise(buttons)
        if above.parentWidget() is below.parentWidget()
    }
    assert steps == {buttons[0].height() + 2}


# -- keys of the user


@pytest.fixture
def usual() -> Iterator[None]:
    yield
    use_keys({})


def key_of_row(dialog: KeysDialog, act: Act) -> str:
    return dialog.buttons[act].text()


def press(qtbot, dialog: KeysDialog, act: Act, *keys, modifier=Qt.KeyboardModifier.NoModifier):
    qtbot.mouseClick(dialog.buttons[act], Qt.MouseButton.LeftButton)
    for key in keys:
        qtbot.keyClick(dialog.buttons[act], key, modifier)


@pytest.mark.usefixtures("usual")
def test_a_changed_key_is_used_shown_and_remembered(qtbot, open_window, tmp_path):
    window = open_window(settings_folder=tmp_path)
    ran = []
    window.actions_of_keys.handle({Act.SNAPSHOT: lambda: ran.append("snapshot")})
    dialog = KeysDialog(window, window.key_bindings)
    assert not dialog.reset.isEnabled()
    press(qtbot, dialog, Act.SNAPSHOT, Qt.Key.Key_J)
    assert key_of_row(dialog, Act.SNAPSHOT) == "J"
    assert window.top_bar.snapshot.toolTip().endswith("(J)")
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert ran == []
    qtbot.keyClick(window, Qt.Key.Key_J)
    assert ran == ["snapshot"]
    window.close()
    again = open_window(settings_folder=tmp_path)
    assert keys_of(Act.SNAPSHOT) == ("J",)
    dialog = KeysDialog(again, again.key_bindings)
    qtbot.mouseClick(dialog.reset, Qt.MouseButton.LeftButton)
    assert keys_of(Act.SNAPSHOT) == ("S",)
    again.close()
    assert read_settings(settings_path(tmp_path)).settings.keys == {}


@pytest.mark.usefixtures("usual")
def test_a_key_that_is_taken_moves_only_when_it_is_pressed_again(qtbot, open_window):
    window = open_window()
    dialog = KeysDialog(window, window.key_bindings)
    press(qtbot, dialog, Act.SNAPSHOT, Qt.Key.Key_R)
    assert dialog.hint.text().startswith("R is taken by: Record.")
    assert (keys_of(Act.SNAPSHOT), keys_of(Act.RECORD)) == (("S",), ("R",))
    qtbot.keyClick(dialog.buttons[Act.SNAPSHOT], Qt.Key.Key_R)
    assert (keys_of(Act.SNAPSHOT), keys_of(Act.RECORD)) == (("R",), ())
    assert key_of_row(dialog, Act.RECORD) == "–"
    assert window.top_bar.record.toolTip().endswith("Record")


@pytest.mark.usefixtures("usual")
def test_tooltips_follow_keys_that_were_taken_away_and_given_again(open_window, tmp_path):
    window = open_window(settings_folder=tmp_path)
    keys, panel, speed = window.key_bindings, window.top_bar.panel, window.transport.speed
    keys.set_key(Act.PLOTS, "P")
    assert panel.toolTip() == "Side panel"
    keys.set_key(Act.PANEL, "K")
    assert panel.toolTip() == "Side panel (K)"
    keys.set_key(Act.FASTER, "Ctrl+]")
    assert speed.toolTip().endswith("([ Ctrl+])")
    keys.set_key(Act.PLOTS, "K")  # remembered: in the next window the panel has none
    window.close()
    again = open_window(settings_folder=tmp_path)
    assert again.top_bar.panel.toolTip() == "Side panel"
    again.key_bindings.reset()
    assert again.top_bar.panel.toolTip() == "Side panel (P)"
    assert again.transport.speed.toolTip().endswith("([ ])")


@pytest.mark.usefixtures("usual")
def test_messages_name_the_present_keys(qtbot, open_window):
    window = open_window(FakeSource(3))
    chip = window.view.chip
    qtbot.waitUntil(lambda: chip.text() == "The end · Space plays again")
    window.key_bindings.set_key(Act.PLAY, "K")
    qtbot.waitUntil(lambda: chip.text() == "The end · K plays again")
    window.key_bindings.set_key(Act.LOOP, "K")
    qtbot.waitUntil(lambda: chip.text() == "The end")
    window.actions_of_keys.run(Act.NEXT_MARK)
    assert window.status_bar.message_text() == "No mark yet. M marks this frame."
    window.key_bindings.set_key(Act.LOOP, "M")
    window.actions_of_keys.run(Act.NEXT_MARK)
    assert window.status_bar.message_text() == "No mark yet."


@pytest.mark.usefixtures("usual")
def test_escape_keeps_the_key_and_the_dialog(qtbot, open_window):
    window = open_window()
    dialog = KeysDialog(window, window.key_bindings)
    dialog.open()
    press(qtbot, dialog, Act.SNAPSHOT, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    assert not dialog.buttons[Act.SNAPSHOT].is_waiting
    assert key_of_row(dialog, Act.SNAPSHOT) == "S"


@pytest.mark.usefixtures("usual")
def test_modifiers_belong_to_the_key_and_other_keys_of_the_action_stay(qtbot, open_window):
    window = open_window()
    dialog = KeysDialog(window, window.key_bindings)
    control = Qt.KeyboardModifier.ControlModifier
    press(qtbot, dialog, Act.FULLSCREEN, Qt.Key.Key_Control, Qt.Key.Key_J, modifier=control)
    assert keys_of(Act.FULLSCREEN) == ("Ctrl+J", "F11")


def test_signs_are_written_without_shift():
    shift = Qt.KeyboardModifier.ShiftModifier
    press = QEvent.Type.KeyPress
    assert portable(QKeyEvent(press, Qt.Key.Key_Question, shift, "?")) == "?"
    assert portable(QKeyEvent(press, Qt.Key.Key_R, shift, "R")) == "Shift+R"
    keypad = Qt.KeyboardModifier.KeypadModifier
    assert portable(QKeyEvent(press, Qt.Key.Key_1, keypad, "1")) == "1"


def test_remembered_keys_that_are_no_keys_are_ignored():
    kept = {
        "record": ("S",),  # the usual key of another action, which loses it
        "loop": ("S", "no key", "Ctrl+L"),  # taken, invalid, valid
        "unicorn": ("U",),
    }
    assert own_keys(kept) == {Act.RECORD: ("S",), Act.LOOP: ("Ctrl+L",), Act.SNAPSHOT: ()}
