"""Due times of frames, and attempts to open a lost source."""

import pytest

from kpviewer.pipeline.source.pacing import Pacer, reconnect_delay_s

MS = 1_000_000


def played(pacer: Pacer, positions_ms: list[int], *, speed: float = 1.0) -> list[int]:
    """Times in ms at which frames are due, played on time from 0."""
    times, now_ns = [], 0
    for position in positions_ms:
        now_ns = max(now_ns, pacer.due_ns(position / 1000, now_ns, speed))
        pacer.shown(position / 1000, now_ns)
        times.append(now_ns // MS)
    return times


@pytest.mark.parametrize(
    ("positions", "speed", "expected"),
    [
        ([0, 40, 80], 1.0, [0, 40, 80]),
        ([0, 10, 100, 120], 1.0, [0, 10, 100, 120]),
        ([500, 540, 580], 1.0, [0, 40, 80]),
        ([0, 40, 80], 2.0, [0, 20, 40]),
        ([0, 40, 80], 0.5, [0, 80, 160]),
        ([0, 40, 80, 0, 40], 1.0, [0, 40, 80, 120, 160]),
        ([0, 40, 60_000, 60_040], 1.0, [0, 40, 40, 80]),
    ],
    ids=["steady", "variable rate", "from the middle", "fast", "slow", "loop", "broken timestamp"],
)
def test_frames_are_due_at_media_time(positions, speed, expected):
    assert played(Pacer(), positions, speed=speed) == expected


def test_a_single_image_in_a_loop_is_not_played_at_once():
    assert played(Pacer(), [0, 0, 0]) == [0, 33, 66]


def test_after_a_reset_the_next_frame_is_due_at_once():
    pacer = Pacer()
    played(pacer, [0, 40])
    pacer.reset()
    assert pacer.due_ns(3.0, 70 * MS, 1.0) == 70 * MS


@pytest.mark.parametrize(("late_ms", "due_ms"), [(150, 80), (900, 900)], ids=["small", "long"])
def test_a_small_delay_is_caught_up_and_a_long_one_is_not(late_ms, due_ms):
    pacer = Pacer()
    played(pacer, [0, 40])
    due_ns = pacer.due_ns(0.080, late_ms * MS, 1.0)
    pacer.shown(0.080, due_ns)
    assert due_ns == due_ms * MS
    assert pacer.due_ns(0.120, (late_ms + 1) * MS, 1.0) == (due_ms + 40) * MS


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(0, 1), (1, 2), (2, 4), (3, 8), (4, 10), (99, 10)]
)
def test_attempts_to_reconnect_back_off_with_some_jitter(attempt, seconds):
    delays = {reconnect_delay_s(attempt) for _ in range(50)}
    assert all(seconds <= delay <= 1.1 * seconds for delay in delays)
    assert len(delays) > 1
