"""Jobs in a thread whose outcome is polled for."""

import threading

import pytest
from fakes import TIMEOUT_S, eventually

from kpviewer.runtime.loading import BackgroundLoader, Outcome


@pytest.fixture
def loader():
    loader: BackgroundLoader[str] = BackgroundLoader()
    yield loader
    loader.close()


def outcome_of(loader: BackgroundLoader[str]) -> Outcome[str]:
    found: list[Outcome[str]] = []

    def has_one() -> bool:
        outcome = loader.take()
        if outcome is not None:
            found.append(outcome)
        return bool(found)

    eventually(has_one)
    return found[0]


def test_outcome_is_given_once(loader):
    loader.submit("a", lambda: threading.current_thread().name)
    assert outcome_of(loader) == Outcome("a", "kpviewer-loader", None)
    assert loader.take() is None
    assert loader.busy_with is None


def test_failure_is_an_outcome(loader):
    def fail() -> str:
        raise ValueError("no such model")

    loader.submit("a", fail)
    outcome = outcome_of(loader)
    assert outcome.value is None
    assert str(outcome.failure) == "no such model"


def test_only_the_last_request_counts(loader):
    started, may_go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def job(name: str) -> str:
        started.set()
        assert may_go_on.wait(TIMEOUT_S)
        done.append(name)
        return name

    loader.submit("first", lambda: job("first"))
    assert started.wait(TIMEOUT_S)
    loader.submit("second", lambda: job("second"))
    loader.submit("third", lambda: job("third"))
    assert loader.busy_with == "third"
    may_go_on.set()
    assert outcome_of(loader).value == "third"
    assert done == ["first", "third"]


def test_close_waits_for_the_job_that_runs_and_drops_the_rest(loader):
    started, may_go_on, done = threading.Event(), threading.Event(), []

    def job(name: str) -> str:
        started.set()
        assert may_go_on.wait(TIMEOUT_S)
        done.append(name)
        return name

    loader.submit("first", lambda: job("first"))
    assert started.wait(TIMEOUT_S)
    loader.submit("second", lambda: job("second"))
    threading.Timer(0.02, may_go_on.set).start()
    loader.close()
    assert done == ["first"]
    assert loader.take() is None
    loader.submit("third", lambda: job("third"))
    assert loader.busy_with is None
