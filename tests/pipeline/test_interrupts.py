"""Ctrl-C at the moment at which the main thread has taken a lock that other threads need."""

import signal
import threading
from collections.abc import Iterator

import pytest
from fakes import FakeEngine, FakeSource

from kpviewer.pipeline.measuring.benchmark import Plan, measure_pipeline
from kpviewer.pipeline.measuring.streams import measure_streams
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.streaming import ResultStream


def bench(source: FakeSource) -> None:
    measure_pipeline(source, FakeEngine(), Plan(frames=1_000_000))


def streams(source: FakeSource) -> None:
    measure_streams([source], FakeEngine(), frames=1_000_000)


def iterate(source: FakeSource) -> None:
    options = PipelineOptions(pace=False, hold_at_end=False)
    with ResultStream(Pipeline(source, FakeEngine(), options=options)) as results:
        for _ in results:
            pass


@pytest.fixture(params=[1, 2, 3, 5, 8, 13])
def interrupted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ctrl-C once the main thread has taken the lock of a condition for the Nth time."""
    entered, left = threading.Condition.__enter__, [request.param]

    def enter(condition: threading.Condition) -> bool:
        is_taken = entered(condition)
        if threading.get_ident() == threading.main_thread().ident:
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(signal.SIGINT)
        return is_taken

    monkeypatch.setattr(threading.Condition, "__enter__", enter)
    yield
    assert left[0] <= 0


@pytest.mark.usefixtures("interrupted")
@pytest.mark.parametrize("act", [bench, streams, iterate])
def test_an_interrupt_leaves_no_lock_behind(act):
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        act(FakeSource(100_000, fps=1e6))
    assert set(threading.enumerate()) <= before
