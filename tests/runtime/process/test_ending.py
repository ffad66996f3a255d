"""Signals and the end of a process: an orderly end is requested, and hanging work is ended."""

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
from fakes import TIMEOUT_S
from interpreter import run_python

from kpviewer.runtime.process import ending
from kpviewer.runtime.process.ending import EndGuard

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="needs signals of Unix")


class Watched:
    """A guard that notes what it would do."""

    def __init__(self, limit_s: float) -> None:
        self.asked, self.left = threading.Event(), threading.Event()
        self.codes: list[int] = []
        self.guard = EndGuard(self.asked.set, self._leave, limit_s)

    def _leave(self, code: int) -> None:
        self.codes.append(code)
        self.left.set()


@pytest.fixture
def guarded() -> Iterator[Callable[[float], Watched]]:
    """Make guards that hear signals; in the end each is closed, and signals are as before."""
    made: list[tuple[Watched, Callable[[], None]]] = []

    def make(limit_s: float) -> Watched:
        watched = Watched(limit_s)
        made.append((watched, watched.guard.listen()))
        return watched

    yield make
    for watched, restore in made:
        restore()
        watched.guard.close()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_begins_an_orderly_end(guarded, name):
    watched = guarded(TIMEOUT_S)
    os.kill(os.getpid(), getattr(signal, name))
    assert watched.asked.wait(TIMEOUT_S)
    assert watched.guard.exit_code == 128 + getattr(signal, name)
    assert not watched.left.is_set()


def test_a_signal_that_is_ignored_from_outside_stays_ignored(guarded):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as by nohup
    try:
        watched = guarded(TIMEOUT_S)
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        assert watched.asked.wait(TIMEOUT_S)
        assert watched.guard.signal == signal.SIGTERM
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_process_that_does_not_follow_a_signal_is_ended(guarded):
    watched = guarded(0)
    os.kill(os.getpid(), signal.SIGTERM)
    assert watched.left.wait(TIMEOUT_S)
    assert watched.codes == [143]


def test_a_second_signal_ends_at_once(guarded, monkeypatch):
    monkeypatch.setattr(ending, "_DOUBLE_S", -1.0)
    watched = guarded(TIMEOUT_S)
    os.kill(os.getpid(), signal.SIGINT)
    assert watched.asked.wait(TIMEOUT_S)
    os.kill(os.getpid(), signal.SIGINT)
    assert watched.left.wait(TIMEOUT_S)
    assert watched.codes == [130]


def test_signals_that_come_together_count_as_one(guarded, monkeypatch):
    monkeypatch.setattr(ending, "_DOUBLE_S", TIMEOUT_S)
    watched = guarded(TIMEOUT_S)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        os.kill(os.getpid(), number)
    assert watched.asked.wait(TIMEOUT_S)
    watched.guard.close()
    assert not watched.left.is_set()


def test_a_hanging_end_is_ended_with_the_exit_code_of_the_program(guarded):
    watched = guarded(0)
    watched.guard.code = 3
    watched.guard.begin()
    assert watched.left.wait(TIMEOUT_S)
    assert watched.codes == [3]


def test_a_recording_that_is_being_finished_is_given_more_time(guarded, monkeypatch):
    looked = threading.Event()

    class Finishing(EndGuard):
        @property
        def is_finishing(self) -> bool:
            looked.set()
            return self._finishing

        @is_finishing.setter
        def is_finishing(self, value: bool) -> None:
            self._finishing = value

    monkeypatch.setattr(ending, "_POLL_S", 0.001)
    left = threading.Event()
    guard = Finishing(lambda: None, lambda _code: left.set(), 0)
    guard.is_finishing = True
    guard.begin()
    assert looked.wait(TIMEOUT_S)
    assert not left.is_set()
    guard.is_finishing = False
    assert left.wait(TIMEOUT_S)
    guard.close()


PROGRAM = """
import atexit, os, sys, threading

class Library:
    def __del__(self):
        os.write(2, b"unloaded")

library = Library()
from kpviewer.runtime.process.ending import without_unloading
with without_unloading():
    finish = threading.Event()
    def work():
        finish.wait()
        print("joined")
    threading.Thread(target=work).start()
    atexit.register(print, "handled")
    finish.set()
    sys.exit({why})
"""


@pytest.mark.parametrize(
    ("why", "code", "complaint"), [("", 0, ""), ("7", 7, ""), ("'why'", 1, "why\n")]
)
def test_a_program_ends_in_order_but_unloads_no_library(why, code, complaint):
    ended = run_python(PROGRAM.format(why=why))
    assert ended == (code, "joined\nhandled\n", complaint)
