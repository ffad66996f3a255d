"""Policies of the queue and the mailbox: waiting, dropping and releasing items."""

import threading

import pytest
from fakes import TIMEOUT_S, eventually

from kpviewer.pipeline.state.channels import FrameQueue, Latest


@pytest.fixture
def discarded() -> list[int]:
    return []


@pytest.fixture
def queue(discarded: list[int]) -> FrameQueue[int]:
    return FrameQueue[int](2, discarded.append)


def test_items_come_out_in_order(queue):
    assert queue.put(1)
    assert queue.put(2)
    assert [queue.get(), queue.get()] == [1, 2]


def test_a_full_queue_refuses_an_item_and_loses_none(queue, discarded):
    queue.put(1)
    queue.put(2)
    assert not queue.put(3, timeout_s=0)
    assert discarded == []
    assert len(queue) == 2


@pytest.mark.parametrize(
    "take", [lambda queue: [queue.get()], FrameQueue.take_all, lambda queue: queue.take_more(1)]
)
def test_put_waits_for_the_consumer(queue, take):
    queue.put(1)
    queue.put(2)
    accepted: list[bool] = []
    producer = threading.Thread(target=lambda: accepted.append(queue.put(3, TIMEOUT_S)))
    producer.start()
    taken = take(queue)
    producer.join(TIMEOUT_S)
    assert accepted == [True]
    assert [*taken, *queue.take_all()] == [1, 2, 3]


@pytest.mark.parametrize("give", [FrameQueue.put, FrameQueue.offer])
def test_an_item_wakes_the_consumer_that_waits(queue, give):
    got: list[int | None] = []
    consumer = threading.Thread(target=lambda: got.append(queue.get(TIMEOUT_S)))
    consumer.start()
    eventually(lambda: queue.is_idle)
    give(queue, 1)
    consumer.join()
    assert got == [1]
    assert not queue.is_idle


def test_oldest_items_are_dropped_when_a_newer_one_is_offered(queue, discarded):
    assert [queue.offer(number) for number in (1, 2, 3)] == [0, 1, 1]
    assert discarded == [1, 2]
    assert queue.get() == 3


def test_get_gives_up_when_the_time_is_up(queue):
    assert queue.get(timeout_s=0) is None


def test_a_closed_queue_is_emptied_and_then_returns_none(queue):
    queue.put(1)
    queue.close()
    assert [queue.get(), queue.get(), queue.get()] == [1, None, None]


def test_an_aborted_queue_discards_the_waiting_items(queue, discarded):
    queue.put(1)
    queue.abort()
    queue.abort()
    assert discarded == [1]
    assert queue.get() is None


def test_a_closed_queue_accepts_no_more_items(queue, discarded):
    queue.close()
    assert not queue.put(1)
    assert discarded == []  # put leaves it to the caller
    assert queue.offer(2) == 0
    assert discarded == [2]


@pytest.mark.parametrize("end", ["close", "abort"])
def test_the_end_wakes_a_producer_that_waits_for_room(queue, end):
    queue.put(1)
    queue.put(2)
    accepted: list[bool] = []
    producer = threading.Thread(target=lambda: accepted.append(queue.put(3)))
    producer.start()
    getattr(queue, end)()
    producer.join(TIMEOUT_S)
    assert accepted == [False]


def test_the_end_wakes_a_consumer_that_waits(queue):
    got: list[int | None] = []
    consumer = threading.Thread(target=lambda: got.append(queue.get()))
    consumer.start()
    queue.close()
    consumer.join(TIMEOUT_S)
    assert got == [None]


def test_take_all_makes_room_and_returns_the_items(queue, discarded):
    queue.put(1)
    queue.put(2)
    assert queue.take_all() == [1, 2]
    assert discarded == []
    assert queue.put(3, timeout_s=0)


def test_the_mailbox_keeps_the_newest_and_discards_the_one_before(discarded):
    latest = Latest[int](discarded.append)
    assert [latest.put(1), latest.put(2)] == [False, True]
    assert discarded == [1]
    assert [latest.take(), latest.take()] == [2, None]


def test_a_taken_item_belongs_to_the_reader(discarded):
    latest = Latest[int](discarded.append)
    latest.put(1)
    latest.take()
    assert not latest.put(2)
    latest.clear()
    latest.clear()
    assert discarded == [2]


def test_the_mailbox_knows_whether_it_was_ever_polled(discarded):
    latest = Latest[int](discarded.append)
    assert not latest.has_reader
    latest.take()
    assert latest.has_reader
