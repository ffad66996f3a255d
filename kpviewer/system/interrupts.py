"""Signals that end a program: Ctrl-C, ``kill``, ``docker stop``, a terminal that is closed.

The exit code is 128 plus the signal's number, as in shells: 130 for Ctrl-C, 143 for SIGTERM, 129
for SIGHUP.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_SIGNAL_BASE = 128
_FINISHING_S = 10.0
"""Time in which further signals are ignored, for files to be finished."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Names of signals that end a program; some systems lack some of them."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """Exit code of the program."""
        return exit_code_of(self.number)


def exit_code_of(number: int) -> int:
    """Return the exit code of a program that a signal ended."""
    return _SIGNAL_BASE + number


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that end the program.

    Those that are ignored, as by nohup, are left out, and those that a program in C around Python
    handles, as its handlers couldn't be restored.
    """
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return tuple(each for each in known if signal.getsignal(each) not in (signal.SIG_IGN, None))


@contextmanager
def interrupts_raised(meant: Callable[[int], int] = int) -> Iterator[None]:
    """Raise Interrupted at the first signal that ends a program.

    Signals within the next 10 s are ignored, for files to be finished. A full pipe that nobody
    reads gets nothing more: it would block what is printed at the end. Outside the main thread this
    has no effect.

    Args:
        meant: function that returns the signal to name for one that came; that one by default.
    """
    next_s = 0.0

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal next_s
        now_s = time.monotonic()
        if now_s >= next_s:
            next_s = now_s + _FINISHING_S
            _leave_full_outputs()
            raise Interrupted(meant(number))

    with _handled_by(on_signal):
        yield


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let a signal that ends a program take effect afterwards.

    Libraries in C turn an exception that is raised within their import into an ImportError, or
    lose it. One that is raised where a lock is taken leaves it locked, and threads wait for ever.
    Outside the main thread this has no effect: signals are handled in that one.
    """
    received: list[int] = []
    try:
        with _handled_by(lambda number, _frame: received.append(number)):
            yield
    finally:
        if received:
            signal.raise_signal(received[0])


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Let a function handle the signals that end a program; no effect outside the main thread."""
    before = {}
    try:
        for each in ending_signals():
            before[each] = signal.signal(each, handler)
    except ValueError:  # not the main thread
        before = {}
    try:
        yield
    finally:
        for each, earlier in reversed(before.items()):  # an interrupt leaves none behind
            signal.signal(each, earlier)


def _leave_full_outputs() -> None:
    """Connect standard streams that take nothing at present to the null device."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # Windows asks sockets alone
            if not select.select([], [stream], [], 0)[1]:
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
                os.close(nowhere)
