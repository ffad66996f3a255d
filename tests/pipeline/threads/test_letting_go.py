"""A thread that hangs is let go: nothing waits for it, and it does no harm when it wakes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from fakes import TIMEOUT_S, FakeClock, FakeEngine, FakeSource, collect, eventually, stalls

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline_status import PipelineState, StopReason
from kpviewer.sources.synthetic.video import GeneratedVideo
from kpviewer.structures import StreamInfo

MakePipeline = Callable[..., Pipeline]


class StuckSource(FakeSource):
    """Can't be interrupted, as a driver or a dead disk; only ``wake`` ends what is blocked."""

    def interrupt(self) -> None:
        """Change nothing."""

    def wake(self) -> None:
        super().interrupt()


@dataclass
class Stage:
    """A pipeline, its source that may hang, and the time."""

    make: MakePipeline
    clock: FakeClock
    sources: list[StuckSource]

    def pipeline(self, source: StuckSource, engine: FakeEngine | None = None) -> Pipeline:
        self.sources.append(source)
        options = PipelineOptions(clock=self.clock, pace=False, carries_on=True)
        return self.make(source, engine, options)


@pytest.fixture
def stage(make_pipeline: MakePipeline) -> Iterator[Stage]:
    made = Stage(make_pipeline, FakeClock(), [])
    yield made
    for source in made.sources:
        source.wake()


def capture_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "kpviewer-capture"]


def stuck_in_open(**given: bool) -> StuckSource:
    source = StuckSource(**given)
    source.open_is_blocked = True
    return source


@pytest.mark.parametrize("live", [False, True])
def test_a_source_that_never_opens_has_failed_after_five_and_a_half_seconds(stage, live):
    source = stuck_in_open(live=live)
    pipeline = stage.pipeline(source)
    pipeline.start()
    assert source.has_blocked.wait(TIMEOUT_S)
    assert pipeline.status().state is PipelineState.STARTING
    stage.clock.advance(5.4)
    assert pipeline.status().state is PipelineState.STARTING
    stage.clock.advance(0.2)
    eventually(lambda: pipeline.status().state is PipelineState.FAILED)
    assert capture_threads()  # which still hangs
    with pytest.raises(SourceError, match="doesn't answer"):
        pipeline.join(TIMEOUT_S)
    pipeline.close()


def test_a_generated_video_that_takes_long_waits_for_no_device():
    is_prepared, clock = threading.Event(), FakeClock()
    info = StreamInfo("generated", 64, 48, 30.0, 3, is_live=False, is_seekable=False)
    source = GeneratedVideo(info, lambda: is_prepared.wait(TIMEOUT_S), lambda *_: None)
    with closing(Pipeline(source, options=PipelineOptions(clock=clock))) as pipeline:
        pipeline.start()
        assert pipeline.status().state is PipelineState.STARTING
        clock.advance(30)
        assert pipeline.status().state is PipelineState.STARTING
        is_prepared.set()
        eventually(lambda: pipeline.status().state is not PipelineState.STARTING)
        assert not pipeline.status().state.is_over


def test_a_run_is_over_though_its_source_hangs_in_open(stage):
    source = stuck_in_open()
    pipeline = stage.pipeline(source)
    pipeline.start()
    assert source.has_blocked.wait(TIMEOUT_S)
    pipeline.stop()
    assert pipeline.status().state is PipelineState.STOPPING
    stage.clock.advance(2.1)
    eventually(lambda: pipeline.status().state is PipelineState.IDLE)
    assert pipeline.status().stop_reason is StopReason.REQUESTED
    assert pipeline.join(0)


def test_a_slow_model_gets_every_frame_of_a_file_that_has_ended(stage):
    engine = FakeEngine(blocks_at={0})
    options = PipelineOptions(clock=stage.clock, pace=False, hold_at_end=False)
    pipeline = stage.make(FakeSource(3), engine, options)
    results = collect(pipeline)
    pipeline.start()
    engine.wait_for(1)
    eventually(lambda: pipeline.status().state is PipelineState.STOPPING)
    stage.clock.advance(60)
    assert pipeline.status().state is PipelineState.STOPPING
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    assert results.numbers == [0, 1, 2]


def test_closing_returns_while_a_read_hangs_and_its_buffer_stays_unused(stage):
    source = StuckSource(faults={2: stalls()})
    pipeline = stage.pipeline(source, FakeEngine())
    pipeline.start()
    assert source.has_blocked.wait(TIMEOUT_S)
    pipeline.close(timeout_s=0)
    (thread,) = capture_threads()
    assert pipeline.status().state is PipelineState.IDLE
    assert source.closes == 0  # closed by its own thread only, once it wakes
    source.wake()
    thread.join(TIMEOUT_S)
    assert source.closes > 0
    assert pipeline.status().failure is None  # its error when it wakes is ignored
    with pytest.raises(PipelineError, match="Open it anew"):
        pipeline.start()


