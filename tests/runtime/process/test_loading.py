"""Jobs on a thread, which report once, unless they were let go."""

import threading

import pytest
from fakes import TIMEOUT_S

from kpviewer.runtime.process.abandoned import still_running
from kpviewer.runtime.process.loading import LoaderJob, Outcome, loader_executor


def outcomes_of(job) -> list[Outcome[object]]:
    reports: list[Outcome[object]] = []
    with loader_executor() as executor:
        executor.submit(LoaderJob("a", job, lambda _job, outcome: reports.append(outcome)).run)
    return reports


def test_outcome_is_reported_once():
    assert outcomes_of(lambda: threading.current_thread().name) == [
        Outcome("a", "kpviewer-loader_0", None)
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


def test_a_job_that_was_let_go_reports_nothing():
    begun, may_end, reports = threading.Event(), threading.Event(), []

    def wait() -> None:
        begun.set()
        assert may_end.wait(TIMEOUT_S)

    job = LoaderJob("stuck", wait, lambda _job, outcome: reports.append(outcome))
    executor = loader_executor()
    executor.submit(job.run)
    assert begun.wait(TIMEOUT_S)
    assert job.let_go()
    assert "stuck" in still_running()
    may_end.set()
    executor.shutdown()
    assert reports == []
    assert "stuck" not in still_running()


def test_only_a_job_that_runs_is_let_go():
    runs: list[str] = []
    over = LoaderJob("over", lambda: runs.append("over"), lambda _job, _outcome: None)
    over.run()
    early = LoaderJob("early", lambda: runs.append("early"), lambda _job, _outcome: None)
    assert not early.let_go()
    early.run()
    assert not over.let_go()
    assert runs == ["over"]
    assert not {"over", "early"} & {*still_running()}
