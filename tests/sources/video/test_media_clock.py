"""Media time that increases for all timestamps."""

from fractions import Fraction

import pytest

from kpviewer.sources.video.media_clock import LONGEST_FRAME_S, LONGEST_STEP_S, MediaClock

MS = Fraction(1, 1000)


def times(stamps: list[int | None], longest_s: float = LONGEST_STEP_S) -> list[float]:
    clock = MediaClock(MS, 0.04, longest_s)
    return [clock.position_s(pts) for pts in stamps]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([1400, 1440, 1480], [0.0, 0.04, 0.08]),
        ([-80, -40, 0, 40], [0.0, 0.04, 0.08, 0.12]),
        ([0, 50, 100, 0, 80], [0.0, 0.05, 0.1, 0.15, 0.23]),  # joined with another file
        ([0, 50, 9_000_000, 9_000_050], [0.0, 0.05, 0.1, 0.15]),  # jumps 2.5 hours
        ([0, 40, 9_000, 9_040], [0.0, 0.04, 9.0, 9.04]),  # a frame shown for 9 s
        ([0, 40, 40, 80], [0.0, 0.04, 0.041, 0.08]),
        ([None, None, None], [0.0, 0.04, 0.08]),
        ([0, None, 80], [0.0, 0.04, 0.08]),
        ([None, 500, 540], [0.0, 0.04, 0.08]),
    ],
)
def test_time_increases_from_the_first_frame(stamps, expected):
    assert times(stamps) == pytest.approx(expected)


def test_a_frame_out_of_order_moves_no_later_one():
    clock = MediaClock(MS, 0.04, LONGEST_STEP_S, lambda: False)
    stamps = [0, 40, 1000, 80, 120, 1040, 1080]
    expected = [0.0, 0.04, 1.0, 1.001, 1.002, 1.04, 1.08]
    assert [clock.position_s(pts) for pts in stamps] == pytest.approx(expected)


def test_timestamps_that_stay_behind_have_restarted():
    clock = MediaClock(MS, 0.04, LONGEST_STEP_S, lambda: False)
    positions = [clock.position_s(pts) for pts in (5000, *range(0, 800, 40))]
    assert positions[16] == pytest.approx(0.016)
    assert positions[17:] == pytest.approx([0.056, 0.096, 0.136, 0.176])


def test_a_long_frame_stays_long_where_breaks_are_not_allowed():
    assert times([0, 40, 60_000], LONGEST_FRAME_S) == pytest.approx([0.0, 0.04, 60.0])


def test_after_a_seek_the_timestamp_counts_from_the_first_frame():
    clock = MediaClock(MS, 0.04, LONGEST_STEP_S)
    clock.position_s(1000)
    clock.seek(1000)
    assert clock.position_s(61_000) == 60.0
    clock.seek(1000)
    assert clock.position_s(1040) == 0.04
