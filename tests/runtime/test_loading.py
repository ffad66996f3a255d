"""Jobs in a thread whose outcome is polled for."""

import threading
from collections.abc import Iterator

import pytest
from fakes import TIMEOUT_S, eventually

from kpviewer.runtime.abandoned import still_running
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


@pytest.fixture
def jobs() -> Iterator[HeldJobs]:
    held = HeldJobs()
    yield held
    held.may_go_on.set()


def test_a_job_that_hangs_holds_the_next_one_up_only_for_a_while(jobs):
    now_s = 0.0
    loader: BackgroundLoader[str] = BackgroundLoader(3.0, lambda: now_s)
    loader.submit("stuck", lambda: jobs.run("stuck"))
    assert jobs.started.wait(TIMEOUT_S)
    loader.submit("next", lambda: "loaded")
    now_s = 2.9
    assert loader.take() is None
    assert loader.busy_with == "next"
    now_s = 3.1
    assert outcome_of(loader) == Outcome("next", "loaded", None)
    assert "stuck" in still_running()
    jobs.may_go_on.set()
    eventually(lambda: "stuck" not in still_running())
    assert loader.take() is None  # what it gave is thrown away
    loader.close()


def test_closing_waits_for_nothing_and_drops_the_rest(loader, jobs):
    loader.submit("first", lambda: jobs.run("first"))
    assert jobs.started.wait(TIMEOUT_S)
    loader.submit("second", lambda: jobs.run("second"))
    loader.close()
    assert jobs.done == []
    assert loader.busy_with is None
    loader.submit("third", lambda: jobs.run("third"))
    assert loader.busy_with is None
    jobs.may_go_on.set()
    eventually(lambda: jobs.done == ["first"])
    assert loader.take() is None
