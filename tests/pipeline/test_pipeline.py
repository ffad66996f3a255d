"""From source to result: order, drops, errors, and an end from every state."""

import contextlib
import dataclasses
import gc
import sys
import weakref

import numpy as np
import pytest
from fakes import (
    TIMEOUT_S,
    FakeClock,
    FakeEngine,
    FakeSource,
    FakeTimings,
    Fault,
    collect,
    ends,
    eventually,
    raises,
    read_stamp,
    resizes,
    stalls,
)
from sample_results import objects

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.streaming import ResultStream
from kpviewer.pipeline_status import PipelineState, StopReason
from kpviewer.runtime.buffers import BufferLease, PinnedPool
from kpviewer.structures import Candidates, FrameResult, ImageArray, Thresholds

PROCESS = PipelineOptions(lossless=True, pace=False, hold_at_end=False)


def take(pipeline: Pipeline) -> FrameResult:
    """Take the newest result, waiting for one."""
    taken: list[FrameResult] = []

    def has_come() -> bool:
        result = pipeline.latest.take()
        if result is not None:
            taken.append(result)
        return bool(taken)

    eventually(has_come)
    return taken[0]


def state_of(pipeline: Pipeline) -> PipelineState:
    return pipeline.status().state


# -- files: every frame, in order ------------------------------------------------------------


def test_every_frame_of_a_file_is_seen_once_and_in_order(make_pipeline):
    source, engine = FakeSource(300), FakeEngine()
    pipeline = make_pipeline(source, engine, PROCESS)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert engine.seen == collector.numbers == list(range(300))
    assert [result.frame.index for result in collector.results] == list(range(300))
    status = pipeline.status()
    assert (status.state, status.stop_reason) == (PipelineState.IDLE, StopReason.END_OF_STREAM)
    assert (status.stats.frames_read, status.stats.frames_inferred) == (300, 300)
    assert status.stats.drops == {}


def test_a_slow_model_holds_a_file_back_and_loses_nothing(make_pipeline):
    source, engine = FakeSource(50), FakeEngine(blocks_at={3})
    pipeline = make_pipeline(source, engine, dataclasses.replace(PROCESS, queue_size=2))
    pipeline.start()
    engine.wait_for(4)
    source.wait_for_frames(7)  # 3 with the model, 4 and 5 queued, 6 in hand
    assert pipeline.status().stats.queue_depth == 2
    assert source.frames_given == 7
    engine.go_on()
    pipeline.join(TIMEOUT_S)
    assert engine.seen == list(range(50))


def test_threads_have_one_job_and_one_name_each(make_pipeline):
    source, engine = FakeSource(), FakeEngine()
    pipeline = make_pipeline(source, engine, PROCESS)
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    assert source.threads == {"kpviewer-capture"}
    assert engine.threads == {"kpviewer-inference"}


def test_frames_flow_without_a_model_and_without_detections(make_pipeline):
    pipeline = make_pipeline(FakeSource(5), None, PROCESS)
    collector = collect(pipeline)
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    assert collector.numbers == list(range(5))
    assert {len(result.detections) for result in collector.results} == {0}
    assert {result.error for result in collector.results} == {None}


def test_a_size_that_changes_in_mid_stream_is_followed(make_pipeline):
    pipeline = make_pipeline(FakeSource(6, faults={3: resizes(60, 80)}), FakeEngine(), PROCESS)
    collector = collect(pipeline, keeps=True)
    pipeline.start()
    collector.wait_for(6)
    shapes = [result.frame.bgr.shape for result in collector.results]
    assert shapes == [(24, 32, 3)] * 3 + [(60, 80, 3)] * 3
    collector.release_all()


def test_a_file_that_ends_early_ends_with_its_warning(make_pipeline):
    source = FakeSource(50, faults={23: ends()})
    source.warning = "ended early: 23 of 50 frames could be read"
    pipeline = make_pipeline(source, FakeEngine(), PROCESS)
    collector = collect(pipeline)
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    assert len(collector.numbers) == 23
    assert pipeline.status().warning == source.warning


