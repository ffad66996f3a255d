"""Many of Qt's values at once, written as rows of numbers: lines, or parts of images.

PyQt doesn't free the object of a ``sip.array``, or of a slice of one: 80 bytes each. Seven of them
for each painted frame are 60 MB an hour, so every thread keeps the values that it paints with.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6 import sip

_array: Any = sip.array
"""Its stubs have neither its constructor nor its buffer."""


class KeptValues(threading.local):
    """Values of a kind, of each thread its own.

    Args:
        kind: class of Qt that consists of 64-bit numbers.
    """

    def __init__(self, kind: type) -> None:
        self._kind = kind
        self._values: list[Any] = []
        self._rows = np.empty((0, 0))
        """Memory of the values."""

    def of(self, rows: NDArray[np.floating[Any]]) -> Any:
        """Return a list of values by their (N, M) numbers, until the next call on this thread."""
        count = len(rows)
        if count > len(self._values):
            array = _array(self._kind, 1 << (count - 1).bit_length())
            self._values = list(array)
            self._rows = np.frombuffer(array, np.float64).reshape(len(array), -1)
        self._rows[:count] = rows  # a tenth of the time of making Python objects
        return self._values[:count]
