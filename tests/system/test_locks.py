"""Turns of several processes in one folder."""

import os
import sys

import pytest

from kpviewer.system.locks import lock, turn_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it opens no folders")


def is_free(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        return lock(descriptor)
    finally:
        os.close(descriptor)


def test_a_turn_keeps_others_out_until_its_end(tmp_path):
    with turn_in(tmp_path / "new"):
        assert not is_free(tmp_path / "new")
    assert is_free(tmp_path / "new")


def test_a_turn_that_does_not_end_is_waited_for_no_longer(monkeypatch, tmp_path):
    monkeypatch.setattr("kpviewer.system.locks._TURN_S", 0)
    with turn_in(tmp_path), turn_in(tmp_path):
        assert not is_free(tmp_path)
    assert is_free(tmp_path)


def test_a_folder_that_can_not_be_made_is_left_to_the_caller(tmp_path):
    (tmp_path / "file").touch()
    with turn_in(tmp_path / "file" / "folder"):
        pass