def test_a_file_waits_for_a_sink_that_holds_all_buffers(make_pipeline):
    options = dataclasses.replace(PROCESS, queue_size=1, slots=4)
    pipeline = make_pipeline(FakeSource(20), FakeEngine(), options)
    collector = collect(pipeline, keeps=True)
    pipeline.start()
    seen = []
    while len(seen) < 20:
        collector.wait_for(1)
        seen.append(read_stamp(collector.results[0].frame.bgr))
        collector.results.pop(0).frame.release()
    pipeline.join(TIMEOUT_S)
    assert seen == list(range(20))
    assert pipeline.status().stats.drops == {}


def test_a_paced_file_is_played_at_its_own_speed(make_pipeline):
    clock = FakeClock()
    source = FakeSource(31, fps=10.0, clock=clock)
    options = PipelineOptions(clock=clock, hold_at_end=False)
    pipeline = make_pipeline(source, FakeEngine(), options)
    collector = collect(pipeline)
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    times = np.array([result.frame.captured_ns for result in collector.results]) / 1e9
    assert np.diff(times) == pytest.approx(0.1)


# -- live: the newest frame ------------------------------------------------------------------


def test_a_busy_model_gets_the_newest_live_frame_and_drops_are_counted(make_pipeline):
    source, engine = FakeSource(live=True), FakeEngine(blocks_at={0})
    pipeline = make_pipeline(source, engine)
    pipeline.start()
    source.give(1)
    engine.wait_for(1)
    source.give(5)
    source.wait_for_reads(7)  # all five were handed over, the next read waits
    engine.go_on()
    engine.wait_for(2)
    assert engine.seen == [0, 5]
    assert pipeline.status().stats.drops == {"queue full": 4}


def test_a_live_source_is_still_read_when_every_buffer_is_held(make_pipeline):
    source, engine = FakeSource(live=True), FakeEngine()
    pipeline = make_pipeline(source, engine, PipelineOptions(slots=5))
    collector = collect(pipeline, keeps=True)
    pipeline.start()
    for number in range(5):
        source.give(1)
        collector.wait_for(number + 1)
    source.give(3)
    source.wait_for_reads(9)
    assert pipeline.status().stats.drops["no free buffer"] == 3
    assert pipeline.status().stats.frames_read == 8
    collector.release_all()
    result = pipeline.latest.take()
    assert result is not None
    result.frame.release()
    source.give(2)  # for the first, the read under way had found no buffer
    collector.wait_for(1)
    assert collector.numbers[-1] == 9
    collector.release_all()


def test_a_window_that_never_polls_costs_one_frame_at_most(make_pipeline):
    source, engine = FakeSource(200), FakeEngine()
    pipeline = make_pipeline(source, engine, dataclasses.replace(PROCESS, slots=5))
    pipeline.start()
    pipeline.join(TIMEOUT_S)  # five buffers carried 200 frames
    result = take(pipeline)
    assert read_stamp(result.frame.bgr) == 199
    result.frame.release()
    assert pipeline.status().stats.drops == {}


def test_results_that_the_window_skipped_are_counted(make_pipeline):
    pipeline = make_pipeline(FakeSource(10), FakeEngine(), PROCESS)
    assert pipeline.latest.take() is None  # a window polls once, then not again
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    assert pipeline.status().stats.drops == {"display skipped": 9}


# -- results ---------------------------------------------------------------------------------


def test_the_overlay_belongs_to_its_frame_under_stress(make_pipeline):
    source, engine = FakeSource(200), FakeEngine()
    pipeline = make_pipeline(source, engine, dataclasses.replace(PROCESS, slots=6))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    shown = []
    try:
        pipeline.start()

        def has_shown_the_last() -> bool:
            result = pipeline.latest.take()
            if result is not None:
                number = read_stamp(result.frame.bgr)
                box_left = int(result.detections.xyxy[0, 0])
                shown.append((number, box_left, result.frame.index))
                assert read_stamp(result.frame.bgr) == number
                result.frame.release()
            return bool(shown) and shown[-1][0] == 199

        eventually(has_shown_the_last)
    finally:
        sys.setswitchinterval(interval)
    assert all(number == box_left == index for number, box_left, index in shown)
    assert [number for number, _, _ in shown] == sorted(number for number, _, _ in shown)


