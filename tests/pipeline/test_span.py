"""Looping over a span of a file, and playing at full speed."""

import math
from functools import partial

import pytest
from fakes import Collector, FakeClock, FakeEngine, FakeSource, collect, ends, eventually

from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.source.transport import Span
from kpviewer.pipeline_status import PipelineState, StopReason

FAST = PipelineOptions(pace=False)


def test_after_the_last_frame_of_a_span_comes_its_first(make_pipeline):
    pipeline = make_pipeline(FakeSource(100), FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.transport.change(span=Span(3, 5))
    pipeline.start()
    collector.wait_for(11)
    assert collector.numbers[:11] == [0, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4]


def test_a_span_set_while_paused_at_its_end_continues_from_its_start(make_pipeline):
    engine = FakeEngine(blocks_at={6})
    source = FakeSource(100)
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(10)  # read ahead, past what will be the end
    pipeline.pause()
    pipeline.transport.change(span=Span(4, 6))
    eventually(lambda: pipeline.status().stats.queue_depth == 0)
    engine.go_on()
    collector.wait_for(7)
    for count in (8, 9, 10, 11):
        pipeline.step()
        collector.wait_for(count)
    assert collector.numbers == [0, 1, 2, 3, 4, 5, 6, 4, 5, 6, 4]


def test_the_last_frame_before_a_loop_begins_again_is_the_one_that_is_repeated(make_pipeline):
    engine, source = FakeEngine(blocks_at={9}), FakeSource(10)
    pipeline = make_pipeline(source, engine, PipelineOptions(pace=False, loop=True))
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(13)  # 9 with the model, the first frames once more behind it
    pipeline.pause()
    eventually(lambda: pipeline.status().stats.queue_depth == 0)
    engine.go_on()
    collector.wait_for(10)
    for span in (None, Span(2, 8), Span(4, 9)):
        pipeline.transport.change(span=span)
        eventually(partial(_has_repeated, pipeline, collector, len(collector.numbers)))
    assert collector.numbers[:10] == list(range(10))
    assert set(collector.numbers[10:]) == {9}


@pytest.mark.parametrize("last", [6, 9], ids=["inside", "at the end"])
def test_a_span_that_is_taken_away_leaves_the_stream_where_it_is(make_pipeline, last):
    engine, source = FakeEngine(blocks_at={last}), FakeSource(10)
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.transport.change(span=Span(2, last))
    pipeline.start()
    source.wait_for_frames(last + 4)  # its first frames once more behind the last one
    pipeline.pause()
    eventually(lambda: pipeline.status().stats.queue_depth == 0)
    pipeline.transport.change(span=None)
    pipeline.resume()
    engine.go_on()
    eventually(lambda: pipeline.transport.at_end)
    collector.wait_for(10)
    assert collector.numbers == list(range(10))


def _has_repeated(pipeline: Pipeline, collector: Collector, count: int) -> bool:
    pipeline.repeat_frame()  # refused while a frame is owed
    return len(collector.numbers) > count


def test_a_span_that_was_passed_while_playing_begins_at_once(make_pipeline):
    source, engine = FakeSource(1000), FakeEngine(blocks_at={20})
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(24)
    pipeline.transport.change(span=Span(10, 11))
    source.wait_for_frames(26)
    engine.go_on()
    collector.wait_for(25)
    assert collector.numbers[20:25] == [20, 10, 11, 10, 11]


def test_seeking_past_a_span_continues_to_the_end(make_pipeline):
    pipeline = make_pipeline(FakeSource(10), FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.pause()
    pipeline.transport.change(span=Span(2, 3))
    pipeline.start()
    collector.wait_for(1)
    pipeline.seek(4)  # the frame after it, too
    collector.wait_for(2)
    pipeline.transport.change(speed=2.0)  # no new span: nothing to go back for
    for count in (3, 4):
        pipeline.step()
        collector.wait_for(count)
    assert collector.numbers == [0, 4, 5, 6]


def test_a_span_up_to_the_last_frame_loops_and_resuming_at_the_end_goes_back_to_it(make_pipeline):
    pipeline = make_pipeline(FakeSource(6), FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.start()
    eventually(lambda: pipeline.status().stop_reason is StopReason.END_OF_STREAM)
    collector.wait_for(6)
    pipeline.transport.change(span=Span(4, 5))
    pipeline.resume()
    collector.wait_for(10)
    assert collector.numbers[6:10] == [4, 5, 4, 5]


def test_a_file_that_ends_inside_the_span_goes_round_too(make_pipeline):
    pipeline = make_pipeline(FakeSource(10, faults={6: ends()}), FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.transport.change(span=Span(4, 8))
    pipeline.start()
    collector.wait_for(8)
    assert collector.numbers[:8] == [0, 1, 2, 3, 4, 5, 4, 5]


def test_another_source_has_no_span(make_pipeline):
    pipeline = make_pipeline(FakeSource(100), FakeEngine(), FAST)
    pipeline.transport.change(span=Span(2, 3))
    pipeline.start()
    pipeline.set_source(FakeSource(6))
    eventually(lambda: pipeline.status().stop_reason is StopReason.END_OF_STREAM)
    assert pipeline.status().state is PipelineState.PAUSED


@pytest.mark.parametrize("span", [Span(5, 4), Span(-1, 4)])
def test_a_span_that_is_no_range_of_frames_is_refused(make_pipeline, span):
    with pytest.raises(ValueError, match="0 <= first <= last"):
        make_pipeline(FakeSource()).transport.change(span=span)


def test_as_fast_as_possible_waits_for_no_frame(make_pipeline):
    clock = FakeClock()
    source = FakeSource(50, fps=0.5, clock=clock)  # 100 s
    pipeline = make_pipeline(source, FakeEngine(), PipelineOptions(clock=clock))
    collector = collect(pipeline)
    pipeline.set_speed(math.inf)
    pipeline.start()
    collector.wait_for(50)
    assert collector.numbers == list(range(50))
    assert sum(clock.waits_s) < 1.0


def test_a_live_source_may_give_every_frame(make_pipeline):
    source, engine = FakeSource(live=True), FakeEngine(blocks_at={0})
    pipeline = make_pipeline(source, engine)
    collector = collect(pipeline)
    pipeline.transport.change(lossless=True)
    pipeline.start()
    source.give(8)
    source.wait_for_frames(4)
    engine.go_on()
    collector.wait_for(8)
    assert collector.numbers == list(range(8))
    assert not pipeline.status().stats.drops


def test_a_live_source_goes_back_to_the_newest_frame(make_pipeline):
    source, engine = FakeSource(live=True), FakeEngine(blocks_at={0})
    pipeline = make_pipeline(source, engine)
    collector = collect(pipeline)
    pipeline.transport.change(lossless=True)
    pipeline.start()
    source.give(4)
    source.wait_for_frames(4)
    pipeline.transport.change(lossless=None)
    source.give(4)
    source.wait_for_reads(9)  # it doesn't wait
    engine.go_on()
    collector.wait_for(2)
    assert collector.numbers[:2] == [0, 7]
    assert sum(pipeline.status().stats.drops.values()) == 6
