"""Pause, step, seek, loop, speed; another source or model while running; a lost signal."""

import dataclasses
import random
import threading
from collections.abc import Callable

import pytest
from fakes import (
    TIMEOUT_S,
    Collector,
    FakeClock,
    FakeEngine,
    FakeSource,
    Fault,
    collect,
    ends,
    eventually,
    raises,
    read_stamp,
    stalls,
)

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline_status import PipelineState, StopReason

FAST = PipelineOptions(pace=False)
"""A viewer's options, without waiting for media time."""


def wait_until_held(pipeline: Pipeline) -> None:
    """Wait for the end of the file."""
    eventually(lambda: pipeline.status().stop_reason is StopReason.END_OF_STREAM)
    assert pipeline.status().state is PipelineState.PAUSED
    assert pipeline.state is PipelineState.PAUSED


def test_a_file_has_ended_once_its_last_frame_is_published(make_pipeline):
    source, has_begun, goes_on = FakeSource(2), threading.Event(), threading.Event()

    class Slow(FakeEngine):
        def infer(self, bgr):
            if read_stamp(bgr) == 1:
                has_begun.set()
                assert goes_on.wait(TIMEOUT_S)
            return super().infer(bgr)

    pipeline = make_pipeline(source, Slow())
    collector = collect(pipeline)
    pipeline.start()
    assert has_begun.wait(TIMEOUT_S)
    eventually(lambda: pipeline.transport.at_end)
    assert pipeline.status().state is PipelineState.RUNNING
    goes_on.set()
    wait_until_held(pipeline)
    assert collector.numbers == [0, 1]


# -- pause, step, seek -----------------------------------------------------------------------


def test_a_stream_that_starts_paused_shows_its_first_frame_only(make_pipeline):
    source = FakeSource()
    pipeline = make_pipeline(source, FakeEngine())
    collector = collect(pipeline)
    pipeline.pause()
    pipeline.start()
    collector.wait_for(1)
    assert pipeline.status().state is PipelineState.PAUSED
    assert pipeline.status().stop_reason is None
    assert (collector.numbers, source.frames_given) == ([0], 1)


def test_paused_each_step_and_seek_reads_and_shows_exactly_one_frame(make_pipeline):
    source, engine = FakeSource(100), FakeEngine()
    pipeline = make_pipeline(source, engine)
    collector = collect(pipeline)
    pipeline.pause()
    pipeline.start()
    collector.wait_for(1)
    orders = [pipeline.step, pipeline.step, lambda: pipeline.seek(50), pipeline.step]
    orders += [lambda: pipeline.seek(7), lambda: pipeline.seek(7), lambda: pipeline.seek(1000)]
    for count, order in enumerate(orders, start=2):
        order()
        collector.wait_for(count)
    assert collector.numbers == engine.seen == [0, 1, 2, 50, 51, 7, 7, 99]
    assert source.frames_given == 8


def test_pause_holds_back_frames_read_ahead_and_steps_continue_without_a_gap(make_pipeline):
    source, engine = FakeSource(20), FakeEngine(blocks_at={4})
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(8)  # 4 with the model, two queued, one in hand
    pipeline.pause()
    eventually(lambda: pipeline.status().stats.queue_depth == 0)
    engine.go_on()
    collector.wait_for(5)
    assert engine.seen == [0, 1, 2, 3, 4]
    for count in (6, 7, 8, 9):
        pipeline.step()
        collector.wait_for(count)
    assert collector.numbers == list(range(9))
    pipeline.resume()
    collector.wait_for(20)
    assert collector.numbers == list(range(20))


