"""Tickets: pending results of an engine that takes several images at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kpviewer.runtime.buffers import Fence

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Ticket(Generic[T_co]):
    """Pending result of an image."""

    fence: Fence | None
    """Copy that still reads the image; None if it is no longer read."""
    result: Callable[[], T_co]
    """Waits, and returns the result or raises; called once."""
