"""Waits of scripts that operate a window, which handles its events meanwhile."""

import time
from collections.abc import Callable

from PyQt6.QtCore import QEventLoop, QTimer

PATIENCE_S = 120.0
_POLL_S = 0.005


def handle_events(seconds: float) -> None:
    """Let the window work for a time."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1e3), loop.quit)
    loop.exec()


def wait(is_done: Callable[[], object]) -> None:
    """Let the window work until something is true.

    Raises:
        TimeoutError: after two minutes.
    """
    end = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > end:
            raise TimeoutError(is_done)
        handle_events(_POLL_S)
