"""Memory: Python's garbage collector, kept from what is there for good, and the C library's heaps.

A full collection visits every object. With torch there are 500,000 of them, which takes 0.1 to 0.3
seconds, and it holds Python's lock: whichever thread begins it, the window stands still.
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_USUAL = gc.get_threshold()
_YOUNG, _TIMES, _NEVER = 20_000, 2, 1_000_000
"""Thresholds of the three generations: see the module ``gc``."""


@contextmanager
def without_collection() -> Iterator[None]:
    """Collect nothing meanwhile, as while modules are imported and much is made to stay."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def young_collections() -> Iterator[None]:
    """Collect young objects alone meanwhile, up to 60,000 at once, in 5 to 25 ms.

    Exporting a network leaves 140,000 objects as garbage. Collected at once, it takes 0.3 s.
    """
    gc.set_threshold(_YOUNG, _TIMES, _NEVER)
    try:
        yield
    finally:
        gc.set_threshold(*_USUAL)  # not those before: two threads may load at once


@cache
def keep_for_good() -> None:
    """Leave what exists now out of every later collection; does nothing the second time."""
    gc.freeze()


def keep_more() -> None:
    """Leave what was made since out of later collections, too, in a program that began to."""
    if keep_for_good.cache_info().currsize:
        gc.freeze()


_M_ARENA_MAX = -8  # of glibc's malloc.h
_HEAPS = 2


def share_heaps() -> None:
    """Let all threads share two heaps, not eight for each core; only glibc has them.

    A model is loaded on one thread, runs on another and is freed on a third. Each leaves parts of
    its heap unused, which no other thread can use. Call it before threads start.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, _HEAPS)