def test_a_paused_frame_comes_once_more_for_another_model(make_pipeline):
    source, first = FakeSource(100), FakeEngine(blocks_at={4})
    pipeline = make_pipeline(source, first, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(8)  # 4 with the model, two queued, one in hand
    pipeline.pause()
    eventually(lambda: pipeline.status().stats.queue_depth == 0)
    pipeline.set_engine(second := FakeEngine())
    pipeline.repeat_frame()  # the frame that will be on the screen, not one that was read ahead
    first.go_on()
    second.wait_for(1)
    pipeline.step()
    second.wait_for(2)
    assert second.seen == [4, 5]
    collector.wait_for(7)
    assert collector.numbers == [0, 1, 2, 3, 4, 4, 5]


def test_another_model_does_not_replace_a_frame_that_is_under_way(make_pipeline):
    engine = FakeEngine(blocks_at={50})
    pipeline = make_pipeline(FakeSource(100), engine, FAST)
    collector = collect(pipeline)
    pipeline.pause()
    pipeline.start()
    collector.wait_for(1)
    pipeline.seek(50)
    engine.wait_for(2)  # 50 is with the model, 0 on the screen
    pipeline.set_engine(second := FakeEngine())
    pipeline.repeat_frame()
    engine.go_on()
    second.wait_for(1)
    assert second.seen == [50]


def test_a_seek_while_running_drops_frames_read_ahead(make_pipeline):
    source, engine = FakeSource(20), FakeEngine(blocks_at={2})
    pipeline = make_pipeline(source, engine, FAST)
    collector = collect(pipeline)
    pipeline.start()
    source.wait_for_frames(6)
    pipeline.seek(15)
    source.wait_for_frames(7)  # the first one after the seek
    engine.go_on()
    collector.wait_for(8)
    assert collector.numbers == [0, 1, 2, 15, 16, 17, 18, 19]


def test_seek_before_start_is_where_it_starts(make_pipeline):
    pipeline = make_pipeline(FakeSource(10), FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.seek(8)
    pipeline.start()
    wait_until_held(pipeline)
    collector.wait_for(2)
    assert collector.numbers == [8, 9]


def test_seeking_in_a_source_that_is_not_seekable_is_refused(make_pipeline):
    pipeline = make_pipeline(FakeSource(live=True))
    pipeline.start()
    eventually(lambda: pipeline.info is not None)
    with pytest.raises(PipelineError, match="only files"):
        pipeline.seek(3)


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_not_positive_is_refused(make_pipeline, factor):
    with pytest.raises(ValueError, match="must be positive"):
        make_pipeline(FakeSource()).set_speed(factor)


def test_speed_changes_the_time_between_frames(make_pipeline):
    clock = FakeClock()
    options = PipelineOptions(clock=clock, hold_at_end=False)
    pipeline = make_pipeline(FakeSource(11, fps=10.0, clock=clock), FakeEngine(), options)
    collector = collect(pipeline)
    pipeline.set_speed(4.0)
    pipeline.start()
    collector.wait_for(11)
    times = [result.frame.captured_ns for result in collector.results]
    assert times[-1] - times[0] == pytest.approx(0.25e9)


def test_the_time_of_a_pause_is_not_caught_up(make_pipeline):
    clock = FakeClock()
    options = PipelineOptions(clock=clock, hold_at_end=False)
    pipeline = make_pipeline(FakeSource(6, fps=10.0, clock=clock), FakeEngine(), options)
    collector = collect(pipeline)
    pipeline.pause()
    pipeline.start()
    collector.wait_for(1)
    clock.advance(0.2)  # short enough to be taken for a hiccup
    pipeline.resume()
    collector.wait_for(6)
    times = [result.frame.captured_ns for result in collector.results]
    assert times[2] - times[1] == pytest.approx(0.1e9)


def test_images_without_a_time_are_shown_one_per_second(make_pipeline):
    clock = FakeClock()
    options = PipelineOptions(clock=clock, hold_at_end=False)
    pipeline = make_pipeline(FakeSource(4, fps=None, clock=clock), FakeEngine(), options)
    collector = collect(pipeline)
    pipeline.start()
    collector.wait_for(4)
    times = [result.frame.captured_ns for result in collector.results]
    assert times[-1] - times[0] == pytest.approx(3e9)


def test_a_paused_camera_is_still_read_and_a_step_shows_the_present(make_pipeline):
    source, engine = FakeSource(live=True), FakeEngine()
    pipeline = make_pipeline(source, engine)
    collector = collect(pipeline)
    pipeline.start()
    source.give(1)
    collector.wait_for(1)
    source.wait_for_reads(2)
    pipeline.pause()
    source.give(1)  # whose read was under way
    collector.wait_for(2)
    source.give(10)
    source.wait_for_reads(13)
    pipeline.step()
    source.give(1)  # the read under way was not for show yet
    source.wait_for_reads(14)
    source.give(1)
    collector.wait_for(3)
    assert collector.numbers == [0, 1, 13]
    assert pipeline.status().stats.drops == {}


# -- the end of a file -----------------------------------------------------------------------


def test_at_the_end_the_viewer_holds_and_can_go_back(make_pipeline):
    pipeline = make_pipeline(FakeSource(5), FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.start()
    wait_until_held(pipeline)
    collector.wait_for(5)
    pipeline.seek(2)
    collector.wait_for(6)
    assert pipeline.status().state is PipelineState.PAUSED
    assert pipeline.status().stop_reason is None
    pipeline.resume()
    collector.wait_for(8)
    assert collector.numbers == [0, 1, 2, 3, 4, 2, 3, 4]


@pytest.mark.parametrize("seekable", [True, False])
def test_playing_on_at_the_end_starts_from_the_first_frame(make_pipeline, seekable):
    pipeline = make_pipeline(FakeSource(3, seekable=seekable), FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.start()
    wait_until_held(pipeline)
    collector.wait_for(3)
    pipeline.resume()
    collector.wait_for(6)
    assert collector.numbers == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("seekable", [True, False])
def test_a_loop_goes_round_until_it_is_switched_off(make_pipeline, seekable):
    pipeline = make_pipeline(
        FakeSource(3, seekable=seekable), FakeEngine(), dataclasses.replace(FAST, loop=True)
    )
    collector = collect(pipeline)
    pipeline.start()
    collector.wait_for(7)
    pipeline.transport.change(loop=False)
    wait_until_held(pipeline)
    eventually(lambda: len(collector.numbers) % 3 == 0)
    assert collector.numbers == [0, 1, 2] * (len(collector.numbers) // 3)


def test_a_loop_over_nothing_comes_to_an_end(make_pipeline):
    pipeline = make_pipeline(FakeSource(0), FakeEngine(), dataclasses.replace(FAST, loop=True))
    pipeline.start()
    wait_until_held(pipeline)


# -- another source, another model -----------------------------------------------------------


def test_the_source_can_be_changed_while_running(make_pipeline):
    camera, file = FakeSource(live=True), FakeSource(3)
    pipeline = make_pipeline(camera, FakeEngine(), FAST)
    collector = collect(pipeline)
    pipeline.start()
    camera.give(1)
    collector.wait_for(1)
    camera.wait_for_reads(2)
    pipeline.set_source(file)
    camera.give(1)  # the read that was under way; its frame may still be seen or not
    wait_until_held(pipeline)
    eventually(lambda: collector.numbers[-1] == 2)
    assert collector.numbers in ([0, 0, 1, 2], [0, 1, 0, 1, 2])
    assert camera.closes >= 1
    assert pipeline.info == file.info


def test_a_source_changed_while_paused_shows_its_first_frame(make_pipeline):
    second = FakeSource(9)
    pipeline = make_pipeline(FakeSource(), FakeEngine())
    collector = collect(pipeline)
    pipeline.pause()
    pipeline.start()
    collector.wait_for(1)
    pipeline.set_source(second)
    collector.wait_for(2)
    assert (collector.numbers, second.frames_given) == ([0, 0], 1)
    assert pipeline.status().state is PipelineState.PAUSED


def test_a_source_that_can_not_be_opened_fails_and_the_next_one_starts_again(make_pipeline):
    first, bad, good = FakeSource(), FakeSource(open_errors=[SourceError("no")]), FakeSource(2)
    pipeline = make_pipeline(first, FakeEngine(), FAST)
    pipeline.pause()
    pipeline.start()
    pipeline.set_source(bad)
    eventually(lambda: pipeline.status().state is PipelineState.FAILED)
    assert first.closes >= 1
    assert pipeline.status().failure == "no"
    pipeline.set_source(good)
    pipeline.resume()
    pipeline.start()
    wait_until_held(pipeline)
    assert bad.opens == good.opens == 1


@pytest.mark.parametrize("at", ["open", "read", "end"])
def test_a_source_set_in_the_instant_of_the_end_is_used(make_pipeline, at):
    def change(source: FakeSource) -> bool:
        pipeline.set_source(FakeSource(3))
        if at != "end":
            raise SourceError("torn")
        return True

    class Changing(FakeSource):
        def open(self):
            return change(self) if at == "open" else super().open()

    options = dataclasses.replace(FAST, hold_at_end=False)
    pipeline = make_pipeline(Changing(9, faults={2: Fault(change)}), FakeEngine(), options)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert collector.numbers[-3:] == [0, 1, 2]
    assert pipeline.status().failure is None


def test_a_source_that_was_never_taken_is_closed(make_pipeline):
    source, displaced, unused = FakeSource(faults={1: stalls()}), FakeSource(), FakeSource()
    pipeline = make_pipeline(source, FakeEngine(), FAST)
    pipeline.start()
    assert source.has_blocked.wait(TIMEOUT_S)
    pipeline.set_source(displaced)
    pipeline.set_source(unused)
    pipeline.close()
    assert (displaced.closes, unused.closes) == (1, 1)
    assert displaced.opens == unused.opens == 0


def test_the_model_can_be_changed_and_removed_while_running(make_pipeline):
    source, first, second = FakeSource(live=True), FakeEngine(), FakeEngine()
    pipeline = make_pipeline(source, None)
    collector = collect(pipeline)
    pipeline.start()
    for count, engine in enumerate((None, first, second, None), start=1):
        pipeline.set_engine(engine)
        source.give(1)
        collector.wait_for(count)
    assert (first.seen, second.seen) == ([1], [2])
    assert [len(result.detections) for result in collector.results] == [0, 1, 1, 0]


# -- a lost signal ---------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [raises(SourceError("cable out")), ends()], ids=["error", "end"])
def test_a_lost_camera_is_opened_again_with_growing_pauses(make_pipeline, fault):
    clock = FakeClock()
    errors = [None, *(SourceError(f"attempt {number}") for number in range(6)), None]
    source = FakeSource(live=True, faults={2: fault}, open_errors=errors, clock=clock)
    pipeline = make_pipeline(source, FakeEngine(), PipelineOptions(clock=clock))
    collector = collect(pipeline)
    pipeline.start()
    source.give(2)
    source.wait_for_opens(8)
    source.give(1)
    collector.wait_for(1)
    eventually(lambda: collector.results[-1].frame.index == 2)  # counts on: nothing is made up
    expected = [1, 2, 4, 8, 10, 10, 10]
    assert all(low <= wait <= 1.1 * low for low, wait in zip(expected, clock.waits_s, strict=True))
    status = pipeline.status()
    assert status.state is PipelineState.RUNNING
    assert (status.reconnects, status.attempts) == (7, 0), "a later loss begins at one"
    assert status.signal_lost_s is None


def test_stop_ends_the_wait_for_a_lost_camera_at_once(make_pipeline):
    source = FakeSource(live=True, faults={0: raises(SourceError("gone"))})
    pipeline = make_pipeline(source, FakeEngine())  # on the real clock: a wait of a second
    pipeline.start()
    eventually(lambda: pipeline.status().signal_lost_s is not None)
    pipeline.stop()
    pipeline.close()
    assert pipeline.status().state is PipelineState.IDLE
    assert source.opens == 1


def test_another_source_ends_the_wait_for_a_lost_camera(make_pipeline):
    lost, file = FakeSource(live=True, faults={0: raises(SourceError("gone"))}), FakeSource(2)
    pipeline = make_pipeline(lost, FakeEngine(), FAST)
    pipeline.start()
    eventually(lambda: pipeline.status().signal_lost_s is not None)
    pipeline.set_source(file)
    wait_until_held(pipeline)
    assert lost.opens == 1
    assert pipeline.status().signal_lost_s is None


def test_a_camera_that_stays_silent_is_reported_after_two_seconds(make_pipeline):
    clock = FakeClock()
    source = FakeSource(live=True, clock=clock)
    pipeline = make_pipeline(source, FakeEngine(), PipelineOptions(clock=clock))
    collector = collect(pipeline)
    pipeline.start()
    source.give(1)
    collector.wait_for(1)
    source.wait_for_reads(2)
    clock.advance(1.9)
    assert pipeline.status().signal_lost_s is None
    clock.advance(0.2)
    assert pipeline.status().signal_lost_s == pytest.approx(2.1)
    source.give(1)
    collector.wait_for(2)
    assert pipeline.status().signal_lost_s is None


def test_the_last_image_stays_while_the_signal_is_lost(make_pipeline):
    clock = FakeClock()
    source = FakeSource(live=True, faults={1: raises(SourceError("gone"))}, clock=clock)
    pipeline = make_pipeline(source, FakeEngine(), PipelineOptions(clock=clock))
    collector = collect(pipeline)
    pipeline.start()
    source.give(1)
    collector.wait_for(1)
    source.wait_for_opens(2)
    result = pipeline.latest.take()
    assert result is not None
    assert read_stamp(result.frame.bgr) == 0
    result.frame.release()
    assert collector.numbers == [0]


# -- anything, in any order ------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_no_order_of_calls_loses_a_buffer_or_mixes_frames(make_pipeline, seed):
    chance = random.Random(seed)
    options = dataclasses.replace(FAST, slots=6)
    pipeline = make_pipeline(FakeSource(30), FakeEngine(), options)

    def look() -> None:
        result = pipeline.latest.take()
        if result is not None:
            number = read_stamp(result.frame.bgr)
            assert all(int(box[0]) == number for box in result.detections.xyxy)
            result.frame.release()

    def restart() -> None:
        pipeline.close()
        pipeline.start()

    orders: list[Callable[[], object]] = [
        pipeline.pause,
        pipeline.resume,
        pipeline.step,
        lambda: pipeline.seek(chance.randrange(40)),
        lambda: pipeline.transport.change(loop=chance.random() < 0.8),
        lambda: pipeline.set_engine(chance.choice([None, FakeEngine()])),
        lambda: pipeline.set_source(FakeSource(chance.randrange(40))),
        pipeline.status,
        restart,
        *[look] * 8,
    ]
    pipeline.start()
    for _ in range(400):
        chance.choice(orders)()

    camera = FakeSource(live=True)
    pipeline.resume()  # first, or the camera's first read is not for show
    pipeline.set_source(camera)
    pipeline.set_engine(FakeEngine())
    eventually(lambda: pipeline.info == camera.info)
    eventually(lambda: pipeline.status().stats.queue_depth == 0)
    look()
    keeper = Collector(keeps=True)
    pipeline.add_sink(keeper)
    for count in range(1, options.slots + 1):  # every buffer is still there to be held
        camera.give(1)
        keeper.wait_for(count)
    camera.give(1)
    camera.wait_for_reads(options.slots + 2)
    assert pipeline.status().stats.drops["no free buffer"] == 1
    keeper.release_all()
