"""How much of the processor this process gets while others want it, too."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor

from kpviewer.cpu_threads import cpu_threads

_ROUNDS = 40_000
"""Rounds of a hash that takes about 20 ms, without Python's lock."""


def share_of_cores() -> float:
    """Return the share of its cores that this process gets now: 1 if nothing else needs them.

    Each thread that a model may use computes for about 20 ms.
    """
    with ThreadPoolExecutor(cpu_threads()) as threads:
        spent = list(threads.map(_computed, range(cpu_threads())))
    return min(1.0, sum(cpu_s for cpu_s, _ in spent) / sum(wall_s for _, wall_s in spent))


def _computed(_: int) -> tuple[float, float]:
    """Compute; return the processor time and the time that it took, s."""
    began_s, cpu_s = time.perf_counter(), time.thread_time()
    hashlib.pbkdf2_hmac("sha256", b"", b"", _ROUNDS)
    return time.thread_time() - cpu_s, time.perf_counter() - began_s
