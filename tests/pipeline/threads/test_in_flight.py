"""Frames in flight: the results of one by one, in order, whatever happens between."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeEngine, FakeSource, SubmittingFakeEngine, collect

from kpviewer.errors import PipelineError
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.results.comparing import SecondModel
from kpviewer.structures import Thresholds

MakePipeline = Callable[..., Pipeline]
FAST = PipelineOptions.at_full_speed()
VIEWER = PipelineOptions(pace=False, hold_at_end=False, carries_on=True)


class SubmittingBatchEngine(SubmittingFakeEngine):
    """Engine that takes several frames at once, and batches."""

    def infer_batch(self, images):
        return [self.infer(bgr) for bgr in images]


def held(frames: int, **given: object) -> tuple[FakeSource, SubmittingFakeEngine]:
    """Return a file, and an engine that holds the first frame until ``go_on``.

    At the fourth read two frames wait on the queue, so frame 2 is in flight beside frame 1.
    """
    return FakeSource(frames), SubmittingFakeEngine(blocks_at={0}, **given)


def run(
    make_pipeline: MakePipeline,
    source: FakeSource,
    engine: FakeEngine,
    options: PipelineOptions = FAST,
):
    """Run to the end, the queue full from the second frame on; return the results."""
    pipeline = make_pipeline(source, engine, options)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_reads(4)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    return pipeline, collector


def test_results_are_those_of_one_by_one_in_order(make_pipeline):
    _, alone = run(make_pipeline, FakeSource(40), FakeEngine(blocks_at={0}))
    source, engine = held(40)
    _, collector = run(make_pipeline, source, engine)
    assert collector.numbers == alone.numbers == list(range(40))
    for one, other in zip(alone.results, collector.results, strict=True):
        assert np.array_equal(one.detections.xyxy, other.detections.xyxy)
        assert other.detections.xyxy[0, 0] == other.frame.index
    assert engine.most_alive == 2, "two frames are under way at once, never more"
    assert engine.threads == {"kpviewer-inference"}


def test_an_engine_may_ask_for_one_frame_at_a_time(make_pipeline):
    source, engine = held(9, frames_in_flight=1)
    _, collector = run(make_pipeline, source, engine)
    assert collector.numbers == list(range(9))
    assert engine.submitted == []


def test_frames_of_a_live_source_wait_to_be_replaced_by_newer_ones(make_pipeline):
    source, engine = FakeSource(live=True), SubmittingFakeEngine(blocks_at={0})
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.give(1)
    engine.wait_for(1)
    source.give(3)
    source.wait_for_reads(5)  # frame 3 waits on the queue
    engine.go_on()
    collector.wait_for(2)
    assert collector.numbers == [0, 3]
    assert engine.submitted == []


def test_a_frame_with_none_behind_it_runs_alone(make_pipeline):
    engine = SubmittingFakeEngine()
    pipeline = make_pipeline(FakeSource(1), engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert collector.numbers == [0]
    assert engine.submitted == []


def test_batches_are_not_broken_up(make_pipeline):
    engine = SubmittingBatchEngine(blocks_at={0})
    options = PipelineOptions.at_full_speed(4)
    _, collector = run(make_pipeline, FakeSource(20), engine, options)
    assert collector.numbers == list(range(20))
    assert engine.most_alive <= 1


def test_a_buffer_is_reused_only_after_its_copy(make_pipeline):
    """Stop with two frames in flight, and run again with the same buffers."""
    source, engine = held(30)
    pipeline = make_pipeline(source, engine, dataclasses.replace(FAST, slots=5))

    class StopsOnce:
        stopped = False

        def accept(self, result):
            if result.frame.index == 1 and not self.stopped:
                self.stopped = True
                pipeline.stop()

    pipeline.add_sink(StopsOnce())
    pipeline.start()
    source.wait_for_reads(4)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    given_up = [copy for copy in engine.copies if not copy.query()]
    assert given_up, "a frame was in flight when the pipeline stopped"
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert collector.numbers == list(range(30))
    engine.finish_copies()


def test_a_stop_publishes_no_frame_in_flight(make_pipeline):
    source, engine = held(30)
    pipeline = make_pipeline(source, engine, FAST)
    numbers: list[int] = []

    class Stopping:
        def accept(self, result):
            numbers.append(result.frame.index)
            if result.frame.index == 1:
                pipeline.stop()

    pipeline.add_sink(Stopping())
    pipeline.start()
    source.wait_for_reads(4)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    assert numbers == [0, 1]
    assert 2 in engine.submitted


def test_results_stay_with_their_frames_over_a_seek(make_pipeline):
    source, engine = held(100)
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_reads(4)
    pipeline.seek(90)
    source.wait_for_frames(4)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    before = [number for number in collector.numbers if number < 90]
    assert before == list(range(len(before)))
    assert collector.numbers[len(before) :] == list(range(90, 100))
    for result in collector.results:
        assert result.detections.xyxy[0, 0] == result.frame.index


def test_a_frame_in_flight_belongs_to_the_model_that_began_with_it(make_pipeline):
    source, first = held(10)
    second = SubmittingFakeEngine(spec=dataclasses.replace(FAKE_SPEC, name="second"))
    pipeline = make_pipeline(source, first, FAST)
    collector = collect(pipeline)
    pipeline.start()
    first.wait_for(1)
    source.wait_for_reads(4)
    pipeline.set_thresholds(Thresholds(score=0.95))
    pipeline.set_engine(second)
    first.go_on()
    assert pipeline.join(TIMEOUT_S)
    assert collector.numbers == list(range(10))
    names = [result.spec.name for result in collector.results]
    of_first = names.count("fake")
    assert names == ["fake"] * of_first + ["second"] * (10 - of_first)
    assert [*first.seen, *second.seen] == list(range(10))
    assert len(collector.results[-1].detections) == 0, "0.9 is below the new threshold"


def test_present_thresholds_count_for_a_frame_in_flight(make_pipeline):
    source, engine = held(5)
    pipeline = make_pipeline(source, engine, FAST)

    class Raising:
        def accept(self, result):
            if result.frame.index == 1:
                pipeline.set_thresholds(Thresholds(score=0.95))

    pipeline.add_sink(Raising())
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_reads(4)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    assert 2 in engine.submitted[:3]
    assert [len(result.detections) for result in collector.results] == [1, 1, 0, 0, 0]


@pytest.mark.parametrize("refuses", [False, True], ids=["result", "submit"])
def test_a_frame_that_fails_is_the_only_one_without_boxes(make_pipeline, refuses):
    bug = {3: RuntimeError("a bug")}
    source, engine = held(12, fails_at=bug, refuses=bug if refuses else {})
    pipeline, collector = run(make_pipeline, source, engine, VIEWER)
    assert collector.numbers == list(range(12))
    assert [r.frame.index for r in collector.results if not len(r.detections)] == [3]
    assert any("tried again" in line for line in pipeline.faults.take_news())


def test_a_frame_that_fails_once_gets_its_boxes(make_pipeline):
    source, engine = held(8, refuses={3: RuntimeError("short of memory")})
    _, collector = run(make_pipeline, source, engine)
    assert [len(result.detections) for result in collector.results] == [1] * 8


def test_the_first_error_ends_a_pipeline_that_does_not_carry_on(make_pipeline):
    source, engine = held(20, fails_at={4: RuntimeError("a bug")})
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_reads(4)
    engine.go_on()
    with pytest.raises(PipelineError, match="a bug"):
        pipeline.join(TIMEOUT_S)
    assert collector.numbers == [0, 1, 2, 3]
    assert engine.alive <= 1


class LosingEngine(SubmittingFakeEngine):
    """Engine of a GPU that is lost at a frame, for good, with the same model on the CPU."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.spares: list[FakeEngine] = []
        self.is_lost = False

    def infer(self, bgr):
        self.is_lost = self.is_lost or bgr[0, 0, 0] == 5
        if self.is_lost:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return super().infer(bgr)

    def on_cpu(self) -> FakeEngine:
        self.spares.append(FakeEngine())
        return self.spares[-1]


