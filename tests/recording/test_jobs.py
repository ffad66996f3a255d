"""Disk jobs: their order, their errors, and disks that never answer."""

import threading

import pytest
from fakes import TIMEOUT_S, eventually

from kpviewer.recording.disk import disk_call, disk_silence_s
from kpviewer.recording.jobs import DiskJobs, Done


def values(done: list[Done[int]]) -> list[object]:
    return [each.value if each.failure is None else str(each.failure) for each in done]


@pytest.fixture
def dead_disk():
    """A call to a disk that doesn't answer before the end of the test."""
    is_over = threading.Event()
    threads: list[threading.Thread] = []

    def ask() -> int:
        threads.append(threading.current_thread())
        with disk_call():
            assert is_over.wait(TIMEOUT_S)
        return -1

    yield ask
    is_over.set()
    for thread in threads:
        thread.join(TIMEOUT_S)


def test_jobs_are_done_in_their_order_and_errors_of_any_kind_come_back():
    jobs: DiskJobs[int] = DiskJobs("kpviewer-test")

    def leave() -> int:
        raise SystemExit("left")

    for job in (lambda: 1, leave, lambda: 3):
        jobs.submit(job)
    assert values(jobs.close(TIMEOUT_S)) == [1, "left", 3]
    assert jobs.count == 0


def test_job_whose_disk_does_not_answer_is_let_go_and_the_next_runs(dead_disk):
    jobs: DiskJobs[int] = DiskJobs("kpviewer-test", let_go_s=0.05)
    jobs.submit(dead_disk)
    jobs.submit(lambda: 2)
    done: list[Done[int]] = []

    def all_are_over() -> bool:
        done.extend(jobs.take())
        return len(done) == 2

    eventually(all_are_over)
    assert "does not answer" in str(values(done)[0])
    assert values(done)[1] == 2
    assert jobs.close(TIMEOUT_S) == []


def test_silence_of_the_disk_can_be_seen_while_it_lasts(dead_disk):
    jobs: DiskJobs[int] = DiskJobs("kpviewer-test")
    assert jobs.silence_s == 0
    jobs.submit(dead_disk)
    eventually(lambda: jobs.silence_s > 0.05)
    assert disk_silence_s() > 0.05
    assert len(jobs.close(0.0)) == 1


def test_closing_does_not_wait_for_ever(dead_disk):
    jobs: DiskJobs[int] = DiskJobs("kpviewer-test")
    jobs.submit(dead_disk)
    jobs.submit(lambda: 2)
    assert all("does not answer" in str(each) for each in values(jobs.close(0.05)))
