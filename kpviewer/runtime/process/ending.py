"""Guard that ends the process in time once it was asked to, even if something hangs.

A signal, or closing the window, begins an orderly end: recordings finished, settings written,
threads joined. Each step has a time limit, and the guard limits all of them together. It works even
if the main thread is stuck, or an unknown thread keeps the process alive.
"""

import atexit
import contextlib
import logging
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

LIMIT_S = 4.0
"""Time limit from the request to the end of the process."""
MOST_S = 30.0
"""Time limit while a recording is being finished."""
_DOUBLE_S = 0.5
"""Time within which a second signal counts as the first: make and shells send several."""
_POLL_S = 0.25
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_NUMBERS = tuple(int(getattr(signal, name)) for name in _NAMES if hasattr(signal, name))
_END = b"\0"

_log = logging.getLogger(__name__)


def leave_at_once(code: int) -> None:
    """End the process at once: flush the output, close nothing else."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):  # closed at the other end
                continue
    os._exit(code)


@contextlib.contextmanager
def without_unloading() -> Iterator[None]:
    """Within: the whole program. Its process then ends without unloading the libraries.

    Threads are joined and exit handlers called as usual, as this one comes last. To unload torch
    takes up to 4 seconds, in which threads of other libraries may still run.
    """
    codes: list[int] = []

    def leave() -> None:
        if codes:
            leave_at_once(codes[0])

    atexit.register(leave)  # handlers are called in reverse order
    try:
        yield
    except SystemExit as ended:
        codes.append(code_of(ended))
        raise


def code_of(ended: SystemExit) -> int:
    """Return the exit code of a process that ends so; Python itself prints a message."""
    return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


class EndGuard:
    """Receiver of signals and of the request to end, on a thread of its own until ``close``.

    Args:
        ask: begins the orderly end after a signal; called on the guard's thread.
        leave: ends the process with a code.
        limit_s: time limit from the request to the end.
    """

    def __init__(
        self,
        ask: Callable[[], None],
        leave: Callable[[int], None] = leave_at_once,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._ask, self._leave, self._limit_s = ask, leave, limit_s
        self.code = 0
        """Exit code of the process if no signal came."""
        self.signal: int | None = None
        """Number of the first signal; None if none came."""
        self.is_finishing = False
        """Whether a recording is being finished, which extends the time limit."""
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._deadline_s: float | None = None
        self._since_s = self._signalled_s = 0.0
        self._is_over = False
        # a daemon, as it outlives the threads that the interpreter joins
        self._thread = threading.Thread(target=self._run, name="kpviewer-end", daemon=True)
        self._thread.start()

    @property
    def exit_code(self) -> int:
        """Exit code of the process: 128 plus the signal's number, if one came."""
        return self.code if self.signal is None else 128 + self.signal

    def listen(self) -> Callable[[], None]:
        """Receive the signals that ask a process to end; main thread only.

        Signals that the parent ignored stay ignored, such as SIGHUP under nohup. SIGINT is the
        exception: shells ignore it for background jobs, although nobody asked for that.

        Returns:
            A function that restores the previous handlers.
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
        """Start the time limit: the orderly end has begun."""
        self._writer.send(_END)

    def close(self) -> None:
        """Stop the guard and its thread."""
        self._is_over = True
        self._writer.close()
        self._thread.join()
        self._reader.close()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Do nothing: the guard receives the signal, even if the main thread is stuck."""

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._reader, selectors.EVENT_READ)
            while not self._is_over:
                left_s = None
                if self._deadline_s is not None:
                    left_s = max(self._deadline_s - time.monotonic(), 0)
                if selector.select(left_s):
                    received = self._reader.recv(1)
                    if not received:
                        return
                    if received == _END or received[0] in _NUMBERS:
                        self._receive(received[0])
                elif self._is_late():
                    self._end()

    def _receive(self, number: int) -> None:
        """Begin the end at the first signal or request; end at once at a later signal."""
        now_s = time.monotonic()
        if self._deadline_s is None:
            self._since_s, self._deadline_s = now_s, now_s + self._limit_s
        if number == _END[0]:
            return
        if self.signal is None:
            self.signal, self._signalled_s = number, now_s
            with contextlib.suppress(OSError):  # the loop has already ended
                self._ask()
        elif now_s - self._signalled_s > _DOUBLE_S:
            _log.warning("Ended at once. A recording that ran keeps its name with .part; it plays.")
            self._end()

    def _is_late(self) -> bool:
        """Return whether the time is up; extend it while a recording is being finished."""
        now_s = time.monotonic()
        if self.is_finishing and now_s - self._since_s < MOST_S:
            self._deadline_s = now_s + _POLL_S
            return False
        return True

    def _end(self) -> None:
        self._deadline_s = None
        self._leave(self.exit_code)
