"""An error that nobody caught is logged and told once, and the window lives on."""

import logging
import sys
import threading

import pytest
from PyQt6.QtCore import QTimer, qInstallMessageHandler

from kpviewer.gui.crash_hooks import CrashHooks, install_crash_hooks


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    before = qInstallMessageHandler(None)
    yield install_crash_hooks()
    qInstallMessageHandler(before)


def told_by(hooks: CrashHooks) -> list[str]:
    told: list[str] = []
    hooks.told.connect(told.append)
    return told


def fail(text: str = "odd\nand long") -> None:
    raise ValueError(text)


def test_an_error_in_a_slot_is_logged_and_told(qtbot, hooks, caplog):
    told = told_by(hooks)
    with qtbot.captureExceptions() as caught, caplog.at_level(logging.ERROR, "kpviewer"):
        timer = QTimer()
        timer.timeout.connect(fail)
        timer.setSingleShot(True)
        timer.start(0)
        qtbot.waitUntil(lambda: bool(caught))
        hooks.on_exception(*caught[0])  # pytest-qt has the hook during a test
    assert told == ["Unexpected error: ValueError: odd and long."]
    assert "odd and long" in caplog.text


def test_an_error_of_every_frame_is_told_less_and_less(hooks):
    told = told_by(hooks)
    error = ValueError("odd")
    for _ in range(100):
        hooks.on_exception(ValueError, error, None)
    assert len(told) == 7
    assert told[-1].endswith("(64 times)")


def test_a_thread_that_ends_by_an_error_is_told(qtbot, hooks):
    told = told_by(hooks)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: told == ["Unexpected error: ValueError: odd and long."])
