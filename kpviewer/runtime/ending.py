"""Sees to it that a process ends once it was asked to, whatever hangs in it.

A signal, or the end of the window, is followed by an orderly end: recordings finished, settings
written, threads joined. Each of these steps is bounded, and this is the bound of all together: it
holds where the main thread itself is stuck, or a thread that nobody knows of keeps the process.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

LIMIT_S = 4.0
"""From the request to the end of the process."""
MOST_S = 30.0
"""The same while a recording is still being finished."""
_DOUBLE_S = 0.5
"""A second signal this soon is the first one again: make and shells send several."""
_POLL_S = 0.25
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_NUMBERS = tuple(int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name))
_END = b"\0"

_log = logging.getLogger(__name__)


def leave_at_once(code: int) -> None:
    """End the process here and now: what is open is not closed, what is printed is written."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):  # nobody reads it any more
                continue
    os._exit(code)


class EndGuard:
    """Hears signals and the request to end, on a thread of its own. ``close`` ends that.

    Args:
        ask: begins the orderly end after a signal; called on the guard's thread.
        leave: ends the process with a code.
        limit_s: from the request to the end.
    """

    def __init__(
        self,
        ask: Callable[[], None],
        leave: Callable[[int], None] = leave_at_once,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._ask, self._leave, self._limit_s = ask, leave, limit_s
        self.code = 0
        """Of the process, where no signal came."""
        self.signal: int | None = None
        """The first signal that came."""
        self.is_finishing = False
        """Whether a recording is still being finished, which is given more time."""
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._deadline_s: float | None = None
        self._since_s = self._signalled_s = 0.0
        self._is_over = False
        # A daemon, as it outlives the threads that the interpreter waits for.
        self._thread = threading.Thread(target=self._run, name="kpviewer-end", daemon=True)
        self._thread.start()

    @property
    def exit_code(self) -> int:
        """That of the process: 128 and the signal's number, where one came."""
        return self.code if self.signal is None else 128 + self.signal

    def listen(self) -> Callable[[], None]:
        """Hear the signals that ask a process to end; main thread only.

        What is ignored from outside stays so, as SIGHUP under nohup. Shells ignore SIGINT for what
        they start in the background, which is asked for by nobody.

        Returns:
            What leaves the signals as they were.
        """
        previous_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        previous = {
            number: signal.signal(number, self._on_signal)
            for number in _NUMBERS
            if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN
        }

        def restore() -> None:
            signal.set_wakeup_fd(previous_fd)
            for number, handler in previous.items():
                signal.signal(number, handler)

        return restore

    def begin(self) -> None:
        """Note that the orderly end has begun: the time runs from now."""
        self._writer.send(_END)

    def close(self) -> None:
        """Guard nothing any more."""
        self._is_over = True
        self._writer.close()
        self._thread.join()
        self._reader.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Do nothing: the guard hears of it, whatever the main thread is at."""

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._reader, selectors.EVENT_READ)
            while not self._is_over:
                left_s = None
                if self._deadline_s is not None:
                    left_s = max(self._deadline_s - time.monotonic(), 0)
                if selector.select(left_s):
                    heard = self._reader.recv(1)
                    if not heard:
                        return
                    if heard == _END or heard[0] in _NUMBERS:
                        self._hear(heard[0])
                elif self._is_late():
                    self._end()

    def _hear(self, number: int) -> None:
        now_s = time.monotonic()
        if self._deadline_s is None:
            self._since_s, self._deadline_s = now_s, now_s + self._limit_s
        if number == _END[0]:
            return
        if self.signal is None:
            self.signal, self._signalled_s = number, now_s
            with contextlib.suppress(OSError):  # the loop has ended by itself
                self._ask()
        elif now_s - self._signalled_s > _DOUBLE_S:
            _log.warning("Ended at once. A recording that ran keeps its name with .part; it plays.")
            self._end()

    def _is_late(self) -> bool:
        now_s = time.monotonic()
        if self.is_finishing and now_s - self._since_s < MOST_S:
            self._deadline_s = now_s + _POLL_S
            return False
        return True

    def _end(self) -> None:
        self._deadline_s = None
        self._leave(self.exit_code)
