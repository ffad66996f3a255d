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


class HeldJobs:
    """Jobs that go on when they are told to."""

    def __init__(self) -> None:
        self.started, self.may_go_on = threading.Event(), threading.Event()
        self.done: list[str] = []

    def run(self, name: str) -> str:
        self.started.set()
        assert self.may_go_on.wait(TIMEOUT_S)
        self.done.append(name)
        return name


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


@pytest.mark.parametrize("error", [SystemExit(2), KeyboardInterrupt(), GeneratorExit()])
def test_code_that_ends_its_thread_fails_one_job_and_no_later_one(loader, error):
    def leave() -> str:
        raise error

    loader.submit("a", leave)
    outcome = outcome_of(loader)
    assert outcome.failure is error
    assert type(error).__name__ in outcome.reason
    loader.submit("b", lambda: "loaded")
    assert outcome_of(loader).value == "loaded"


def test_only_the_last_request_counts(loader):
    jobs = HeldJobs()
    loader.submit("first", lambda: jobs.run("first"))
    assert jobs.started.wait(TIMEOUT_S)
    loader.submit("second", lambda: jobs.run("second"))
    loader.submit("third", lambda: jobs.run("third"))
    assert loader.busy_with == "third"
    jobs.may_go_on.set()
    assert outcome_of(loader).value == "third"
    assert jobs.done == ["first", "third"]


def test_close_waits_for_the_job_that_runs_and_drops_the_rest(loader):
    jobs = HeldJobs()
    loader.submit("first", lambda: jobs.run("first"))
    assert jobs.started.wait(TIMEOUT_S)
    loader.submit("second", lambda: jobs.run("second"))
    threading.Timer(0.02, jobs.may_go_on.set).start()
    loader.close()
    assert jobs.done == ["first"]
    assert loader.take() is None
    loader.submit("third", lambda: jobs.run("third"))
    assert loader.busy_with is None
