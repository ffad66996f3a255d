"""Rates, percentiles and drops, by a clock that the test moves."""

import numpy as np
import pytest
from fakes import FakeClock

from kpviewer.pipeline.state.stats import RateMeter, StatsRecorder
from kpviewer.structures import Frame, StageTimings

S = 1_000_000_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def stats(clock: FakeClock) -> StatsRecorder:
    return StatsRecorder(clock)


def frame(index: int, captured_ns: int) -> Frame:
    return Frame(index, captured_ns, None, np.zeros((2, 2, 3), np.uint8))


def test_a_steady_rate_is_measured_exactly():
    meter = RateMeter()
    for number in range(100):
        meter.tick(number * S // 25)
    assert meter.per_second(99 * S // 25) == pytest.approx(25)


def test_the_rate_falls_when_events_stop():
    meter = RateMeter()
    for number in range(50):
        meter.tick(number * S // 25)
    last = 49 * S // 25
    assert meter.per_second(last + S) < 15
    assert meter.per_second(last + 3 * S) == pytest.approx(1 / 3.04)  # of the last two
    assert meter.per_second(last + 60 * S) < 0.02


def test_events_that_are_seconds_apart_have_a_rate():
    meter = RateMeter()
    for number in range(3):
        meter.tick(number * 4 * S)
    assert meter.per_second(9 * S) == pytest.approx(0.25)


def test_one_event_has_no_rate():
    meter = RateMeter()
    meter.tick(0)
    assert meter.per_second(1) == 0


def test_capture_rate_and_count(stats, clock):
    for _ in range(31):
        stats.frame_read()
        clock.advance(0.1)
    snapshot = stats.snapshot(queue_depth=2)
    assert snapshot.capture_fps == pytest.approx(10)
    assert (snapshot.frames_read, snapshot.queue_depth) == (31, 2)


def test_percentiles_by_stage_are_those_of_the_last_300_frames(stats):
    for _ in range(50):
        stats.frame_inferred(StageTimings(forward_ms=1000.0))
    for number in range(300):
        stats.frame_inferred(StageTimings(forward_ms=float(number)))
    forward = stats.snapshot(0).latency["forward"]
    # of 0, 1 .. 299 by linear interpolation between ranks
    assert forward.p50 == pytest.approx(149.5)
    assert forward.p95 == pytest.approx(284.05)
    assert forward.p99 == pytest.approx(296.01)
    assert stats.snapshot(0).frames_inferred == 350


def test_latency_is_that_of_the_last_ten_seconds(stats, clock):
    for _ in range(100):
        stats.frame_inferred(StageTimings(forward_ms=5.0))
    clock.advance(11)
    stats.frame_inferred(StageTimings(forward_ms=3000.0))  # another model
    clock.advance(60)
    assert stats.snapshot(0).latency["forward"].p50 == 3000


def test_drops_are_counted_by_cause(stats):
    stats.dropped("queue full", 2)
    stats.dropped("queue full")
    stats.dropped("no free buffer")
    stats.dropped("display skipped", 0)
    assert stats.snapshot(0).drops == {"queue full": 3, "no free buffer": 1}


def test_painting_one_frame_again_counts_once(stats, clock):
    shown = [frame(number, clock.now_ns() + number * S // 10) for number in range(3)]
    for item in shown:
        clock.advance(0.05)
        stats.frame_displayed(item)
        clock.advance(0.05)
        stats.frame_displayed(item)
    snapshot = stats.snapshot(0)
    assert snapshot.display_fps == pytest.approx(10)
    assert snapshot.latency["display"].p50 == pytest.approx(50)


def test_a_reset_forgets_everything(stats):
    stats.frame_read()
    stats.dropped("queue full")
    stats.reset()
    snapshot = stats.snapshot(0)
    assert (snapshot.frames_read, snapshot.drops, snapshot.latency) == (0, {}, {})


def test_a_burst_of_first_frames_gives_no_rate_yet():
    meter = RateMeter()
    for index in range(4):
        meter.tick(index * 1_000_000)  # a thousand a second, for 3 ms
    assert meter.per_second(4_000_000) == 0.0
