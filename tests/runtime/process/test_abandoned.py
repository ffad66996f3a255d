"""Work that may never end: given a time limit, let go, and not waited for at exit."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from fakes import TIMEOUT_S
from interpreter import run_python

from kpviewer.runtime.process import abandoned
from kpviewer.runtime.process.abandoned import (
    NoAnswerError,
    answer_within,
    end_process,
    let_go,
    still_running,
    wait_for_stragglers,
)
from kpviewer.system import progress
from kpviewer.system.progress import noting_progress


@pytest.fixture
def wake() -> Iterator[threading.Event]:
    """Ends what hangs."""
    event = threading.Event()
    yield event
    event.set()


def test_the_result_is_returned():
    assert answer_within(TIMEOUT_S, lambda: threading.current_thread().name, "x") != "MainThread"


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit(3)])
def test_an_error_is_raised_in_the_callers_thread(error):
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        answer_within(TIMEOUT_S, fail, "x")
    assert caught.value is error


def test_a_time_limit_may_grow_while_work_goes_on(wake, monkeypatch):
    monkeypatch.setattr(abandoned, "_POLL_S", 0.0)
    asked: list[None] = []

    def limit() -> float:
        asked.append(None)
        if len(asked) == 5:
            wake.set()
        return TIMEOUT_S

    assert answer_within(limit, wake.wait, "asking a slow camera")


def test_work_that_notes_progress_gets_its_whole_time_anew(wake, monkeypatch):
    now_s = 0.0

    def listed() -> int:
        nonlocal now_s
        count = 0
        for _ in noting_progress(range(2000)):
            count += 1
            now_s += 0.01
        wake.wait(TIMEOUT_S)
        return count

    def limit() -> float:
        if now_s >= 20.0:
            wake.set()
        return 5.0

    clock = SimpleNamespace(monotonic=lambda: now_s)
    monkeypatch.setattr(abandoned, "_POLL_S", 0.0)
    monkeypatch.setattr(abandoned, "time", clock)
    monkeypatch.setattr(progress, "time", clock)
    assert answer_within(limit, listed, "listing a large folder") == 2000


def test_work_that_does_not_return_is_let_go(wake):
    with pytest.raises(NoAnswerError, match="asking a dead disk"):
        answer_within(0, wake.wait, "asking a dead disk")
    assert still_running() == ["asking a dead disk"]
    wake.set()
    wait_for_stragglers(TIMEOUT_S)
    assert still_running() == []


def test_a_thread_that_has_ended_is_not_waited_for():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    let_go(thread, "counting")
    assert still_running() == []
    end_process(3)  # returns


STUCK = """
import sys, threading
from kpviewer.runtime.process.abandoned import end_process, let_go
thread = threading.Thread(target=threading.Event().wait)
thread.start()
let_go(thread, "a graph without end")
print("finished")
end_process(7)
"""


def test_a_process_ends_though_a_thread_hangs():
    code, output, complaints = run_python(STUCK)
    assert code == 7, complaints
    assert "finished" in output
