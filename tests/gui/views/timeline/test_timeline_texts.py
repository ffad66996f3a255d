"""Numbers of the timeline as texts, and typed positions as frames."""

import numpy as np
import pytest

from kpviewer.gui.views.timeline.texts import FrameTimes, count_text, time_text, typed_frame
from kpviewer.structures import StreamInfo


def film(frames: int = 3900, fps: float = 30.0, duration_s: float | None = None) -> FrameTimes:
    info = StreamInfo("film", 64, 48, fps, frames, False, True, duration_s)
    return FrameTimes(info)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("1203", 1203),
        ("1 203", 1203),
        ("1,203", 1203),
        ("0,200", 6),  # seconds
        ("1,20", 36),
        ("48.1", 1443),
        ("48,1", 1443),
        ("48.", 1440),
        ("0:48.1", 1443),
        ("\uff10\uff1a48\uff0e1", 1443),  # as Chinese keyboards write it
        ("12\uff05", 468),
        ("00:48", 1440),
        ("0:02:00", 3600),
        ("1:00:00", 3899),  # after the end
        ("12 %", 468),
        ("12.5%", 487),
        ("100%", 3899),
        ("99999999999999999999", 3899),
    ],
)
def test_typed_positions(text, index):
    assert typed_frame(text, film()) == index


@pytest.mark.parametrize("text", ["", ".", "frame", "-3", "1:2:3:4", "12 % 3", "0x10", "²", "1e5"])
def test_other_texts_name_no_position(text):
    assert typed_frame(text, film()) is None


def test_images_of_a_folder_count_from_one():
    assert typed_frame("11", film(363), first_number=1) == 10
    assert typed_frame("0", film(363), first_number=1) == 0
    assert typed_frame("400", film(363), first_number=1) == 362


def test_times_of_uneven_frames_are_those_that_were_seen():
    times = film(5, duration_s=10.0)
    assert times.time_of(2) == pytest.approx(4.0)  # evenly spread until more is known
    times.note(1, 0.1)
    times.note_all(2, np.array([0.2, np.nan]))
    times.note_all(4, np.array([8.0, 9.0, 10.0]))  # two more than there are
    assert times.time_of(1) == pytest.approx(0.1)
    assert times.time_of(3) == pytest.approx((0.2 + 8.0) / 2)
    assert [times.frame_at(seconds) for seconds in (0.0, 0.15, 0.2, 9.9)] == [0, 1, 2, 4]


def test_a_jump_goes_by_the_times_that_were_seen():
    times = film(100, fps=10.0)
    assert (times.frame_beside(7, 5.0), times.frame_beside(57, -5.0)) == (57, 7)
    times.note_all(0, np.array([*np.arange(50) * 0.05, *2.5 + np.arange(50) * 0.5]))
    assert times.frame_beside(0, 2.0) == 40
    assert times.frame_beside(60, 5.0) == 70
    assert times.frame_beside(70, -5.0) == 60
    assert (times.frame_beside(60, 0.1), times.frame_beside(60, -0.1)) == (61, 59)
    assert film(0).frame_beside(1000, 5.0) == 1150  # of unknown length


def test_times_without_a_source_or_a_length():
    assert FrameTimes(None).time_of(0) == 0.0
    live = FrameTimes(StreamInfo("camera", 64, 48, 25.0, None, True, False))
    assert live.time_of(50) == 2.0


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (999, "999"), (1203, "1,203")])
def test_counts_have_groups_of_three_digits(number, text):
    assert count_text(number) == text


def test_times_show_tenths_and_hours():
    assert [time_text(s) for s in (0, 48.06, 59.97, 3723.4)] == [
        "00:00.0",
        "00:48.1",
        "01:00.0",
        "1:02:03.4",
    ]
