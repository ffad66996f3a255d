"""Commands to the capture thread: handing out, advancing and waiting."""

import threading

import pytest
from fakes import TIMEOUT_S, FakeClock, FakeSource

from kpviewer.pipeline.clock import Clock
from kpviewer.pipeline.source.transport import Transport


@pytest.fixture
def transport() -> Transport:
    """A transport after its first frame was delivered."""
    transport = Transport(Clock())
    transport.frame_delivered(transport.take().jump_number)
    return transport


def test_a_paused_stream_owes_its_first_frame():
    transport = Transport(Clock())
    transport.pause()
    assert transport.take().may_advance
    transport.frame_delivered(transport.take().jump_number)
    assert not transport.take().may_advance


def test_each_step_owes_one_frame_more(transport):
    transport.pause()
    transport.step()
    transport.step()
    advances = []
    for _ in range(3):
        advances.append(transport.take().may_advance)
        transport.frame_delivered(transport.take().jump_number)
    assert advances == [True, True, False]


def test_a_step_of_a_running_stream_pauses_it(transport):
    transport.step()
    commands = transport.take()
    assert commands.paused
    assert commands.may_advance


def test_seek_and_source_are_handed_out_once(transport):
    source = FakeSource()
    transport.change_source(source)
    transport.seek(4)
    transport.seek(7)
    commands = transport.take()
    assert (commands.source, commands.seek) == (source, 7)
    commands = transport.take()
    assert (commands.source, commands.seek) == (None, None)


def test_a_source_that_was_never_taken_is_returned(transport):
    first = FakeSource()
    assert transport.change_source(first) is None
    assert transport.change_source(FakeSource()) is first


@pytest.mark.parametrize("go", ["seek", "change_source"])
def test_a_frame_under_way_does_not_count_as_the_one_asked_for(transport, go):
    transport.step()
    commands = transport.take()
    getattr(transport, go)(FakeSource() if go == "change_source" else 9)
    transport.frame_delivered(commands.jump_number)
    assert transport.take().may_advance


def test_repeating_a_frame_waits_for_pending_commands(transport):
    transport.frame_delivered(transport.take().jump_number)
    transport.repeat_frame()
    assert not transport.take().repeat  # it runs: the next frame is seen anyway
    transport.pause()
    transport.seek(7)
    transport.repeat_frame()
    commands = transport.take()
    assert (commands.seek, commands.repeat) == (7, False)
    transport.repeat_frame()
    assert not transport.take().repeat  # 7 is still owed
    transport.frame_delivered(commands.jump_number)
    transport.repeat_frame()
    transport.seek(8)
    commands = transport.take()
    assert (commands.seek, commands.repeat) == (8, False)
    transport.frame_delivered(commands.jump_number)
    transport.repeat_frame()
    commands = transport.take()
    assert (commands.seek, commands.repeat, commands.may_advance) == (None, True, True)
    assert not transport.take().repeat


def test_at_the_end_nothing_advances_until_a_jump(transport):
    transport.hold_at_end()
    transport.step()
    assert transport.at_end
    assert not transport.take().may_advance
    transport.seek(3)
    commands = transport.take()
    assert commands.may_advance
    assert commands.paused


def test_repeating_a_frame_at_the_end_stays_at_the_end(transport):
    transport.frame_delivered(transport.take().jump_number)
    transport.hold_at_end()
    transport.repeat_frame()
    commands = transport.take()
    assert (commands.repeat, commands.may_advance, commands.at_end) == (True, True, True)
    transport.frame_delivered(commands.jump_number)
    assert not transport.take().may_advance
    transport.resume()
    assert transport.take().seek == 0


def test_resume_at_the_end_starts_from_the_first_frame(transport):
    transport.hold_at_end()
    transport.resume()
    commands = transport.take()
    assert (commands.seek, commands.paused, commands.may_advance) == (0, False, True)


def test_the_end_does_not_overrule_a_seek_that_came_before_it(transport):
    transport.seek(3)
    transport.hold_at_end()
    assert not transport.at_end
    assert not transport.paused


def test_a_source_after_the_end_plays_but_the_users_pause_stays(transport):
    transport.hold_at_end()
    transport.change_source(FakeSource())
    assert not transport.take().paused
    transport.pause()
    transport.change_source(FakeSource())
    assert transport.take().paused


@pytest.mark.parametrize("command", ["pause", "resume", "step", "stop"])
def test_a_command_wakes_the_waiting_thread(transport, command):
    number = transport.take().number
    woken: list[bool] = []
    waiter = threading.Thread(
        target=lambda: woken.append(transport.wait_for_commands(number, TIMEOUT_S))
    )
    waiter.start()
    getattr(transport, command)()
    waiter.join(TIMEOUT_S)
    assert woken == [True]


def test_a_command_before_the_wait_is_not_missed(transport):
    number = transport.take().number
    transport.change(speed=2.0)
    assert transport.wait_for_commands(number)


def test_a_wait_ends_when_its_time_is_up():
    clock = FakeClock()
    transport = Transport(clock)
    assert not transport.wait_for_commands(transport.take().number, 5.0)
    assert sum(clock.waits_s) == pytest.approx(5.0)


def test_only_stop_and_another_source_end_the_wait_for_a_lost_one():
    transport = Transport(FakeClock())
    transport.pause()
    transport.seek(1)
    assert not transport.wait_for_stop_or_source(1.0)
    transport.change_source(FakeSource())
    assert transport.wait_for_stop_or_source(1.0)


def test_a_new_run_keeps_pause_and_seek_but_not_stop_and_end(transport):
    transport.hold_at_end()
    transport.stop()
    transport.begin()
    commands = transport.take()
    assert not commands.stop
    assert not commands.paused and not commands.at_end
    transport.pause()
    transport.seek(5)
    transport.begin()
    commands = transport.take()
    assert (commands.paused, commands.seek, commands.may_advance) == (True, 5, True)
