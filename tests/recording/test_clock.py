import pytest
from sample_results import info, result

from kpviewer.recording.clock import FrameClock
from kpviewer.structures import Frame


def frame(index: int, captured_s: float, position_s: float | None) -> Frame:
    return Frame(index, round(captured_s * 1e9), position_s, result().frame.bgr)


def times(clock: FrameClock, frames: list[Frame]) -> list[float]:
    return [round(clock.seconds(each), 6) for each in frames]


def test_live_stream_keeps_its_real_gaps():
    frames = [frame(0, 5.0, None), frame(1, 5.1, None), frame(9, 15.1, None)]
    assert times(FrameClock.of_viewer(info()), frames) == [0, 0.1, 10.1]


def test_pause_of_a_file_is_cut_to_a_second():
    frames = [frame(0, 5.0, 0.0), frame(1, 5.1, 0.1), frame(2, 65.1, 0.2)]
    assert times(FrameClock.of_viewer(info(is_live=False)), frames) == [0, 0.1, 1.1]


def test_file_that_is_processed_keeps_its_own_time_however_fast_it_is_read():
    frames = [frame(0, 5.0, 2.0), frame(1, 5.001, 2.5), frame(2, 5.002, 4.5)]
    assert times(FrameClock.of_media(info(is_live=False)), frames) == [0, 0.5, 2.5]


def test_seek_back_continues_at_the_usual_distance():
    frames = [frame(10, 5.0, 2.0), frame(0, 5.0, 0.0), frame(1, 5.1, 0.1)]
    clock = FrameClock.of_media(info(is_live=False, fps=25.0))
    assert times(clock, frames) == [0, 0.04, 0.14]


def test_images_without_time_get_25_per_second():
    clock = FrameClock.of_media(info(is_live=False, fps=None))
    assert times(clock, [frame(i, 5.0, None) for i in range(3)]) == pytest.approx([0, 0.04, 0.08])