def test_thresholds_and_timings_reach_the_result(make_pipeline):
    pipeline = make_pipeline(FakeSource(1), FakeEngine(), PROCESS)
    assert pipeline.settings.current.thresholds == Thresholds(score=0.3, iou=0.4)  # the model's own
    collector = collect(pipeline)
    pipeline.set_thresholds(Thresholds(score=0.95))
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    pipeline.close()
    (result,) = collector.results
    assert (len(result.candidates), len(result.detections)) == (1, 0)
    assert (result.timings.upload_ms, result.timings.forward_ms) == (1.0, 2.0)
    assert result.timings.postprocess_ms >= 3.0
    assert result.timings.total_ms > 0
    assert result.timings.read_ms > 0
    assert result.timings.queue_wait_ms > 0
    with pytest.raises(PipelineError):
        result.frame.retain()  # it was released


def test_a_published_buffer_is_never_filled_again(make_pipeline):
    pipeline = make_pipeline(FakeSource(1), None, PROCESS)
    collector = collect(pipeline, keeps=True)
    pipeline.start()
    collector.wait_for(1)
    lease = collector.results[0].frame.lease
    assert isinstance(lease, BufferLease)
    with pytest.raises(PipelineError, match="sealed"):
        lease.allocate(24, 32)
    collector.release_all()


def test_an_engine_that_asks_for_pinned_memory_gets_it(make_pipeline, monkeypatch):
    class GpuEngine(FakeEngine):
        needs_pinned_memory = True

    pinned: list[bool] = []
    monkeypatch.setattr(PinnedPool, "use_pinned", lambda _, is_pinned: pinned.append(is_pinned))
    pipeline = make_pipeline(FakeSource(), GpuEngine())
    pipeline.set_engine(FakeEngine())
    pipeline.set_engine(None)
    assert pinned == [True, False, False]


def test_the_error_is_computed_if_there_is_ground_truth(make_pipeline):
    ground_truth = objects([[0, 0, 10, 10]])
    pipeline = make_pipeline(FakeSource(2, ground_truth=ground_truth), FakeEngine(), PROCESS)
    collector = collect(pipeline)
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    first, second = (result.error for result in collector.results)
    assert first is not None
    assert (first.matched, first.mean_px) == (1, pytest.approx(0.0))
    assert second is not None
    assert second.mean_px == pytest.approx(1.0)  # the fake box moves one pixel a frame


def test_painting_is_measured_from_capture(make_pipeline):
    pipeline = make_pipeline(FakeSource(1), FakeEngine(), PROCESS)
    pipeline.start()
    result = take(pipeline)
    pipeline.note_displayed(result)
    result.frame.release()
    assert pipeline.status().stats.latency["display"].p50 > 0


def test_a_removed_sink_gets_nothing_more_and_a_doubled_one_gets_it_once(make_pipeline):
    pipeline = make_pipeline(FakeSource(5), FakeEngine(), PROCESS)
    removed, doubled = collect(pipeline), collect(pipeline)
    pipeline.remove_sink(removed)
    pipeline.add_sink(doubled)
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    assert (len(removed.numbers), len(doubled.numbers)) == (0, 5)


# -- errors ----------------------------------------------------------------------------------


def test_a_source_that_breaks_in_mid_stream_fails_the_pipeline(make_pipeline):
    error = SourceError("The file is damaged at frame 3.")
    source = FakeSource(faults={3: raises(error)})
    pipeline = make_pipeline(source, FakeEngine(), PROCESS)
    pipeline.start()
    with pytest.raises(SourceError) as caught:
        pipeline.join(TIMEOUT_S)
    assert caught.value is error
    status = pipeline.status()
    assert (status.state, status.stop_reason) == (PipelineState.FAILED, StopReason.FAILED)
    assert status.failure == "The file is damaged at frame 3."
    assert source.closes >= 1


def test_a_source_that_can_not_be_opened_fails_the_pipeline(make_pipeline):
    source = FakeSource(live=True, open_errors=[SourceError("Cannot open camera 7.")])
    pipeline = make_pipeline(source)
    pipeline.start()
    with pytest.raises(SourceError, match="camera 7"):
        pipeline.join(TIMEOUT_S)
    assert source.opens == 1


