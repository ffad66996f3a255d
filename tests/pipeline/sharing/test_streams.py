"""Several streams with one model: each keeps to itself, whatever happens to another."""

from collections.abc import Callable, Iterator

import pytest
from fakes import TIMEOUT_S, FakeClock, FakeEngine, FakeSource, FakeTimings, collect, eventually

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.sharing.model import SharedModel
from kpviewer.pipeline.state.stats import QUEUE_FULL
from kpviewer.pipeline_status import PipelineState, StopReason

FILE = PipelineOptions(pace=False, hold_at_end=False)
VIEWER = PipelineOptions(pace=False, hold_at_end=False, carries_on=True)


class Streams:
    """Pipelines that share a model, as a grid has them."""

    def __init__(
        self, sources: list[FakeSource], engine: FakeEngine, options: PipelineOptions
    ) -> None:
        self.sources, self.engines = sources, list[FakeEngine]()
        self.pipelines = [Pipeline(source, options=options) for source in sources]
        self.model = SharedModel()
        self.set_engine(engine)

    def set_engine(self, engine: FakeEngine) -> None:
        self.engines.append(engine)
        self.model.use(engine, self._take_seats)

    def _take_seats(self) -> None:
        for pipeline in self.pipelines:
            pipeline.set_engine(self.model.seat())

    def start(self) -> None:
        for pipeline in self.pipelines:
            pipeline.start()

    def close(self) -> None:
        """Stop with everything unblocked."""
        for source in self.sources:
            source.interrupt()
        for engine in (*self.engines, self.model.engine):
            engine.go_on()
        for pipeline in self.pipelines:
            pipeline.stop()
        for pipeline in self.pipelines:
            pipeline.close()
        self.model.stop()


MakeStreams = Callable[..., Streams]


@pytest.fixture
def make_streams() -> Iterator[MakeStreams]:
    """Make streams, and close them."""
    made: list[Streams] = []

    def make(
        sources: list[FakeSource], engine: FakeEngine, options: PipelineOptions = FILE
    ) -> Streams:
        made.append(Streams(sources, engine, options))
        return made[-1]

    yield make
    for streams in made:
        streams.close()


def state_of(pipeline: Pipeline) -> PipelineState:
    return pipeline.status().state


def test_each_stream_gets_all_of_its_frames_with_their_boxes(make_streams):
    engine = FakeEngine()
    streams = make_streams([FakeSource(count) for count in (12, 5, 9, 1)], engine)
    collectors = [collect(pipeline) for pipeline in streams.pipelines]
    streams.start()
    assert all(pipeline.join(TIMEOUT_S) for pipeline in streams.pipelines)
    assert [collector.numbers for collector in collectors] == [
        list(range(count)) for count in (12, 5, 9, 1)
    ]
    for collector in collectors:
        boxes = [int(result.detections.xyxy[0, 0]) for result in collector.results]
        assert boxes == collector.numbers
    assert engine.threads == {"kpviewer-model"}
    reasons = [pipeline.status().stop_reason for pipeline in streams.pipelines]
    assert reasons == [StopReason.END_OF_STREAM] * 4


def test_a_frame_that_the_model_fails_on_ends_only_its_stream(make_streams):
    engine = FakeEngine(fails_at={7: ValueError("odd")})
    streams = make_streams([FakeSource(5), FakeSource(20), FakeSource(6)], engine)
    collectors = [collect(pipeline) for pipeline in streams.pipelines]
    streams.start()
    for at in (0, 2):
        assert streams.pipelines[at].join(TIMEOUT_S)
    with pytest.raises(PipelineError, match="odd"):
        streams.pipelines[1].join(TIMEOUT_S)
    assert [len(collector.numbers) for collector in collectors] == [5, 7, 6]


def test_a_source_that_breaks_ends_only_its_stream(make_streams):
    streams = make_streams(
        [FakeSource(open_errors=[SourceError("unplugged")]), FakeSource(5)], FakeEngine()
    )
    streams.start()
    assert streams.pipelines[1].join(TIMEOUT_S)
    with pytest.raises(SourceError, match="unplugged"):
        streams.pipelines[0].join(TIMEOUT_S)


def waiting_behind(make_streams: MakeStreams, options: PipelineOptions = FILE):
    """Return streams of which the second waits for its turn while the first one's frame runs."""
    engine = FakeEngine(blocks_at={0})
    first, second = FakeSource(live=True), FakeSource(live=True)
    streams = make_streams([first, second], engine, options)
    streams.start()
    first.give()
    engine.wait_for(1)
    second.give()
    eventually(lambda: streams.pipelines[1].faults.running_engine() is not None)
    return streams, engine, second


@pytest.mark.parametrize("options", [FILE, VIEWER], ids=["strict", "viewer"])
def test_a_stream_stops_while_the_model_is_at_the_frame_of_another(make_streams, options):
    streams, engine, _ = waiting_behind(make_streams, options)
    second = streams.pipelines[1]
    second.stop()
    assert second.join(TIMEOUT_S)
    assert (state_of(second), state_of(streams.pipelines[0])) == (
        PipelineState.IDLE,
        PipelineState.RUNNING,
    )
    assert second.faults.take_news() == []
    assert engine.seen == [0]
    collector = collect(second)
    second.set_source(FakeSource(3))
    second.start()
    engine.go_on()
    assert second.join(TIMEOUT_S)
    assert collector.numbers == [0, 1, 2]


