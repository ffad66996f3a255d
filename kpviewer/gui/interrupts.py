"""Ctrl-C closes the window as a click does: recordings finished, threads joined.

Python runs signal handlers between its own instructions, and Qt's loop has none; so the signal
wakes the loop through a socket.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

from PyQt6.QtCore import QObject, QSocketNotifier


class InterruptListener(QObject):
    """Calls ``on_interrupt`` in Qt's loop at SIGINT or SIGTERM. Main thread only."""

    def __init__(self, on_interrupt: Callable[[], None]) -> None:
        super().__init__()
        self._on_interrupt = on_interrupt
        self.was_interrupted = False
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        descriptor: Any = self._reader.fileno()  # Qt's typing wants a pointer, and takes a number
        self._notifier = QSocketNotifier(descriptor, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_activated)
        self._previous_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._previous = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGINT, signal.SIGTERM)
        }

    def close(self) -> None:
        """Leave the signals as they were."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_fd)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.was_interrupted = True

    def _on_activated(self) -> None:
        self._reader.recv(64)
        if self.was_interrupted:
            self._on_interrupt()
