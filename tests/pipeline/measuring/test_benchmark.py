"""Benchmark of the pipeline: counting, comparing and errors."""

import numpy as np
import pytest
from fakes import FakeEngine, FakeSource, FakeTimings, SubmittingFakeEngine, raises, read_stamp

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.measuring import benchmark
from kpviewer.pipeline.measuring.benchmark import (
    Plan,
    measure_bare,
    measure_calls,
    measure_drawing,
    measure_loop,
    measure_pipeline,
)

STAGES = ["read", "queue_wait", "upload", "forward", "postprocess", "select", "total"]


def test_each_stage_has_one_time_per_frame_and_the_warm_up_has_none():
    block = measure_pipeline(FakeSource(30), FakeEngine(), Plan(frames=12, warm_up=3))
    assert list(block.stages_ms) == STAGES
    assert {len(times) for times in block.stages_ms.values()} == {12}
    assert block.info.name == "fake"
    assert block.image_hw == (24, 32)
    assert block.fps > 0


def test_times_of_the_engine_and_of_selecting_are_separate():
    spent = FakeTimings(postprocess_ms=1e7)  # ms: hours, so that the rest can't be mistaken for it

    class SlowToDecode(FakeEngine):
        def infer(self, bgr):
            return super().infer(bgr)[0], spent

    block = measure_pipeline(FakeSource(10), SlowToDecode(), Plan(frames=2, warm_up=1))
    for stage in ("upload", "forward", "postprocess"):
        assert block.stages_ms[stage] == [getattr(spent, f"{stage}_ms")] * 2
    assert all(0 <= time < spent.postprocess_ms for time in block.stages_ms["select"])


@pytest.mark.parametrize("seekable", [True, False])
def test_a_short_file_is_played_again_until_there_are_enough_frames(seekable):
    plan = Plan(frames=9, warm_up=2)
    block = measure_pipeline(FakeSource(3, seekable=seekable), FakeEngine(), plan)
    assert len(block.stages_ms["total"]) == 9
    seen: list[int] = []
    measure_loop(FakeSource(3, seekable=seekable), lambda bgr: seen.append(read_stamp(bgr)), plan)
    assert seen == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]


def test_progress_counts_every_frame():
    reported: list[int] = []
    plan = Plan(frames=3, warm_up=2)
    measure_pipeline(FakeSource(), FakeEngine(), plan, progress=reported.append)
    assert sum(reported) == 3 + 2


def test_further_sinks_get_every_result():
    class Sink:
        def __init__(self) -> None:
            self.seen: list[int] = []

        def accept(self, result) -> None:
            self.seen.append(read_stamp(result.frame.bgr))

    sink = Sink()
    measure_pipeline(FakeSource(30), FakeEngine(), Plan(frames=4, warm_up=2), sink)
    assert sink.seen[:6] == list(range(6))


def test_an_engine_that_takes_several_frames_is_measured_with_them_in_flight():
    source = FakeSource(30)

    class WaitsForTheQueue(SubmittingFakeEngine):
        def infer(self, bgr):
            source.wait_for_reads(4)  # two frames wait behind a first one that was alone
            return super().infer(bgr)

    engine = WaitsForTheQueue()
    block = measure_pipeline(source, engine, Plan(frames=8, warm_up=2))
    engine.finish_copies()
    first, second = engine.submitted[:2]
    assert second == first + 1
    assert engine.most_alive == 2
    assert block.stages_ms["postprocess"] == [FakeTimings().postprocess_ms] * 8


def test_a_loop_is_measured_by_wall_clock_and_by_processor_time(monkeypatch):
    now = {"wall": 0.0, "cpu": 0.0}

    def act() -> None:
        now["wall"] += 0.020
        now["cpu"] += 0.030  # on two cores

    monkeypatch.setattr(
        "kpviewer.pipeline.measuring.benchmark.time.perf_counter", lambda: now["wall"]
    )
    monkeypatch.setattr(
        "kpviewer.pipeline.measuring.benchmark.time.process_time", lambda: now["cpu"]
    )
    rate = measure_calls(act, Plan(frames=5, warm_up=3))
    assert rate.fps == pytest.approx(50)
    assert rate.cpu_ms == pytest.approx(30)
    assert now["wall"] == pytest.approx(0.020 * 8), "the warm-up runs, and isn't measured"


def test_the_bare_model_is_timed_without_upload():
    spent = FakeTimings(upload_ms=1e9, forward_ms=6.0, postprocess_ms=2.0)

    class TimedEngine(FakeEngine):
        def infer(self, bgr):
            return super().infer(bgr)[0], spent

    image = np.zeros((24, 32, 3), np.uint8)
    assert measure_bare(TimedEngine(), image, Plan(frames=3, warm_up=1)) == pytest.approx(125)


def test_the_bare_model_is_timed_with_as_many_images_in_flight_as_it_takes(monkeypatch):
    now, sizes = [0.0], []
    monkeypatch.setattr(benchmark.time, "perf_counter", lambda: now[0])

    class TwoAtOnce(SubmittingFakeEngine):
        def infer(self, bgr):
            now[0] += 0.004
            return super().infer(bgr)[0], FakeTimings(forward_ms=8.0)

        def submit(self, bgr):
            sizes.append(bgr.shape[:2])
            return super().submit(bgr)

    engine, image = TwoAtOnce(frames_in_flight=3), np.zeros((48, 64, 3), np.uint8)
    assert measure_bare(engine, image, Plan(frames=5, warm_up=3)) == pytest.approx(250)
    assert engine.most_alive == 3
    assert set(sizes) == {engine.spec.input_hw}


def test_drawing_is_timed_for_each_frame_but_those_of_the_warm_up():
    drawn: list[int] = []
    times_ms = measure_drawing(
        FakeSource(20),
        FakeEngine(),
        Plan(frames=4, warm_up=3),
        lambda result: drawn.append(read_stamp(result.frame.bgr)),
    )
    assert len(times_ms) == 4
    assert drawn[:7] == list(range(7))


def test_errors_of_engine_and_source_come_out():
    plan = Plan(frames=50, warm_up=1)
    with pytest.raises(PipelineError, match="a bug"):
        measure_pipeline(FakeSource(), FakeEngine(fails_at={4: RuntimeError("a bug")}), plan)
    for measured in (
        lambda source: measure_pipeline(source, FakeEngine(), plan),
        lambda source: measure_loop(source, read_stamp, plan),
    ):
        source = FakeSource(faults={3: raises(SourceError("torn"))})
        with pytest.raises(SourceError, match="torn"):
            measured(source)
        assert source.closes


def test_a_source_without_frames_is_refused():
    plan = Plan(frames=1, warm_up=1)
    with pytest.raises(SourceError, match="no frame"):
        measure_pipeline(FakeSource(0), FakeEngine(), plan)
    with pytest.raises(SourceError, match="no frame"):
        measure_loop(FakeSource(0), read_stamp, plan)


def test_a_plan_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Plan(frames=0)