@pytest.mark.parametrize("is_live", [False, True], ids=["file", "live"])
def test_a_model_that_breaks_fails_the_pipeline(make_pipeline, is_live):
    source = FakeSource(live=is_live)
    pipeline = make_pipeline(source, FakeEngine(fails_at={2: RuntimeError("CUDA is gone\nat ...")}))
    collector = collect(pipeline)
    pipeline.start()
    for number in range(2):
        source.give(1)
        collector.wait_for(number + 1)
    source.give(1)
    eventually(lambda: pipeline.status().failure is not None)
    source.give(1)  # the read that is under way comes to its end
    with pytest.raises(PipelineError, match=r"^RuntimeError: CUDA is gone$"):
        pipeline.join(TIMEOUT_S)
    assert state_of(pipeline) is PipelineState.FAILED
    assert collector.numbers == [0, 1]


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt(), GeneratorExit()])
def test_a_model_that_ends_its_thread_is_not_the_end_of_the_film(make_pipeline, error):
    pipeline = make_pipeline(FakeSource(30), FakeEngine(fails_at={4: error}), PROCESS)
    pipeline.start()
    with pytest.raises(PipelineError, match=type(error).__name__):
        pipeline.join(TIMEOUT_S)
    assert state_of(pipeline) is PipelineState.FAILED


def test_a_source_that_ends_its_thread_is_not_the_end_of_the_film(make_pipeline):
    pipeline = make_pipeline(FakeSource(faults={4: raises(SystemExit(0))}), FakeEngine(), PROCESS)
    pipeline.start()
    with pytest.raises(PipelineError, match="SystemExit"):
        pipeline.join(TIMEOUT_S)


def test_a_sink_that_breaks_fails_the_pipeline(make_pipeline):
    class BrokenSink:
        def accept(self, result: FrameResult) -> None:
            raise OSError("disk full")

    pipeline = make_pipeline(FakeSource(), FakeEngine(), PROCESS)
    pipeline.add_sink(BrokenSink())
    pipeline.start()
    with pytest.raises(PipelineError, match="disk full"):
        pipeline.join(TIMEOUT_S)


def test_after_a_failure_it_starts_again_with_all_its_buffers(make_pipeline):
    source = FakeSource(8, faults={5: raises(SourceError("broken"))})
    options = dataclasses.replace(PROCESS, slots=5)
    engine = FakeEngine(fails_at={6: ValueError("odd")})
    pipeline = make_pipeline(source, engine, options)
    for error in (SourceError, PipelineError):
        pipeline.start()
        with pytest.raises(error):
            pipeline.join(TIMEOUT_S)
    pipeline.set_engine(FakeEngine())
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert collector.numbers == list(range(8))
    status = pipeline.status()
    assert status.failure is None
    assert status.stats.frames_read == 8  # those of this run only


def test_a_model_that_breaks_while_the_file_is_paused_ends_the_wait(make_pipeline):
    engine = FakeEngine(fails_at={0: RuntimeError("odd")}, blocks_at={0})
    pipeline = make_pipeline(FakeSource(), engine)
    pipeline.pause()
    pipeline.start()
    engine.wait_for(1)
    assert not pipeline.join(0.05)  # time for the capture to begin its wait for commands
    engine.go_on()
    with pytest.raises(PipelineError, match="odd"):
        pipeline.join(TIMEOUT_S)
    assert state_of(pipeline) is PipelineState.FAILED


# -- the end, from every state ---------------------------------------------------------------


def assert_stopped(pipeline: Pipeline) -> None:
    assert pipeline.join(TIMEOUT_S)
    status = pipeline.status()
    assert (status.state, status.stop_reason) == (PipelineState.IDLE, StopReason.REQUESTED)


def test_stop_before_start_and_twice_is_fine(make_pipeline):
    pipeline = make_pipeline(FakeSource(live=True))
    pipeline.stop()
    pipeline.close()
    pipeline.start()
    pipeline.stop()
    pipeline.stop()
    pipeline.close()
    pipeline.close()
    assert state_of(pipeline) is PipelineState.IDLE


def test_stop_while_the_source_hangs_in_open(make_pipeline):
    source = FakeSource(live=True)
    source.open_is_blocked = True
    pipeline = make_pipeline(source)
    pipeline.start()  # returns at once
    assert source.has_blocked.wait(TIMEOUT_S)
    assert state_of(pipeline) is PipelineState.STARTING
    assert pipeline.info is None
    pipeline.stop()
    assert_stopped(pipeline)


