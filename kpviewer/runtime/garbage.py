"""Python's garbage collector, kept from long work on what is there for good.

A full collection visits every object. With torch there are 500,000 of them, which takes 0.1 to 0.3
seconds, and it holds Python's lock: whichever thread begins it, the window stands still.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


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


@cache
def keep_for_good() -> None:
    """Leave what exists now out of every later collection; does nothing the second time."""
    gc.freeze()