def test_a_file_that_stops_answering_is_reported_after_five_seconds(stage):
    source = StuckSource(faults={2: stalls()})
    pipeline = stage.pipeline(source)
    pipeline.start()
    assert source.has_blocked.wait(TIMEOUT_S)
    assert pipeline.status().read_s is None
    stage.clock.advance(5.5)
    assert pipeline.status().read_s == pytest.approx(5.5)


def test_a_seek_that_hangs_is_reported_too(stage, monkeypatch):
    source, over = StuckSource(30), threading.Event()
    begun = threading.Event()

    def seek(_index: int) -> None:
        begun.set()
        over.wait(TIMEOUT_S)

    monkeypatch.setattr(source, "seek", seek)
    pipeline = stage.pipeline(source)
    pipeline.pause()
    pipeline.start()
    source.wait_for_frames(1)
    pipeline.seek(20)
    assert begun.wait(TIMEOUT_S)
    stage.clock.advance(5.5)
    try:
        assert pipeline.status().read_s == pytest.approx(5.5)
    finally:
        over.set()


class Hang:
    """A model that hangs on frame 1, beside a source that gives frames one by one."""

    def __init__(self, stage: Stage) -> None:
        self.source, self.engine = StuckSource(live=True), FakeEngine(blocks_at={1})
        self.pipeline = stage.pipeline(self.source, self.engine)
        self.collector = collect(self.pipeline)
        self.pipeline.start()
        self.source.give(1)
        self.collector.wait_for(1)
        self.source.give(1)
        self.engine.wait_for(2)


def test_a_model_that_hangs_is_reported_after_ten_seconds(stage):
    hang = Hang(stage)
    stage.clock.advance(9.9)
    assert hang.pipeline.status().model_silent_s is None
    stage.clock.advance(0.6)
    assert hang.pipeline.status().model_silent_s == pytest.approx(10.5)
    hang.engine.go_on()
    eventually(lambda: hang.pipeline.status().model_silent_s is None)


def test_another_model_takes_over_from_one_that_hangs(stage):
    hang, other = Hang(stage), FakeEngine()
    stage.clock.advance(10.5)
    (stuck,) = [each for each in threading.enumerate() if each.name == "kpviewer-inference"]
    hang.pipeline.set_engine(other)
    assert hang.pipeline.status().model_silent_s is None
    hang.source.give(1)
    hang.collector.wait_for(2)
    assert other.seen == [2]
    assert hang.pipeline.status().model_silent_s is None
    hang.engine.go_on()
    stuck.join(TIMEOUT_S)
    hang.source.give(1)
    hang.collector.wait_for(3)
    assert hang.collector.numbers == [0, 2, 3]  # the result of the stuck one is discarded
    assert hang.pipeline.status().state is PipelineState.RUNNING


def test_closing_returns_while_a_model_hangs(stage):
    hang = Hang(stage)
    hang.source.wake()
    hang.pipeline.close(timeout_s=0)
    assert any(each.name == "kpviewer-inference" for each in threading.enumerate())
    hang.engine.go_on()


def test_a_thread_that_join_wrongly_reports_as_ended_is_let_go_like_others(stage, monkeypatch):
    """As Python does once a signal handler has raised in ``join``."""
    hang = Hang(stage)
    monkeypatch.setattr(threading.Thread, "join", lambda _self, _timeout=None: None)
    monkeypatch.setattr(threading.Thread, "is_alive", lambda _self: False)
    hang.pipeline.close(timeout_s=0)
    assert hang.pipeline.status().state is PipelineState.IDLE
    hang.engine.go_on()
    hang.source.wake()


@pytest.mark.parametrize("limits_s", [(15.0, 15.0), (5.0, 30.0)], ids=["camera", "first image"])
def test_a_source_may_take_longer_to_open(stage, limits_s):
    """A camera from the start; an address once its first image has begun to arrive."""
    source = stuck_in_open(live=True)
    source.open_timeout_s, limit_s = limits_s
    pipeline = stage.pipeline(source)
    pipeline.start()
    assert source.has_blocked.wait(TIMEOUT_S)
    assert pipeline.status().state is PipelineState.STARTING
    source.open_timeout_s = limit_s
    stage.clock.advance(limit_s)
    assert pipeline.status().state is PipelineState.STARTING
    stage.clock.advance(0.6)
    eventually(lambda: pipeline.status().state is PipelineState.FAILED)
