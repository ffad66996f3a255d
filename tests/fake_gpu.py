"""A device whose streams do their work as late as they may, or at once: both find races."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import torch
from torch import Tensor

_order = count()


class FakeEvent:
    """Point in a stream's work. Its time is the order in which events were reached."""

    def __init__(self, stream: FakeStream, position: int) -> None:
        self.stream, self.position = stream, position
        self.time = 0

    def query(self) -> bool:
        return self.stream.done > self.position

    def synchronize(self) -> None:
        self.stream.work_up_to(self.position)

    def elapsed_time(self, end_event: FakeEvent) -> float:
        assert self.query(), "a time is asked for before the work is done"
        assert end_event.query(), "a time is asked for before the work is done"
        return float(end_event.time - self.time)


class FakeStream:
    """Queue of work, done when something waits for it, or at once."""

    def __init__(self, *, is_late: bool) -> None:
        self.is_late = is_late
        self.queue: list[Callable[[], object]] = []
        self.done = 0

    def run(self, work: Callable[[], object]) -> None:
        self._put(work)

    def mark(self) -> FakeEvent:
        event = FakeEvent(self, len(self.queue))

        def reach() -> None:
            event.time = next(_order)

        self._put(reach)
        return event

    def wait(self, event: FakeEvent) -> None:
        self._put(event.synchronize)

    def work_up_to(self, position: int) -> None:
        while self.done <= position:
            work = self.queue[self.done]
            self.done += 1
            with torch.inference_mode():  # as when it was queued
                work()

    def _put(self, work: Callable[[], object]) -> None:
        self.queue.append(work)
        if not self.is_late:
            self.work_up_to(len(self.queue) - 1)


class FakeDevice:
    """Device in the host's memory, whose streams are late as told, in the order of their making."""

    def __init__(self, late: tuple[bool, ...] = (True, True), *, pins: bool = True) -> None:
        self._late = iter(late)
        self.pins = pins
        self.streams: list[FakeStream] = []
        self.captures = 0

    def stream(self) -> FakeStream:
        self.streams.append(FakeStream(is_late=next(self._late)))
        return self.streams[-1]

    def empty(self, shape: tuple[int, ...], *users: FakeStream) -> Tensor:
        return torch.empty(shape, dtype=torch.uint8)

    def pinned(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        return torch.empty(shape, dtype=dtype)

    def is_pinned(self, bgr: np.ndarray) -> bool:
        return self.pins

    def synchronize(self) -> None:
        for stream in self.streams:
            stream.work_up_to(len(stream.queue) - 1)

    def capture(
        self, function: Callable[[Tensor], Tensor], argument: Tensor, stream: FakeStream
    ) -> tuple[Tensor, Callable[[], object]]:
        self.synchronize()
        self.captures += 1
        result = function(argument)
        return result, lambda: result.copy_(function(argument))
