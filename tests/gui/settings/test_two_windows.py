"""Two windows with one settings file: neither undoes what the other remembers."""

import os
import sys
from dataclasses import replace
from functools import partial

import pytest

from kpviewer.config.files import read_settings, settings_path
from kpviewer.config.settings import Settings
from kpviewer.gui.keys import Act, use_keys
from kpviewer.gui.settings import store as module
from kpviewer.gui.settings.key_bindings import KeyBindings
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.system.locks import lock


def with_turn(settings: Settings, name: str) -> Settings:
    return replace(settings, turns={**settings.turns, name: "90"})


@pytest.mark.skipif(sys.platform == "win32", reason="it locks no folders")
def test_no_other_window_writes_between_reading_and_writing(monkeypatch, tmp_path):
    free, write = [], module.write_settings

    def write_noting(path, settings):
        descriptor = os.open(tmp_path, os.O_RDONLY)
        free.append(lock(descriptor))
        os.close(descriptor)
        write(path, settings)

    monkeypatch.setattr(module, "write_settings", write_noting)
    store = SettingsStore(tmp_path)
    store.edit(partial(with_turn, name="a"))
    store.flush()
    assert free == [False]
    assert read_settings(settings_path(tmp_path)).settings.turns == {"a": "90"}


def test_keys_of_two_windows_are_both_remembered(tmp_path):
    one, other = SettingsStore(tmp_path), SettingsStore(tmp_path)
    try:
        KeyBindings(one).set_key(Act.SNAPSHOT, "J")
        one.flush()
        KeyBindings(other).set_key(Act.RECORD, "Y")
        other.flush()
    finally:
        use_keys({})
    assert read_settings(settings_path(tmp_path)).settings.keys == {
        "snapshot": ("J",),
        "record": ("Y",),
    }
