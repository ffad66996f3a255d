"""A model that takes seconds a frame: frames appear before it, and no work piles up."""

import threading
from dataclasses import dataclass, replace

import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeClock, FakeEngine, FakeSource, collect, eventually

from kpviewer.pipeline.catching_up import catch_up
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.results.comparing import SecondModel
from kpviewer.pipeline.state.faults import PATIENCE_S

VIEWER = PipelineOptions(pace=False, carries_on=True)


@dataclass
class SlowEngine(FakeEngine):
    """Engine that says of itself that it is slow."""

    takes_seconds: bool = True


@pytest.fixture
def engine():
    made = SlowEngine()
    yield made
    made.go_on()


def taken(pipeline: Pipeline) -> tuple[int, bool]:
    """Take the next result: number of its frame, and whether the model has seen it."""
    results = []
    eventually(lambda: results.append(pipeline.latest.take()) or results[-1] is not None)
    result = results[-1]
    result.frame.release()
    return result.frame.index, result.has_model


def test_a_paused_frame_appears_before_its_boxes(make_pipeline, engine):
    engine.blocks_at = {0, 7}
    pipeline = make_pipeline(FakeSource(20), engine, VIEWER)
    pipeline.pause()
    pipeline.start()
    assert taken(pipeline) == (0, False)
    engine.go_on()
    assert taken(pipeline) == (0, True)
    pipeline.seek(7)
    engine.wait_for(2)
    eventually(lambda: taken(pipeline) == (7, True))


def test_a_model_that_came_too_late_for_a_paused_frame_sees_it_once(make_pipeline):
    engine = FakeEngine()
    pipeline = make_pipeline(FakeSource(20), None, VIEWER)
    pipeline.pause()
    pipeline.start()
    assert taken(pipeline) == (0, False)
    pipeline.set_engine(engine)
    eventually(lambda: catch_up(pipeline) or engine.seen != [])
    assert taken(pipeline) == (0, True)
    catch_up(pipeline)
    pipeline.seek(3)
    assert taken(pipeline) == (3, True)
    assert engine.seen == [0, 3]


def test_a_paused_frame_on_its_way_to_the_model_is_not_repeated(make_pipeline):
    arrived, may_run = threading.Event(), threading.Event()

    class HeldEngine(FakeEngine):
        @property
        def takes_seconds(self) -> bool:  # asked between the queue and the model
            if threading.current_thread().name == "kpviewer-inference":
                arrived.set()
                assert may_run.wait(TIMEOUT_S)
            return False

    pipeline = make_pipeline(FakeSource(20), None, VIEWER)
    pipeline.pause()
    pipeline.start()
    assert taken(pipeline) == (0, False)
    engine = HeldEngine()
    pipeline.set_engine(engine)
    pipeline.repeat_frame()
    assert arrived.wait(TIMEOUT_S)
    eventually(lambda: not pipeline.transport.take().may_advance)  # the frame counts as delivered
    catch_up(pipeline)
    pipeline.step()
    may_run.set()
    engine.wait_for(2)
    assert engine.seen == [0, 1]


def test_a_paused_frame_that_two_models_have_seen_is_not_repeated(make_pipeline):
    first = FakeEngine(spec=FAKE_SPEC)
    pipeline = make_pipeline(FakeSource(20), first, VIEWER)
    pipeline.settings.set_second(SecondModel(FakeEngine(spec=FAKE_SPEC), FAKE_SPEC.thresholds))
    pipeline.pause()
    pipeline.start()
    assert taken(pipeline) == (0, True)
    catch_up(pipeline)
    pipeline.step()
    first.wait_for(2)
    assert first.seen == [0, 1]


def test_the_first_frame_of_a_video_that_plays_appears_at_once(make_pipeline, engine):
    engine.blocks_at = {0}
    pipeline = make_pipeline(FakeSource(20), engine, VIEWER)
    pipeline.start()
    assert taken(pipeline) == (0, False)


def test_while_a_video_plays_only_frames_with_boxes_appear(make_pipeline, engine):
    pipeline = make_pipeline(FakeSource(5), engine, replace(VIEWER, hold_at_end=False))
    collector = collect(pipeline)
    pipeline.start()
    collector.wait_for(5)
    pipeline.join()
    assert [result.has_model for result in collector.results] == [True] * 5
    assert engine.seen == [0, 1, 2, 3, 4]  # a file loses none


@pytest.mark.parametrize("jump", [False, True])
def test_of_many_steps_during_a_frame_only_the_last_is_computed(make_pipeline, engine, jump):
    engine.blocks_at = {0}
    source = FakeSource(50)
    pipeline = make_pipeline(source, engine, VIEWER)
    pipeline.pause()
    pipeline.start()
    engine.wait_for(1)
    for number in range(1, 9):
        if jump:
            pipeline.seek(number)
        else:
            pipeline.step()
        source.wait_for_frames(1 + number)
    engine.go_on()
    eventually(lambda: engine.seen[-1] == 8)
    assert engine.seen in ([0, 8], [0, 7, 8])  # 7 where the queue was read before 8 replaced it


def test_a_slow_model_counts_its_seconds_and_is_never_reported_as_hanging(make_pipeline):
    clock = FakeClock()
    engine = SlowEngine(blocks_at={0})
    pipeline = make_pipeline(FakeSource(5), engine, replace(VIEWER, clock=clock))
    pipeline.pause()
    pipeline.start()
    engine.wait_for(1)
    clock.advance(PATIENCE_S + 20)
    status = pipeline.status()
    assert status.detecting_s >= PATIENCE_S + 20
    assert status.model_silent_s is None
    engine.go_on()
    eventually(lambda: pipeline.status().detecting_s is None)


def test_a_fast_model_has_no_seconds_to_count(make_pipeline):
    clock = FakeClock()
    engine = FakeEngine(blocks_at={0})
    pipeline = make_pipeline(FakeSource(5), engine, replace(VIEWER, clock=clock))
    pipeline.pause()
    pipeline.start()
    engine.wait_for(1)
    clock.advance(PATIENCE_S + 20)
    status = pipeline.status()
    assert status.detecting_s is None
    assert status.model_silent_s >= PATIENCE_S + 20
    engine.go_on()