def test_a_camera_whose_turn_comes_late_has_its_newest_frame_run(make_streams):
    streams, engine, source = waiting_behind(make_streams)
    pipeline = streams.pipelines[1]
    collector = collect(pipeline)
    source.give(4)
    source.wait_for_reads(6)  # the fifth frame is on the queue by then
    engine.go_on()
    collector.wait_for(1)
    assert collector.numbers == [4]
    assert pipeline.status().stats.drops == {QUEUE_FULL: 4}
    assert collector.results[0].detections.xyxy[0, 0] == 4


def test_a_frame_that_the_model_fails_on_is_tried_again_not_a_newer_one(make_streams):
    source = FakeSource(live=True)
    engine = FakeEngine(blocks_at={0}, fails_at={0: ValueError("odd")})
    streams = make_streams([source], engine, VIEWER)
    collector = collect(streams.pipelines[0])
    streams.start()
    source.give()
    engine.wait_for(1)
    source.give()
    source.wait_for_reads(3)
    engine.go_on()
    collector.wait_for(2)
    assert engine.seen == [0, 0, 1]
    assert [result.has_model for result in collector.results] == [False, True]


def test_a_file_that_waits_for_its_turn_loses_no_frame(make_streams):
    engine = FakeEngine(blocks_at={0})
    first, second = FakeSource(live=True), FakeSource(6)
    streams = make_streams([first, second], engine)
    collector = collect(streams.pipelines[1])
    streams.start()
    first.give()
    second.wait_for_frames(3)
    engine.go_on()
    assert streams.pipelines[1].join(TIMEOUT_S)
    assert collector.numbers == list(range(6))


@pytest.mark.parametrize("options", [FILE, VIEWER], ids=["strict", "viewer"])
def test_another_model_runs_on_the_frames_that_waited_for_one_that_hangs(make_streams, options):
    streams, hanging, _ = waiting_behind(make_streams, options)
    collector = collect(streams.pipelines[1])
    engine = FakeEngine()
    streams.set_engine(engine)
    collector.wait_for(1)
    assert (collector.numbers, hanging.seen, engine.seen) == ([0], [0], [0])
    assert streams.pipelines[1].faults.take_news() == []
    assert streams.model.engine is engine
    hanging.go_on()


def test_a_model_that_was_replaced_and_is_chosen_again_runs_on_one_thread(make_streams):
    streams, engine, source = waiting_behind(make_streams)
    collector = collect(streams.pipelines[1])
    other = FakeEngine()
    streams.set_engine(other)
    collector.wait_for(1)
    streams.set_engine(engine)
    source.give()
    eventually(lambda: streams.pipelines[1].faults.running_engine() is not None)
    assert engine.seen == [0], "it is still at the first stream's frame"
    engine.go_on()
    collector.wait_for(2)
    assert (other.seen, engine.seen) == ([0], [0, 1])


def test_a_device_that_fails_is_reported_and_all_streams_go_on(make_streams):
    class LostDevice(FakeEngine):
        spare = FakeEngine()

        def infer(self, bgr):
            raise RuntimeError("CUDA error: device lost")

        def on_cpu(self):
            return self.spare

    engine = LostDevice()
    streams = make_streams([FakeSource(6), FakeSource(6)], engine)
    collectors = [collect(pipeline) for pipeline in streams.pipelines]
    streams.start()
    assert all(pipeline.join(TIMEOUT_S) for pipeline in streams.pipelines)
    assert [collector.numbers for collector in collectors] == [list(range(6))] * 2
    assert streams.model.engine is engine.spare
    news = [text for pipeline in streams.pipelines for text in pipeline.faults.take_news()]
    assert any("continues on the CPU" in text for text in news)


class Queueing(FakeEngine):
    """Engine that other pipelines share, says it."""

    waited_ms = 5e6
    silent_s = 1.0

    def infer_at_turn(self, take):
        return self.infer(take())

    def interrupt(self) -> None:
        """Nothing waits."""

    def resume(self) -> None:
        """Nothing waits."""


def test_the_wait_for_other_streams_counts_as_waiting(make_pipeline):
    pipeline = make_pipeline(FakeSource(1), Queueing(), FILE)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    timings = collector.results[0].timings
    assert timings.queue_wait_ms >= 5e6
    assert (timings.upload_ms, timings.forward_ms) == FakeTimings()[:2]


def test_a_model_is_not_silent_while_it_answers_other_streams(make_pipeline):
    clock = FakeClock()
    engine = Queueing(blocks_at={0})
    pipeline = make_pipeline(FakeSource(1), engine, PipelineOptions(clock=clock))
    pipeline.start()
    engine.wait_for(1)
    clock.advance(60)
    assert pipeline.status().model_silent_s is None
    engine.silent_s = 50.0
    assert pipeline.status().model_silent_s == 50.0
