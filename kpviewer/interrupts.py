"""Signals that end a program: Ctrl-C, ``kill``, ``docker stop``, a terminal that is closed.

The exit code is 128 and the signal's number, as shells give it: 130 for Ctrl-C, 143 for SIGTERM,
129 for SIGHUP.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_FIRST_OF_SHELLS = 128
_FINISHING_S = 10.0
"""How long files may be finished before a second signal ends that too."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""Not all are on every system."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """The code that the program ends with."""
        return exit_code_of(self.number)


def exit_code_of(number: int) -> int:
    """Return the exit code of a program that a signal ended."""
    return _FIRST_OF_SHELLS + number


def ending_signals() -> tuple[signal.Signals, ...]:
    """Return the signals that ask to end; one that is ignored from outside, as by nohup, isn't."""
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return tuple(each for each in known if signal.getsignal(each) != signal.SIG_IGN)


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Raise Interrupted at the first signal that asks to end.

    More signals don't disturb what is being finished then, unless that takes long. Elsewhere than
    on the main thread nothing changes.
    """
    next_s = 0.0

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal next_s
        now_s = time.monotonic()
        if now_s >= next_s:
            next_s = now_s + _FINISHING_S
            raise Interrupted(number)

    before = {}
    try:
        for each in ending_signals():
            before[each] = signal.signal(each, on_signal)
    except ValueError:  # not the main thread
        before = {}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, signal.SIG_DFL if handler is None else handler)