def test_stop_while_a_read_hangs(make_pipeline):
    source = FakeSource(faults={2: stalls()})
    pipeline = make_pipeline(source)
    pipeline.start()
    assert source.has_blocked.wait(TIMEOUT_S)
    assert state_of(pipeline) is PipelineState.RUNNING
    pipeline.stop()
    assert_stopped(pipeline)


def test_stop_while_the_queue_is_full(make_pipeline):
    source, engine = FakeSource(50), FakeEngine(blocks_at={0})
    pipeline = make_pipeline(source, engine, PROCESS)
    pipeline.start()
    source.wait_for_frames(4)
    pipeline.stop()
    eventually(lambda: source.closes > 0)  # capture ends though the model is still busy
    assert state_of(pipeline) is PipelineState.STOPPING
    assert not pipeline.join(0)
    engine.go_on()
    assert_stopped(pipeline)
    assert engine.seen == [0]


def test_stop_while_paused(make_pipeline):
    pipeline = make_pipeline(FakeSource(), FakeEngine())
    pipeline.pause()
    pipeline.start()
    take(pipeline).frame.release()
    assert state_of(pipeline) is PipelineState.PAUSED
    pipeline.stop()
    assert_stopped(pipeline)


def test_stop_while_held_at_the_end(make_pipeline):
    pipeline = make_pipeline(FakeSource(2), FakeEngine())
    pipeline.start()
    eventually(lambda: state_of(pipeline) is PipelineState.PAUSED)
    pipeline.stop()
    assert_stopped(pipeline)


def test_stop_after_a_failure_keeps_the_failure(make_pipeline):
    pipeline = make_pipeline(FakeSource(open_errors=[SourceError("no")]))
    pipeline.start()
    eventually(lambda: state_of(pipeline) is PipelineState.FAILED)
    pipeline.stop()
    pipeline.close()
    assert state_of(pipeline) is PipelineState.FAILED


def test_start_while_it_runs_is_refused(make_pipeline):
    pipeline = make_pipeline(FakeSource(live=True))
    pipeline.start()
    with pytest.raises(PipelineError, match="is still"):
        pipeline.start()


def test_close_discards_the_unread_result(make_pipeline):
    pipeline = make_pipeline(FakeSource(3), FakeEngine(), PROCESS)
    pipeline.start()
    pipeline.join(TIMEOUT_S)
    pipeline.close()
    assert pipeline.latest.take() is None


@pytest.mark.parametrize("options", [{"queue_size": 0}, {"queue_size": 4, "slots": 6}])
def test_options_that_can_not_work_are_refused(options):
    with pytest.raises(ValueError, match="at least"):
        PipelineOptions(**options)


# -- memory ----------------------------------------------------------------------------------


class FailingEngine(FakeEngine):
    """Engine that fails on every image, each time with an error of its own."""

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        raise ValueError("bad")


def fails(_source: FakeSource) -> bool:
    raise SourceError("gone")


@pytest.mark.parametrize(
    ("faults", "make_engine"),
    [({}, FakeEngine), ({3: Fault(fails)}, FakeEngine), ({}, FailingEngine)],
    ids=["ends", "source-fails", "model-fails"],
)
def test_a_closed_pipeline_and_its_engine_go_without_the_collector(faults, make_engine):
    gc.collect()
    gc.disable()  # a full collection is rare, and an engine has 60 MB or more
    try:
        source, engine = FakeSource(faults=faults), make_engine()
        pipeline = Pipeline(source, engine, options=PROCESS)
        pipeline.start()
        with contextlib.suppress(PipelineError, SourceError):
            pipeline.join(TIMEOUT_S)
        pipeline.close()
        kept = [weakref.ref(each) for each in (pipeline, engine, source)]
        del pipeline, engine, source
        assert [each() for each in kept] == [None, None, None]
    finally:
        gc.enable()


def test_a_closed_stream_of_results_goes_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        pipeline = Pipeline(FakeSource(), FakeEngine(), options=PROCESS)
        with ResultStream(pipeline) as results:
            next(results)
        gone = weakref.ref(pipeline)
        del pipeline, results
        assert gone() is None
    finally:
        gc.enable()
