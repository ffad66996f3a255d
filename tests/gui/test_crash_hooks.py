"""Uncaught errors are logged and reported once, and the window stays open."""

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


def reported_by(hooks: CrashHooks) -> list[str]:
    lines: list[str] = []
    hooks.reported.connect(lines.append)
    return lines


def fail(text: str = "odd\nand long") -> None:
    raise ValueError(text)


def test_an_error_in_a_slot_is_logged_and_reported(qtbot, hooks, caplog):
    lines = reported_by(hooks)
    with qtbot.captureExceptions() as caught, caplog.at_level(logging.ERROR, "kpviewer"):
        timer = QTimer()
        timer.timeout.connect(fail)
        timer.setSingleShot(True)
        timer.start(0)
        qtbot.waitUntil(lambda: bool(caught))
        hooks.on_exception(*caught[0])  # pytest-qt has the hook during a test
    assert lines == ["Unexpected error: ValueError: odd and long."]
    assert "odd and long" in caplog.text


def test_an_error_of_every_frame_is_reported_ever_more_rarely(hooks):
    lines = reported_by(hooks)
    error = ValueError("odd")
    for _ in range(100):
        hooks.on_exception(ValueError, error, None)
    assert len(lines) == 7
    assert lines[-1].endswith("(64 times)")


def test_a_thread_that_ends_by_an_error_is_reported(qtbot, hooks):
    lines = reported_by(hooks)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: lines == ["Unexpected error: ValueError: odd and long."])
