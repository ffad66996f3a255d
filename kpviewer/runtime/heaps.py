"""Heaps of the C library's allocator: fewer of them, so that less memory is lost between values."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8  # of glibc's malloc.h
_HEAPS = 2


def share_heaps() -> None:
    """Let all threads share two heaps, not eight for each core; only glibc has them.

    A model is loaded on one thread, runs on another and is freed on a third. Each leaves parts of
    its heap unused, which no other thread can use. Call it before threads start.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, _HEAPS)