def test_frames_in_flight_on_a_lost_gpu_continue_on_one_cpu_engine(make_pipeline):
    source, engine = FakeSource(20), LosingEngine(blocks_at={0})
    pipeline, collector = run(make_pipeline, source, engine)
    assert collector.numbers == list(range(20))
    assert [len(result.detections) for result in collector.results] == [1] * 20
    (spare,) = engine.spares
    assert spare.seen == list(range(5, 20))
    assert pipeline.settings.current.engine is spare


def test_the_second_model_sees_the_frame_of_the_first(make_pipeline):
    source, engine = held(15)
    second = SubmittingFakeEngine()
    pipeline = make_pipeline(source, engine, FAST)
    pipeline.settings.set_second(SecondModel(second, FAKE_SPEC.thresholds))
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_reads(4)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    assert second.seen == collector.numbers == list(range(15))
    for result in collector.results:
        assert result.second is not None
        assert result.second.detections.xyxy[0, 0] == result.frame.index
        assert result.second.difference.false_negatives == 0


def test_a_sink_that_was_removed_gets_no_frame_in_flight(make_pipeline):
    source, engine = held(6)
    pipeline = make_pipeline(source, engine, FAST)
    numbers: list[int] = []

    class Leaving:
        def accept(self, result):
            numbers.append(result.frame.index)
            if result.frame.index == 1:
                pipeline.remove_sink(self)
                pipeline.set_engine(FakeEngine())

    pipeline.add_sink(Leaving())
    pipeline.start()
    source.wait_for_reads(4)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    assert engine.seen == [0, 1, 2]
    assert numbers == [0, 1]
