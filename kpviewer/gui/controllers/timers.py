"""Timers that update a window."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, Qt, QTimer


def precise_timer(parent: QObject, interval_ms: int, slot: Callable[[], None]) -> QTimer:
    """Return a running timer that calls a function; it is as regular as the system allows."""
    timer = QTimer(parent)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(slot)
    timer.start(interval_ms)
    return timer
