"""Batches of frames in the pipeline: the same results, in order, whatever fails."""

from collections.abc import Callable

import numpy as np
import pytest
from fakes import TIMEOUT_S, FakeEngine, FakeSource, collect

from kpviewer.errors import PipelineError
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.state.channels import FrameQueue
from kpviewer.pipeline.state.stats import QUEUE_FULL
from kpviewer.runtime.buffers import PinnedPool

MakePipeline = Callable[..., Pipeline]


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[PinnedPool]:
    """Return the pools of the pipelines that are made."""
    made: list[PinnedPool] = []

    def make(slots: int) -> PinnedPool:
        made.append(PinnedPool(slots))
        return made[-1]

    monkeypatch.setattr("kpviewer.pipeline.pipeline.PinnedPool", make)
    return made


class BatchingEngine(FakeEngine):
    """Engine that also runs batches, and records their sizes."""

    def __post_init__(self):
        super().__post_init__()
        self.batches = []
        self.most_alive = 0

    def infer_batch(self, images):
        self.batches.append(len(images))
        return [self.infer(bgr) for bgr in images]


def slow_start(frames: int, batch: int, **given: object):
    """Return a source, and an engine that holds the first frame until the queue is full."""
    return (
        FakeSource(frames),
        BatchingEngine(blocks_at={0}, **given),
        PipelineOptions.at_full_speed(batch),
    )


def run(make_pipeline: MakePipeline, source, engine, options):
    """Run to the end, the queue full from the second frame on; return the results."""
    pipeline = make_pipeline(source, engine, options)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(min(source.info.frame_count, options.batch + 1))
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    return pipeline, collector


def has_all_back(pool: PinnedPool, slots: int) -> bool:
    """Return whether each buffer can be had once more."""
    leases = [pool.acquire(0) for _ in range(slots)]
    return None not in leases and pool.acquire(0) is None


def test_batches_give_the_results_of_one_by_one_in_order(make_pipeline):
    _, alone = run(make_pipeline, *slow_start(23, 1))
    source, engine, options = slow_start(23, 4)
    _, collector = run(make_pipeline, source, engine, options)
    assert collector.numbers == alone.numbers == list(range(23))
    assert max(engine.batches) > 1, "nothing was batched"
    assert max(engine.batches) <= 4
    for one, other in zip(alone.results, collector.results, strict=True):
        assert np.array_equal(one.detections.xyxy, other.detections.xyxy)
        assert one.frame.index == other.frame.index
    assert {result.timings.forward_ms for result in collector.results} == {2.0}


def test_every_buffer_is_given_back(make_pipeline, pools):
    source, engine, options = slow_start(30, 4)
    pipeline, _ = run(make_pipeline, source, engine, options)
    pipeline.close()
    assert has_all_back(pools[0], options.slots)


def test_memory_is_bounded_by_the_batch(make_pipeline):
    source, engine, options = slow_start(200, 4)
    pipeline = make_pipeline(source, engine, options)
    pipeline.start()
    engine.wait_for(1)
    source.wait_for_frames(options.batch + 1)
    assert source.frames_given <= options.slots <= 10 + 2 * 4
    engine.go_on()


def test_an_error_in_a_batch_ends_the_pipeline_at_that_frame(make_pipeline, pools):
    source, engine, options = slow_start(20, 4, fails_at={3: RuntimeError("a bug")})
    pipeline = make_pipeline(source, engine, options)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(5)
    engine.go_on()
    with pytest.raises(PipelineError, match="a bug"):
        pipeline.join(TIMEOUT_S)
    assert collector.numbers == [0, 1, 2]
    assert engine.seen.count(3) >= 2, "the frame was tried again, alone"
    pipeline.close()
    assert has_all_back(pools[0], options.slots)


def test_a_frame_that_fails_is_the_only_one_without_boxes(make_pipeline):
    source, engine, _ = slow_start(20, 4, fails_at={3: RuntimeError("a bug")})
    options = PipelineOptions(
        pace=False, hold_at_end=False, carries_on=True, batch=4, queue_size=4, slots=14
    )
    _, collector = run(make_pipeline, source, engine, options)
    assert collector.numbers == list(range(20))
    assert [r.frame.index for r in collector.results if not len(r.detections)] == [3]
    assert engine.batches.count(4) + engine.batches.count(3) <= 1, "then frame by frame"


def test_a_stop_in_the_middle_of_a_batch_publishes_no_frame_after_it(make_pipeline, pools):
    source, engine, options = slow_start(20, 4)
    engine.blocks_at = {0, 2}
    pipeline = make_pipeline(source, engine, options)

    class Stopping:
        def __init__(self):
            self.numbers = []

        def accept(self, result):
            self.numbers.append(result.frame.index)
            if result.frame.index == 1:
                pipeline.stop()

    sink = Stopping()
    pipeline.add_sink(sink)
    pipeline.start()
    source.wait_for_frames(5)
    engine.go_on()
    assert pipeline.join(TIMEOUT_S)
    assert sink.numbers == [0, 1]
    pipeline.close()
    assert has_all_back(pools[0], options.slots)


def test_a_live_source_is_not_batched(make_pipeline):
    source, engine = FakeSource(live=True), BatchingEngine(blocks_at={0})
    pipeline = make_pipeline(source, engine, PipelineOptions.at_full_speed(4))
    collector = collect(pipeline)
    pipeline.start()
    source.give(1)
    engine.wait_for(1)
    source.give(5)
    source.wait_for_frames(6)
    source.give(1)
    source.wait_for_reads(8)  # the sixth is on the queue by then
    engine.go_on()
    collector.wait_for(2)
    assert engine.batches == []
    assert pipeline.status().stats.drops[QUEUE_FULL] >= 4


def test_a_slow_model_runs_frame_by_frame(make_pipeline):
    source, engine, options = slow_start(8, 4)
    infer = engine.infer
    engine.infer = lambda bgr: (infer(bgr)[0], (0.0, 900.0, 0.0))
    _, collector = run(make_pipeline, source, engine, options)
    assert engine.batches == [], "a stop would wait for them"
    assert len(collector.results) == 8


def test_take_more_takes_what_waits_without_waiting():
    queue = FrameQueue[int](8, discard=lambda item: None)
    assert queue.take_more(3) == []
    for item in range(5):
        queue.put(item)
    assert (queue.take_more(3), queue.take_more(0), queue.take_more(9)) == ([0, 1, 2], [], [3, 4])


@pytest.mark.parametrize("batch", [0, 4])
def test_a_batch_must_fit_the_queue(batch):
    with pytest.raises(ValueError, match="batch"):
        PipelineOptions(batch=batch, queue_size=2)
