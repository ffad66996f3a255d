"""Commands to the capture thread: what is handed out, when a frame may go, what ends a wait."""

import threading

import pytest
from fakes import TIMEOUT_S, FakeClock, FakeSource

from kpviewer.pipeline.clock import Clock
from kpviewer.pipeline.transport import Transport


@pytest.fixture
def transport() -> Transport:
    """As it is once the first frame went out."""
    transport = Transport(Clock())
    transport.frame_went_out(transport.take().place)
    return transport


def test_a_paused_stream_owes_its_first_frame() -> None:
    transport = Transport(Clock())
    transport.pause()
    assert transport.take().may_advance
    transport.frame_went_out(transport.take().place)
    assert not transport.take().may_advance


def test_each_step_owes_one_frame_more(transport: Transport) -> None:
    transport.pause()
    transport.step()
    transport.step()
    advances = []
    for _ in range(3):
        advances.append(transport.take().may_advance)
        transport.frame_went_out(transport.take().place)
    assert advances == [True, True, False]


def test_a_step_of_a_running_stream_pauses_it(transport: Transport) -> None:
    transport.step()
    orders = transport.take()
    assert orders.paused
    assert orders.may_advance


def test_seek_and_source_are_handed_out_once(transport: Transport) -> None:
    source = FakeSource()
    transport.change_source(source)
    transport.seek(4)
    transport.seek(7)
    orders = transport.take()
    assert (orders.source, orders.seek) == (source, 7)
    orders = transport.take()
    assert (orders.source, orders.seek) == (None, None)


def test_a_source_asked_for_in_vain_comes_back(transport: Transport) -> None:
    first = FakeSource()
    assert transport.change_source(first) is None
    assert transport.change_source(FakeSource()) is first


@pytest.mark.parametrize("go", ["seek", "change_source"])
def test_a_frame_that_is_under_way_does_not_stand_for_the_one_asked_for(
    transport: Transport, go: str
) -> None:
    transport.step()
    orders = transport.take()
    getattr(transport, go)(FakeSource() if go == "change_source" else 9)
    transport.frame_went_out(orders.place)
    assert transport.take().may_advance


def test_looking_again_waits_for_what_is_asked_for(transport: Transport) -> None:
    transport.frame_went_out(transport.take().place)
    transport.repeat_frame()
    assert not transport.take().again  # it runs: the next frame is seen anyway
    transport.pause()
    transport.seek(7)
    transport.repeat_frame()
    orders = transport.take()
    assert (orders.seek, orders.again) == (7, False)
    transport.repeat_frame()
    assert not transport.take().again  # 7 is still owed
    transport.frame_went_out(orders.place)
    transport.repeat_frame()
    transport.seek(8)
    orders = transport.take()
    assert (orders.seek, orders.again) == (8, False)
    transport.frame_went_out(orders.place)
    transport.repeat_frame()
    orders = transport.take()
    assert (orders.seek, orders.again, orders.may_advance) == (None, True, True)
    assert not transport.take().again


def test_at_the_end_nothing_advances_until_one_goes_elsewhere(transport: Transport) -> None:
    transport.hold_at_end()
    transport.step()
    assert transport.at_end
    assert not transport.take().may_advance
    transport.seek(3)
    orders = transport.take()
    assert orders.may_advance
    assert orders.paused


def test_looking_again_at_the_end_leaves_it_the_end(transport: Transport) -> None:
    transport.frame_went_out(transport.take().place)
    transport.hold_at_end()
    transport.repeat_frame()
    orders = transport.take()
    assert (orders.again, orders.may_advance, orders.at_end) == (True, True, True)
    transport.frame_went_out(orders.place)
    assert not transport.take().may_advance
    transport.resume()
    assert transport.take().seek == 0


def test_resume_at_the_end_starts_from_the_first_frame(transport: Transport) -> None:
    transport.hold_at_end()
    transport.resume()
    orders = transport.take()
    assert (orders.seek, orders.paused, orders.may_advance) == (0, False, True)


def test_the_end_does_not_overrule_a_seek_that_came_before_it(transport: Transport) -> None:
    transport.seek(3)
    transport.hold_at_end()
    assert not transport.at_end
    assert not transport.paused


def test_a_source_after_the_end_plays_but_the_users_pause_stays(transport: Transport) -> None:
    transport.hold_at_end()
    transport.change_source(FakeSource())
    assert not transport.take().paused
    transport.pause()
    transport.change_source(FakeSource())
    assert transport.take().paused


@pytest.mark.parametrize("order", ["pause", "resume", "step", "stop"])
def test_an_order_wakes_the_thread_that_waits(transport: Transport, order: str) -> None:
    version = transport.take().version
    woken: list[bool] = []
    waiter = threading.Thread(
        target=lambda: woken.append(transport.wait_for_orders(version, TIMEOUT_S))
    )
    waiter.start()
    getattr(transport, order)()
    waiter.join(TIMEOUT_S)
    assert woken == [True]


def test_an_order_that_came_before_the_wait_is_not_missed(transport: Transport) -> None:
    version = transport.take().version
    transport.change(speed=2.0)
    assert transport.wait_for_orders(version)


def test_a_wait_ends_when_its_time_is_up() -> None:
    clock = FakeClock()
    transport = Transport(clock)
    assert not transport.wait_for_orders(transport.take().version, 5.0)
    assert sum(clock.waits_s) == pytest.approx(5.0)


def test_only_stop_and_another_source_end_the_wait_for_a_lost_one() -> None:
    transport = Transport(FakeClock())
    transport.pause()
    transport.seek(1)
    assert not transport.wait_for_leave(1.0)
    transport.change_source(FakeSource())
    assert transport.wait_for_leave(1.0)


def test_a_new_run_keeps_pause_and_seek_but_not_stop_and_end(transport: Transport) -> None:
    transport.hold_at_end()
    transport.stop()
    transport.begin()
    orders = transport.take()
    assert not orders.stop
    assert not orders.paused
    transport.pause()
    transport.seek(5)
    transport.begin()
    orders = transport.take()
    assert (orders.paused, orders.seek, orders.may_advance) == (True, 5, True)
