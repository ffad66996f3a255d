"""Jobs on a thread that report once, unless they were let go."""

import threading

import pytest
from fakes import TIMEOUT_S

from kpviewer.runtime.abandoned import still_running
from kpviewer.runtime.loading import LoaderThread, Outcome


def outcomes_of(job) -> list[Outcome[object]]:
    reports: list[Outcome[object]] = []
    thread = LoaderThread("a", job, lambda _thread, outcome: reports.append(outcome))
    thread.start()
    thread.join(TIMEOUT_S)
    return reports


def test_outcome_is_reported_once():
    assert outcomes_of(lambda: threading.current_thread().name) == [
        Outcome("a", "kpviewer-loader", None)
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("no such model"), "ValueError: no such model"),
        (OSError("the disk is gone"), "the disk is gone"),
        (SystemExit(2), "SystemExit: 2"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
    ],
)
def test_whatever_ends_a_job_is_its_failure(error, reason):
    def fail() -> str:
        raise error

    (outcome,) = outcomes_of(fail)
    assert outcome.value is None
    assert outcome.failure is error
    assert outcome.reason == reason


def test_a_thread_that_was_let_go_reports_nothing():
    may_end, reports = threading.Event(), []

    def wait() -> None:
        assert may_end.wait(TIMEOUT_S)

    thread = LoaderThread("stuck", wait, lambda _thread, outcome: reports.append(outcome))
    thread.start()
    thread.let_go()
    assert "stuck" in still_running()
    may_end.set()
    thread.join(TIMEOUT_S)
    assert reports == []
    assert "stuck" not in still_running()
