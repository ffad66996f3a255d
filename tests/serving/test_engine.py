"""The thread of the model: order, batches, failures, the end."""

from concurrent.futures import CancelledError

import pytest
from fakes import BatchEngine, FakeEngine, eventually, numbered

from kpviewer.errors import PipelineError
from kpviewer.pipeline.sharing.batching_thread import ResultFuture
from kpviewer.serving.engine import EngineThread
from kpviewer.structures import ImageArray


def submit(thread: EngineThread, bgr: ImageArray) -> ResultFuture:
    return thread.submit(lambda: bgr, "test")


def test_results_belong_to_their_images():
    thread = EngineThread(FakeEngine())
    thread.start()
    futures = [submit(thread, numbered(number)) for number in range(20)]
    found = [int(future.result()[0].xyxy[0, 0]) for future in futures]
    thread.stop()
    assert found == list(range(20))
    assert not thread.is_alive()


def test_every_run_is_reported_with_its_origin_and_time():
    runs: list[tuple[str, float]] = []
    thread = EngineThread(
        FakeEngine(), report=lambda origin, seconds: runs.append((origin, seconds))
    )
    thread.start()
    submit(thread, numbered(0)).result()
    thread.infer(numbered(1))
    thread.stop()
    assert runs == [("test", 0.006), ("live", 0.006)]  # 1 + 2 + 3 ms


def test_images_that_wait_are_run_together():
    engine = BatchEngine(blocks_at={1})
    thread = EngineThread(engine, batch=4)
    thread.start()
    futures = [submit(thread, numbered(1))]
    eventually(lambda: 1 in engine.seen)
    futures += [submit(thread, numbered(number)) for number in range(2, 8)]
    engine.go_on()
    found = [int(future.result()[0].xyxy[0, 0]) for future in futures]
    thread.stop()
    assert found == list(range(1, 8))
    assert engine.batches == [2, 4, 4, 2], "two to prepare the model, two of images"


def test_the_image_that_breaks_a_batch_fails_alone():
    engine = BatchEngine(blocks_at={1}, fails_at={3: RuntimeError("broken")})
    thread = EngineThread(engine, batch=4)
    thread.start()
    futures = [submit(thread, numbered(1))]
    eventually(lambda: 1 in engine.seen)
    futures += [submit(thread, numbered(number)) for number in range(2, 5)]
    engine.go_on()
    failed = [future.exception() is not None for future in futures]
    thread.stop()
    assert failed == [False, False, True, False]


def test_a_model_that_fails_at_one_image_stays_ready():
    thread = EngineThread(FakeEngine(fails_at={1: RuntimeError("broken")}))
    thread.start()
    assert isinstance(submit(thread, numbered(1)).exception(), RuntimeError)
    thread.infer(numbered(2))
    assert thread.problem is None
    thread.stop()


def test_a_model_that_exits_the_program_is_not_ready_until_it_works_again():
    engine = FakeEngine(fails_at={0: SystemExit(1), 1: SystemExit(1)})  # 0 is a blank image
    thread = EngineThread(engine)
    thread.start()
    submit(thread, numbered(1)).exception()
    eventually(lambda: thread.problem is not None and "SystemExit" in thread.problem)
    thread.infer(numbered(2))
    eventually(lambda: thread.problem is None)
    thread.stop()


def test_a_model_is_not_ready_before_it_is_prepared():
    thread = EngineThread(FakeEngine())
    assert "being prepared" in (thread.problem or "")
    thread.stop()


def test_the_end_cancels_what_waits_and_finishes_what_runs():
    engine = FakeEngine(blocks_at={0})
    thread = EngineThread(engine)
    thread.start()
    running, waiting = submit(thread, numbered(0)), submit(thread, numbered(1))
    engine.wait_for(1)
    thread.close()
    with pytest.raises(CancelledError):
        waiting.result()
    with pytest.raises(PipelineError, match="stopping"):
        submit(thread, numbered(2))
    engine.go_on()
    thread.stop()
    assert int(running.result()[0].xyxy[0, 0]) == 0
    assert engine.seen == [0]
    assert thread.problem == "The service is stopping."


def test_outputs_that_cannot_be_right_are_warned_about_once(caplog):
    engine = FakeEngine()
    vars(engine).update(doubt="odd boxes")
    thread = EngineThread(engine)
    thread.start()
    for number in range(3):
        thread.infer(numbered(number))
    thread.stop()
    assert caplog.messages == ["odd boxes"]
