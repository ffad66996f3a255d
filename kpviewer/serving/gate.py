"""A bound on what is in progress at once. One event loop; no threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kpviewer.serving.limits import BusyError


class Gate:
    """Lets at most ``most`` in; refuses others at once."""

    def __init__(self, most: int, refusal: str, on_refusal: Callable[[], object]) -> None:
        self._most, self._refusal, self._on_refusal = most, refusal, on_refusal
        self.inside = 0
        """Number that is inside now."""

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside for a ``with`` block.

        Raises:
            BusyError: if as many are inside as may be.
        """
        if self.inside >= self._most:
            self._on_refusal()
            raise BusyError(self._refusal)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
