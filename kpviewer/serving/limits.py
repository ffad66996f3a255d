"""Limits of the service, the errors of requests that exceed one, and the bound on their number."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kpviewer.errors import KpviewerError


@dataclass(frozen=True, slots=True)
class Limits:
    """Most that the service accepts at once, from one request, and for how long."""

    queue: int = 64
    """Number of requests in progress: being uploaded, waiting or running."""
    streams: int = 16
    """Number of open WebSocket streams."""
    max_bytes: int = 16 * 2**20
    """Size of a request's body, and of a frame of a stream."""
    max_pixels: int = 25_000_000
    """Pixels of an image, by its header: three bytes each once it is decoded."""
    timeout_s: float = 30.0
    """Time for each of: the upload of a request, its answer, and the reading of the answer."""
    idle_s: float = 60.0
    """Time without a frame, since the last answer, after which a stream is closed."""


class RequestError(KpviewerError):
    """A request is refused."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BusyError(RequestError):
    """The service has as many requests as it takes."""

    def __init__(self, message: str) -> None:
        super().__init__(503, message)


class Gate:
    """Lets at most ``most`` in; refuses others at once. For one event loop."""

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
