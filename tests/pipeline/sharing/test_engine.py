"""One model for several seats: turns, batches, faults of one seat, interruption, the end."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pytest
from fakes import TIMEOUT_S, BatchEngine, FakeEngine, FakeTimings, numbered

from kpviewer.errors import PipelineError
from kpviewer.pipeline.protocols import NotRunError
from kpviewer.pipeline.sharing.batching_thread import ResultFuture
from kpviewer.pipeline.sharing.engine import Seat, SharedEngine
from kpviewer.structures import Candidates, ImageArray

Share = Callable[..., SharedEngine]
Ask = Callable[[Seat, int], "Future[int]"]


def number_of(result: tuple[Candidates, object]) -> int:
    return int(result[0].xyxy[0, 0])


@pytest.fixture
def share() -> Iterator[Share]:
    """Start shared engines, and stop them."""
    made: list[SharedEngine] = []

    def make(engine: FakeEngine, **given: object) -> SharedEngine:
        made.append(SharedEngine(engine, **given))
        made[-1].start()
        return made[-1]

    yield make
    for shared in made:
        shared.engine.go_on()
        shared.stop()


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Call a seat on a thread of its own, as a pipeline does; the future has the box's number."""
    with ThreadPoolExecutor(20) as threads:
        yield lambda seat, number: threads.submit(lambda: number_of(seat.infer(numbered(number))))


def submit(shared: SharedEngine, number: int) -> ResultFuture:
    return shared.submit(lambda: numbered(number))


def all_wait(shared: SharedEngine, numbers: Sequence[int]) -> "list[Future]":
    """Submit images in order, which a seat alone doesn't promise to a test."""
    return [submit(shared, number) for number in numbers]


def test_each_seat_gets_the_result_of_its_image(share, ask):
    engine = FakeEngine()
    shared = share(engine)
    seats = [shared.seat() for _ in range(8)]
    for turn in range(5):
        futures = [ask(seat, 10 * at + turn) for at, seat in enumerate(seats)]
        found = [future.result(TIMEOUT_S) for future in futures]
        assert found == [10 * at + turn for at in range(8)]
    assert engine.threads == {"kpviewer-model"}


def test_images_run_in_the_order_of_their_arrival(share):
    engine = FakeEngine(blocks_at={0})
    futures = all_wait(share(engine), range(6))
    engine.go_on()
    assert [number_of(future.result(TIMEOUT_S)) for future in futures] == list(range(6))
    assert engine.seen == list(range(6))


def test_the_one_whose_last_turn_was_longest_ago_is_next(share):
    engine = FakeEngine(blocks_at={0})
    shared = share(engine)
    futures = all_wait(shared, [0])
    engine.wait_for(1)
    for number, last_turn_s in ((1, 30.0), (2, 10.0), (3, 20.0)):
        take = partial(numbered, number)
        futures.append(shared.submit(take, last_turn_s=last_turn_s))
    engine.go_on()
    assert [number_of(future.result(TIMEOUT_S)) for future in futures] == [0, 1, 2, 3]
    assert engine.seen == [0, 2, 3, 1]


def test_a_seat_knows_its_last_turn(share, monkeypatch):
    shared, turns = share(FakeEngine()), []

    def noted(take, *, last_turn_s):
        turns.append(last_turn_s)
        return submit(take, last_turn_s=last_turn_s)

    submit = shared.submit
    monkeypatch.setattr(shared, "submit", noted)
    seats = [shared.seat(), shared.seat()]
    for seat in (*seats, *seats):
        seat.infer(numbered(1))
    assert turns[:2] == [0, 0]
    assert 0 < turns[2] <= turns[3]


def test_a_run_takes_what_waits_as_far_as_the_budget_allows(share):
    engine = BatchEngine(blocks_at={1})
    shared = share(engine, budget_s=0.020, batch=8)  # an image takes 6 ms: three fit
    submit(shared, 0).result(TIMEOUT_S)
    futures = all_wait(shared, range(1, 2))
    engine.wait_for(2)
    futures += all_wait(shared, range(2, 9))
    engine.go_on()
    assert [number_of(future.result(TIMEOUT_S)) for future in futures] == list(range(1, 9))
    assert engine.batches == [3, 3]
    assert shared.room == 3


def test_a_model_that_is_slower_than_the_budget_runs_one_by_one(share):
    engine = BatchEngine(blocks_at={1})
    shared = share(engine, budget_s=0.001, batch=8)
    submit(shared, 0).result(TIMEOUT_S)
    futures = all_wait(shared, range(1, 5))
    engine.go_on()
    assert [number_of(future.result(TIMEOUT_S)) for future in futures] == [1, 2, 3, 4]
    assert engine.batches == []


def test_batches_are_for_gpus_unless_asked_for():
    engine = BatchEngine()
    assert SharedEngine(engine).room == 1
    engine.needs_pinned_memory = True
    assert SharedEngine(engine).room == 16


