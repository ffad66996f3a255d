"""Keys: each has one meaning, and the tooltips of controls end with theirs."""

from collections import Counter

import pytest
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QLabel

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.keys_dialog import KeysDialog


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
    dialog = KeysDialog(window)
    texts = {label.text() for label in dialog.findChildren(QLabel)}
    assert {act.value.text for act in Act} <= texts
