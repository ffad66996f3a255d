"""Background jobs whose outcomes are delivered on the GUI thread."""

import threading
from collections.abc import Iterator

import pytest
from fakes import TIMEOUT_S

from kpviewer.gui.background.loader import BackgroundLoader
from kpviewer.runtime.process.abandoned import still_running
from kpviewer.runtime.process.loading import Outcome


class HeldJobs:
    """Jobs that continue when ``may_go_on`` is set."""

    def __init__(self) -> None:
        self.started, self.may_go_on = threading.Event(), threading.Event()
        self.done: list[str] = []

    def run(self, name: str) -> str:
        self.started.set()
        assert self.may_go_on.wait(TIMEOUT_S)
        self.done.append(name)
        return name


@pytest.fixture
def jobs() -> Iterator[HeldJobs]:
    held = HeldJobs()
    yield held
    held.may_go_on.set()


@pytest.fixture
def loader(qapp) -> Iterator[BackgroundLoader]:
    loader = BackgroundLoader()
    yield loader
    loader.close()


@pytest.fixture
def outcomes() -> list[Outcome[str]]:
    return []


def finish_all(qtbot, jobs: HeldJobs, names: list[str]) -> None:
    """Let jobs run to their end, and the threads of those that were let go."""
    jobs.may_go_on.set()
    qtbot.waitUntil(lambda: jobs.done == names)
    qtbot.waitUntil(lambda: not {*names} & {*still_running()})


def test_the_outcome_comes_on_the_gui_thread(qtbot, loader):
    threads: list[tuple[str, str]] = []

    def then(outcome: Outcome[str]) -> None:
        threads.append((outcome.value or "", threading.current_thread().name))

    loader.submit("a", lambda: threading.current_thread().name, then)
    assert loader.busy_with == "a"
    qtbot.waitUntil(lambda: len(threads) > 0)
    assert threads == [("kpviewer-loader_0", threading.main_thread().name)]
    assert loader.busy_with is None


def test_jobs_share_a_thread_which_closing_joins(qtbot, loader):
    threads: list[threading.Thread | None] = []
    for count in (1, 2):
        loader.submit("a", threading.current_thread, lambda outcome: threads.append(outcome.value))
        qtbot.waitUntil(lambda count=count: len(threads) == count)
    first, second = threads
    assert first is second
    assert first.is_alive()
    loader.close()
    assert not first.is_alive()


def test_a_job_that_fails_fails_no_later_one(qtbot, loader, outcomes):
    def leave() -> str:
        raise SystemExit(2)

    loader.submit("a", leave, outcomes.append)
    qtbot.waitUntil(lambda: len(outcomes) == 1)
    loader.submit("b", lambda: "loaded", outcomes.append)
    qtbot.waitUntil(lambda: len(outcomes) == 2)
    assert [each.value for each in outcomes] == [None, "loaded"]
    assert outcomes[0].reason == "SystemExit: 2"


def test_only_the_last_request_counts(qtbot, loader, jobs, outcomes):
    for name in ("first", "second", "third"):
        loader.submit(name, lambda name=name: jobs.run(name), outcomes.append)
    assert loader.busy_with == "third"
    jobs.may_go_on.set()
    qtbot.waitUntil(lambda: len(outcomes) > 0)
    assert [each.value for each in outcomes] == ["third"]
    assert jobs.done == ["first", "third"]


def test_a_receiver_may_submit_the_next_job(qtbot, loader, outcomes):
    def then(outcome: Outcome[str]) -> None:
        outcomes.append(outcome)
        if outcome.name == "a":
            loader.submit("b", lambda: "more", then)

    loader.submit("a", lambda: "one", then)
    qtbot.waitUntil(lambda: [each.value for each in outcomes] == ["one", "more"])


def test_a_cancelled_job_reports_nothing(qtbot, loader, jobs, outcomes):
    loader.submit("first", lambda: jobs.run("first"), outcomes.append)
    assert jobs.started.wait(TIMEOUT_S)
    loader.submit("second", lambda: jobs.run("second"), outcomes.append)
    loader.cancel()
    assert loader.busy_with is None
    finish_all(qtbot, jobs, ["first"])
    loader.submit("third", lambda: "third", outcomes.append)
    qtbot.waitUntil(lambda: len(outcomes) > 0)
    assert [each.value for each in outcomes] == ["third"]


def test_a_job_that_hangs_holds_the_next_one_up_only_for_a_while(qtbot, jobs, outcomes):
    loader = BackgroundLoader(patience_s=0.05)
    loader.submit("stuck", lambda: jobs.run("stuck"), outcomes.append)
    assert jobs.started.wait(TIMEOUT_S)
    loader.submit("next", lambda: "loaded", outcomes.append)
    qtbot.waitUntil(lambda: len(outcomes) > 0)
    assert "stuck" in still_running()
    finish_all(qtbot, jobs, ["stuck"])
    assert [each.value for each in outcomes] == ["loaded"]
    loader.close()


def test_closing_waits_for_nothing_and_drops_the_rest(qtbot, loader, jobs, outcomes):
    loader.submit("first", lambda: jobs.run("first"), outcomes.append)
    assert jobs.started.wait(TIMEOUT_S)
    loader.submit("second", lambda: jobs.run("second"), outcomes.append)
    loader.close()
    assert jobs.done == []
    loader.submit("third", lambda: jobs.run("third"), outcomes.append)
    assert loader.busy_with is None
    finish_all(qtbot, jobs, ["first"])
    assert outcomes == []
