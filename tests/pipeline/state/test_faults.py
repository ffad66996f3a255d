"""A fault of the model, of tracking or of a sink leaves the video running and is reported."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeEngine, FakeSource, collect, eventually

from kpviewer.errors import PipelineError
from kpviewer.pipeline.clock import Clock
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.results import tracking
from kpviewer.pipeline.results.comparing import SecondModel
from kpviewer.pipeline.results.tracking import TrackingOptions
from kpviewer.pipeline.state.faults import Faults
from kpviewer.pipeline_status import PipelineState
from kpviewer.structures import FrameResult, Thresholds

STRICT = PipelineOptions(lossless=True, pace=False, hold_at_end=False)
VIEWER = replace(STRICT, carries_on=True)
OUT_OF_MEMORY = RuntimeError("CUDA out of memory. Tried to allocate 20 MiB")


@dataclass
class OnceFailingEngine(FakeEngine):
    """Fails on some images the first time it sees them."""

    fails_once_at: Mapping[int, BaseException] = field(default_factory=dict)

    def infer(self, bgr):
        found = super().infer(bgr)
        number = self.seen[-1]
        if number in self.fails_once_at and self.seen.count(number) == 1:
            raise self.fails_once_at[number]
        return found


def with_model(results: list[FrameResult]) -> list[int]:
    return [result.frame.index for result in results if result.has_model]


@pytest.mark.parametrize("options", [STRICT, VIEWER], ids=["strict", "viewer"])
def test_a_frame_that_the_model_fails_on_once_is_tried_again(make_pipeline, options):
    engine = OnceFailingEngine(fails_once_at={2: OUT_OF_MEMORY, 5: OUT_OF_MEMORY})
    pipeline = make_pipeline(FakeSource(8), engine, options)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert with_model(collector.results) == list(range(8))
    (news,) = pipeline.faults.take_news()
    assert "tried again" in news
    assert "RuntimeError: CUDA out of memory" in news


@pytest.mark.parametrize("error", [MemoryError(), ValueError("odd"), SystemExit(1)])
def test_a_frame_that_the_model_fails_on_is_shown_without_boxes(make_pipeline, error):
    pipeline = make_pipeline(FakeSource(6), FakeEngine(fails_at={2: error}), VIEWER)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert collector.numbers == list(range(6))
    assert with_model(collector.results) == [0, 1, 3, 4, 5]
    assert len(collector.results[2].detections) == 0
    assert any(type(error).__name__ in news for news in pipeline.faults.take_news())


def test_a_model_that_fails_on_every_frame_is_reported_with_a_fix_until_it_is_replaced(
    make_pipeline,
):
    broken = FakeEngine(fails_at=dict.fromkeys(range(100), OUT_OF_MEMORY))
    source = FakeSource(live=True)
    pipeline = make_pipeline(source, broken, VIEWER)
    collector = collect(pipeline)
    pipeline.start()
    source.give(1)
    collector.wait_for(1)
    assert pipeline.status().model_failure is None
    for count in range(2, 6):
        source.give(1)
        collector.wait_for(count)
    failure = pipeline.status().model_failure
    assert failure is not None
    assert "CUDA out of memory" in failure
    assert "smaller input" in failure
    assert len(pipeline.faults.take_news()) == 2  # once each: tried again, without boxes
    pipeline.set_engine(FakeEngine())
    assert pipeline.status().model_failure is None


@dataclass
class FakeGpuEngine(FakeEngine):
    """Has no memory left, and a spare on the CPU."""

    spare: FakeEngine = field(default_factory=FakeEngine)

    def infer(self, bgr):
        super().infer(bgr)
        raise OUT_OF_MEMORY

    def on_cpu(self) -> FakeEngine:
        return self.spare


@pytest.mark.parametrize("options", [STRICT, VIEWER], ids=["strict", "viewer"])
def test_a_model_whose_device_fails_continues_on_the_cpu(make_pipeline, options):
    engine = FakeGpuEngine()
    pipeline = make_pipeline(FakeSource(5), engine, options)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert with_model(collector.results) == list(range(5))
    assert engine.seen == [0, 0]
    assert engine.spare.seen == list(range(5))
    assert pipeline.settings.current.engine is engine.spare
    assert "continues on the CPU" in pipeline.faults.take_news()[-1]


def test_a_fault_that_is_not_of_the_device_keeps_the_device(make_pipeline):
    engine = FakeGpuEngine()
    broken = replace(engine, fails_at={0: ValueError("shapes don't match")})
    pipeline = make_pipeline(FakeSource(1), broken, STRICT)
    pipeline.start()
    with pytest.raises(PipelineError, match="shapes"):
        pipeline.join(TIMEOUT_S)
    assert engine.spare.seen == []


def test_a_model_that_was_chosen_meanwhile_stays():
    engine, chosen, spare = FakeEngine(), FakeEngine(), FakeEngine()
    cell = Pipeline(FakeSource(), engine).settings
    cell.set_engine(chosen)
    cell.replace_engine(engine, spare)
    assert cell.current.engine is chosen


def test_a_sink_that_fails_is_removed_and_the_others_get_every_frame(make_pipeline):
    class BrokenSink:
        def __init__(self) -> None:
            self.calls = 0

        def accept(self, result: FrameResult) -> None:
            self.calls += 1
            raise KeyError("bad sink")

    broken = BrokenSink()
    pipeline = make_pipeline(FakeSource(6), FakeEngine(), VIEWER)
    pipeline.add_sink(broken)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert collector.numbers == list(range(6))
    assert broken.calls == 1
    (news,) = pipeline.faults.take_news()
    assert "bad sink" in news


def test_the_first_model_continues_when_the_second_one_fails(make_pipeline):
    second = FakeEngine(fails_at=dict.fromkeys(range(9), ValueError("second")), spec=FAKE_SPEC)
    pipeline = make_pipeline(FakeSource(4), FakeEngine(), VIEWER)
    pipeline.settings.set_second(SecondModel(second, Thresholds()))
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert with_model(collector.results) == list(range(4))
    assert all(result.second is None for result in collector.results)
    (news,) = pipeline.faults.take_news()
    assert "second model" in news


def test_a_tracker_that_fails_leaves_detections_without_tracks(make_pipeline, monkeypatch):
    def fail(*_: object) -> None:
        raise ImportError("no tracker here")

    monkeypatch.setattr(tracking.ObjectTracker, "_track", fail)
    pipeline = make_pipeline(FakeSource(4), FakeEngine(), VIEWER)
    pipeline.settings.set_tracking(TrackingOptions(track=True))
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert [len(result.detections) for result in collector.results] == [1] * 4
    (news,) = pipeline.faults.take_news()
    assert "no tracker here" in news


def test_every_buffer_comes_back_after_faults(make_pipeline):
    engine = FakeEngine(fails_at=dict.fromkeys(range(0, 40, 2), ValueError("odd")))
    options = replace(VIEWER, slots=5)
    pipeline = make_pipeline(FakeSource(40), engine, options)
    collector = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    assert len(collector.numbers) == 40
    eventually(lambda: pipeline.status().state is PipelineState.IDLE)


class Owner:
    """Each one is at the place in memory of the one before."""


class Slotted:
    """It can't be referenced weakly."""

    __slots__ = ()


@pytest.mark.parametrize("kind", [Owner, Slotted])
def test_each_object_is_reported_once_whatever_its_place_in_memory(kind):
    faults = Faults(Clock())
    for _ in range(20):
        owner = kind()
        for _ in range(2):
            faults.report("It failed", owner, OSError("the disk is full"))
            faults.notify(owner, "It is odd")
        assert faults.take_news() == ["It failed: OSError: the disk is full.", "It is odd"]
        del owner
