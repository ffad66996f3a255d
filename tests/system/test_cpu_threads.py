"""The number of threads: cores, and the environment."""

import os

import pytest

from kpviewer.system.cpu_threads import MAX_CPU_THREADS, cpu_threads, limited_children


@pytest.fixture
def cores(monkeypatch):
    def pretend(count, asked=None):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(count), raising=False)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if asked is not None:
            monkeypatch.setenv("OMP_NUM_THREADS", asked)

    return pretend


@pytest.mark.parametrize(
    ("count", "asked", "expected"),
    [
        (4, None, 4),
        (64, None, MAX_CPU_THREADS),
        (4, "2", 2),
        (4, "2,1", 2),
        (2, "16", 2),
        (4, "0", 4),
        (4, "many", 4),
        (4, "", 4),
    ],
)
def test_the_smallest_limit_counts(cores, count, asked, expected):
    cores(count, asked)
    assert cpu_threads() == expected


@pytest.mark.parametrize("asked", [None, "2"])
def test_children_keep_to_their_share(cores, asked):
    cores(4, asked)
    with limited_children(0):
        assert os.environ["OMP_NUM_THREADS"] == "1", "torch reads it, too"
    assert os.environ.get("OMP_NUM_THREADS") == asked


@pytest.mark.parametrize(
    ("asked", "expected"), [("1", "1"), ("8", "2"), (None, "2"), ("many", "2")]
)
def test_children_use_no_more_than_the_user_allows(cores, asked, expected):
    cores(4, asked)
    with limited_children(2):
        assert os.environ["OMP_NUM_THREADS"] == expected