@pytest.mark.parametrize("error", [RuntimeError("broken"), SystemExit(1)])
def test_the_image_that_breaks_a_batch_fails_only_its_seat(share, error):
    engine = BatchEngine(blocks_at={1}, fails_at={3: error})
    shared = share(engine, batch=4)
    futures = all_wait(shared, range(1, 2))
    engine.wait_for(1)
    futures += all_wait(shared, range(2, 6))
    engine.go_on()
    failed = [future.exception(TIMEOUT_S) for future in futures]
    assert failed == [None, None, error, None, None]
    assert engine.batches == [4]


def test_a_batch_with_too_few_results_runs_one_by_one(share):
    class Short(BatchEngine):
        def infer_batch(self, images):
            return super().infer_batch(images)[1:]

    engine = Short(blocks_at={1})
    shared = share(engine, batch=4)
    futures = all_wait(shared, range(1, 2))
    engine.wait_for(1)
    futures += all_wait(shared, range(2, 5))
    engine.go_on()
    assert [number_of(future.result(TIMEOUT_S)) for future in futures] == [1, 2, 3, 4]


def test_a_seat_that_waits_can_be_interrupted_and_goes_on_later(share, ask):
    engine = FakeEngine(blocks_at={1})
    shared = share(engine)
    busy, waiting = shared.seat(), shared.seat()
    running = ask(busy, 1)
    engine.wait_for(1)
    asked = ask(waiting, 2)
    waiting.interrupt()  # before or after the image got in line
    assert isinstance(asked.exception(TIMEOUT_S), NotRunError)
    with pytest.raises(NotRunError):
        waiting.infer(numbered(3))
    busy.interrupt()  # its turn has come
    engine.go_on()
    assert running.result(TIMEOUT_S) == 1
    waiting.resume()
    assert number_of(waiting.infer(numbered(4))) == 4
    assert engine.seen == [1, 4]


def test_a_seat_of_a_closed_model_fails_instead_of_waiting(share, ask):
    engine = FakeEngine(blocks_at={1})
    shared = share(engine)
    seat = shared.seat()
    running = ask(shared.seat(), 1)
    engine.wait_for(1)
    waiting = ask(seat, 2)
    shared.close()
    assert isinstance(waiting.exception(TIMEOUT_S), PipelineError)
    with pytest.raises(PipelineError, match="closed"):
        seat.infer(numbered(3))
    engine.go_on()
    assert running.result(TIMEOUT_S) == 1


def test_an_image_that_cannot_be_taken_fails_alone(share):
    def fail() -> ImageArray:
        raise SystemExit(1)

    shared = share(FakeEngine())
    assert isinstance(shared.submit(fail).exception(TIMEOUT_S), SystemExit)
    assert number_of(submit(shared, 1).result(TIMEOUT_S)) == 1


def test_the_time_of_waiting_is_that_outside_the_model(share):
    class Timed(FakeEngine):
        forward_ms = 0.0

        def infer(self, bgr):
            return super().infer(bgr)[0], FakeTimings(0.0, self.forward_ms, 0.0)

    engine = Timed()
    seat = share(engine).seat()
    seat.infer(numbered(1))
    assert seat.waited_ms > 0
    engine.forward_ms = 3.6e6  # an hour, so that all of the time is the model's
    seat.infer(numbered(2))
    assert seat.waited_ms == 0


@dataclass
class FakeGpuEngine(FakeEngine):
    """Has lost its device, and has a spare on the CPU."""

    spares: list[FakeEngine] = field(default_factory=list)
    needs_pinned_memory = True

    def infer(self, bgr):
        super().infer(bgr)
        raise RuntimeError("CUDA error: device lost")

    def on_cpu(self) -> FakeEngine:
        self.spares.append(FakeEngine())
        return self.spares[-1]


def test_a_device_that_fails_is_replaced_once_for_all_seats(share):
    engine = FakeGpuEngine()
    shared = share(engine)
    seats = [shared.seat() for _ in range(3)]
    for seat in seats[:2]:
        with pytest.raises(RuntimeError, match="device lost"):
            seat.infer(numbered(1))
    for seat in seats[:2]:
        assert seat.on_cpu() is seat
    for number, seat in enumerate(seats):
        assert number_of(seat.infer(numbered(number))) == number
    assert len(engine.spares) == 1
    assert shared.engine is engine.spares[0]
    assert not seats[2].needs_pinned_memory
    assert seats[0].on_cpu() is None, "it runs there already"


def test_a_model_that_another_thread_still_runs_is_waited_for(share, ask):
    engine = FakeEngine(blocks_at={1})
    before = share(engine)
    running = ask(before.seat(), 1)
    engine.wait_for(1)
    before.close()
    waiting = ask(share(engine, after=before).seat(), 2)
    assert not waiting.done()
    assert engine.seen == [1]
    engine.go_on()
    assert (running.result(TIMEOUT_S), waiting.result(TIMEOUT_S)) == (1, 2)
    assert not before.is_alive()
