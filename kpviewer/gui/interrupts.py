"""Handling of Ctrl-C: the window closes normally, recordings are finished and threads joined.

Python runs signal handlers between its own instructions, and Qt's loop has none. A guard therefore
receives the signals on a thread of its own and wakes the loop through a socket. If the loop is
stuck, the guard ends the process (``runtime.process.ending``).
"""

import socket
from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QObject, QSocketNotifier

from kpviewer.runtime.process.ending import EndGuard


class InterruptListener(QObject):
    """Listener that calls ``on_interrupt`` in Qt's loop at SIGINT, SIGTERM or SIGHUP.

    Main thread only.
    """

    def __init__(self, on_interrupt: Callable[[], object]) -> None:
        super().__init__()
        self._on_interrupt = on_interrupt
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        descriptor: Any = self._reader.fileno()  # Qt's stubs require a pointer, Qt takes a number
        self._notifier = QSocketNotifier(descriptor, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_activated)
        self.guard = EndGuard(self._wake_loop)
        self._restore_signals = self.guard.listen()

    def close(self) -> None:
        """Stop listening; the guard stays until the process has ended."""
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def restore_signals(self) -> None:
        """Restore the signal handlers of the program, which continues."""
        self._restore_signals()
        self.guard.close()

    def _wake_loop(self) -> None:
        self._writer.send(b"!")

    def _on_activated(self) -> None:
        self._reader.recv(64)
        self._on_interrupt()
