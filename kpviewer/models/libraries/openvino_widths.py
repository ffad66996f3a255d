"""One image at a time on all cores or on one less: whichever is faster at the moment.

A model is compiled for one core less, which keeps 20 MB or more, once some images have run alone:
not for those before images are in flight. That delays one image, so it is early in a live source.

Which one is faster changes while the program runs. On a calm machine all cores are; where the
reader, the window or another program takes one, the threads of a network wait for each other after
every layer. Every image is timed, so nothing is measured besides.
"""

import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

WORTHWHILE = 0.9
"""Share of the time on one core less that all cores must not exceed: they cost more in total."""
TRIED_EVERY = 64
"""Images from one trial of the other width to the next."""
TRIED_FIRST = 16
"""Images until the first trial ends: more than run alone before others are in flight."""
_TRIAL = 2
"""Images of a trial. The first isn't timed: its weights aren't in the processor's cache."""
_REMEMBERED = 3
"""Images of each width whose median counts, so that one slow moment changes nothing."""


class Widths:
    """Requests of one model, on all threads and on one less.

    Args:
        wide: request on all threads.
        narrow: compiles a request on one thread less, with the same results; None if there is none.
    """

    def __init__(self, wide: Any, narrow: Callable[[], Any] | None = None) -> None:
        self._requests, self._narrow = [wide], narrow
        self._times_s: list[deque[float]] = [deque(maxlen=_REMEMBERED) for _ in range(2)]
        self._count, self._last = TRIED_EVERY - TRIED_FIRST, 0

    @property
    def is_wide(self) -> bool:
        """Whether all threads are known to be faster at the moment."""
        return all(self._times_s) and not self._faster()

    def infer(self, inputs: Mapping[int, NDArray[Any]]) -> Any:
        """Run one image; return the request that holds its outputs."""
        chosen, self._count = self._chosen(), self._count + 1
        if chosen == len(self._requests) and self._narrow is not None:
            self._requests.append(self._narrow())
        request = self._requests[chosen]
        began_s = time.perf_counter()
        request.infer(dict(inputs), share_inputs=True)
        if chosen == self._last:
            self._times_s[chosen].append(time.perf_counter() - began_s)
        self._last = chosen
        return request

    def _chosen(self) -> int:
        """Return the index of the request for the next image."""
        if self._narrow is None:
            return 0
        is_trial = self._count % TRIED_EVERY >= TRIED_EVERY - _TRIAL
        return (self._faster() + is_trial) % 2

    def _faster(self) -> int:
        """Return the index of the request that is faster at the moment."""
        if not all(self._times_s):
            return 0
        wide_s, narrow_s = map(statistics.median, self._times_s)
        return int(wide_s > WORTHWHILE * narrow_s)
