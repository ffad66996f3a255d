"""Progress of work that its owner waits for, for instance on a disk that may not answer."""

import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

_STEP = 200
"""Number of items after which progress is noted: a slow disk needs up to 10 ms for each."""


@dataclass(slots=True)
class Progress:
    """Progress of one piece of work."""

    noted_s: float = 0.0
    """Time of ``time.monotonic`` at which it was last noted; 0 if never."""


PROGRESS: ContextVar[Progress | None] = ContextVar("progress", default=None)
"""Progress of the present work; None if nobody waits for it."""


def noting_progress(items: Iterable[T]) -> Iterator[T]:
    """Yield items, and note progress now and then: whoever waits for the work waits anew."""
    progress = PROGRESS.get()
    for number, item in enumerate(items):
        if progress is not None and number % _STEP == 0:
            progress.noted_s = time.monotonic()
        yield item
