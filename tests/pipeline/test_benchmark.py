"""Benchmark of the pipeline: counting, comparing and errors."""

from dataclasses import dataclass, field

import pytest
from fakes import FakeEngine, FakeSource, FakeTimings, raises, read_stamp

from kpviewer.errors import PipelineError, SourceError
from kpviewer.pipeline.benchmark import (
    Plan,
    compare,
    measure_drawing,
    measure_loop,
    measure_pipeline,
)

STAGES = ["read", "queue_wait", "upload", "forward", "postprocess", "select", "total"]


@dataclass
class SourceMaker:
    """Makes fake files, and remembers them."""

    frames: int = 4
    made: list[FakeSource] = field(default_factory=list)

    def __call__(self) -> FakeSource:
        self.made.append(FakeSource(self.frames))
        return self.made[-1]


def test_each_stage_has_one_time_per_frame_and_the_warm_up_has_none() -> None:
    block = measure_pipeline(FakeSource(30), FakeEngine(), Plan(frames=12, warm_up=3))
    assert list(block.stages_ms) == STAGES
    assert {len(times) for times in block.stages_ms.values()} == {12}
    assert block.info.name == "fake"
    assert block.image_hw == (24, 32)
    assert block.fps > 0


def test_times_of_the_engine_and_of_selecting_are_separate() -> None:
    spent = FakeTimings(postprocess_ms=1e7)  # ms: hours, so that the rest can't be mistaken for it

    class SlowToDecode(FakeEngine):
        def infer(self, bgr):
            return super().infer(bgr)[0], spent

    block = measure_pipeline(FakeSource(10), SlowToDecode(), Plan(frames=2, warm_up=1))
    for stage in ("upload", "forward", "postprocess"):
        assert block.stages_ms[stage] == [getattr(spent, f"{stage}_ms")] * 2
    assert all(0 <= time < spent.postprocess_ms for time in block.stages_ms["select"])


@pytest.mark.parametrize("seekable", [True, False])
def test_a_short_file_is_played_again_until_there_are_enough_frames(seekable: bool) -> None:
    plan = Plan(frames=9, warm_up=2)
    block = measure_pipeline(FakeSource(3, seekable=seekable), FakeEngine(), plan)
    assert len(block.stages_ms["total"]) == 9
    seen: list[int] = []
    measure_loop(FakeSource(3, seekable=seekable), lambda bgr: seen.append(read_stamp(bgr)), plan)
    assert seen == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1]


def test_pipeline_and_loop_take_turns_over_the_same_frames() -> None:
    turns: list[str] = []

    class NotingEngine(FakeEngine):
        def infer(self, bgr):
            turns.append("pipeline")
            return super().infer(bgr)

    make_source = SourceMaker()
    plan = Plan(frames=2, warm_up=1, blocks=3)
    result = compare(make_source, NotingEngine(), plan, detect=lambda bgr: turns.append("loop"))
    order = [turn for at, turn in enumerate(turns) if at == 0 or turns[at - 1] != turn]
    assert order == ["pipeline", "loop"] * 3
    assert turns.count("loop") == 3 * (1 + 2)
    assert len(make_source.made) == 6
    assert all(source.opens == 1 and source.closes for source in make_source.made)
    pairs = zip(result.blocks, result.loop_fps, strict=True)
    assert result.ratios == tuple(block.fps / fps for block, fps in pairs)
    assert len(result.stages_ms["forward"]) == 3 * 2


def test_without_a_loop_nothing_is_compared() -> None:
    result = compare(SourceMaker(), FakeEngine(), Plan(frames=2, warm_up=1))
    assert (len(result.blocks), result.loop_fps, result.ratios) == (1, (), ())


def test_progress_counts_every_frame() -> None:
    reported: list[int] = []
    plan = Plan(frames=3, warm_up=2, blocks=2)
    compare(SourceMaker(), FakeEngine(), plan, detect=read_stamp, progress=reported.append)
    assert sum(reported) == 2 * (3 + 2) * 2


def test_drawing_is_timed_for_each_frame_but_those_of_the_warm_up() -> None:
    drawn: list[int] = []
    times_ms = measure_drawing(
        FakeSource(20),
        FakeEngine(),
        Plan(frames=4, warm_up=3),
        lambda result: drawn.append(read_stamp(result.frame.bgr)),
    )
    assert len(times_ms) == 4
    assert drawn[:7] == list(range(7))


def test_errors_of_engine_and_source_come_out() -> None:
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


def test_a_source_without_frames_is_refused() -> None:
    plan = Plan(frames=1, warm_up=1)
    with pytest.raises(SourceError, match="no frame"):
        measure_pipeline(FakeSource(0), FakeEngine(), plan)
    with pytest.raises(SourceError, match="no frame"):
        measure_loop(FakeSource(0), read_stamp, plan)


def test_a_plan_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Plan(frames=0)
