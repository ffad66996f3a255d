"""Clocks of the stages of one image, on the host and on a GPU."""

from types import SimpleNamespace

import torch

from kpviewer.runtime import runners
from kpviewer.runtime.runners import StageClock
from kpviewer.runtime.torch.runner import CudaClock


class FakeEvent:
    """Event of a GPU: the nth one is recorded after n squared milliseconds."""

    recorded = 0

    def __init__(self, *, enable_timing: bool) -> None:
        assert enable_timing
        self.is_done = False

    def record(self) -> None:
        FakeEvent.recorded += 1
        self.time_ms = FakeEvent.recorded**2

    def synchronize(self) -> None:
        self.is_done = True

    def elapsed_time(self, end: "FakeEvent") -> float:
        return float(end.time_ms - self.time_ms)


def test_stages_on_the_host_take_the_time_between_marks(monkeypatch):
    ticks = iter([1.0, 1.5, 3.5])
    # not the clock of pytest and of other threads, which would take the ticks
    monkeypatch.setattr(runners, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    clock = StageClock()
    for _ in range(3):
        clock.mark()
    assert clock.stages_ms() == [500.0, 2000.0]


def test_stages_on_a_gpu_take_the_time_between_its_events(monkeypatch):
    events: list[FakeEvent] = []

    def event(*, enable_timing: bool) -> FakeEvent:
        events.append(FakeEvent(enable_timing=enable_timing))
        return events[-1]

    monkeypatch.setattr(torch.cuda, "Event", event)
    clock = CudaClock()
    for _ in range(3):
        clock.mark()
    assert clock.stages_ms() == [3.0, 5.0]
    assert events[-1].is_done  # else its time may not be known
