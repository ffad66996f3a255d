"""Number of CPU threads that a model may use in this process, for every inference library."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

MAX_CPU_THREADS = 8
"""Most CPU threads: the shipped networks are too small for more to help."""
_VARIABLE = "OMP_NUM_THREADS"
"""Environment variable that torch's OpenMP reads, too; Slurm and Ray set it for each task."""


def cpu_threads() -> int:
    """Return the number of threads: the available cores, OMP_NUM_THREADS or MAX_CPU_THREADS.

    The smallest of them counts.
    """
    return min(MAX_CPU_THREADS, cpu_share())


def cpu_share() -> int:
    """Return the number of cores that this process should use: the available ones, or fewer."""
    cores = available_cores()
    return min(cores, _asked() or cores)


def available_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def let_threads_sleep() -> None:
    """Let torch's threads sleep while they wait for each other, instead of spinning.

    Call it before torch is imported; a policy that the user set stays. Spinning is faster while
    nothing else needs the cores. Otherwise the threads wait for cores that they keep busy
    themselves, and a frame may take ten times as long.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@contextmanager
def limited_children(cores: int) -> Iterator[None]:
    """Let processes that are started inside use some cores, at least one; a lower limit stays.

    Numeric libraries read the limit when they are loaded, so a process can't set its own.
    """
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = str(max(min(cores, _asked() or cores), 1))
    try:
        yield
    finally:
        os.environ.pop(_VARIABLE)
        if before is not None:
            os.environ[_VARIABLE] = before


def _asked() -> int | None:
    """Return the first number of OMP_NUM_THREADS, as in "4,2"; None if it is unset or no number."""
    first = os.environ.get(_VARIABLE, "").partition(",")[0].strip()
    return int(first) or None if first.isdecimal() else None
