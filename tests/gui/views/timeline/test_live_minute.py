"""The last minute of a live source: now is at the right, and a minute ago at the left."""

import time
from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeSource
from sample_results import detections

from kpviewer.gui.views.timeline.bar import TimelineBar
from kpviewer.gui.views.timeline.lane_values import SLOTS, LiveMinute
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.scanning.lanes import Lanes
from kpviewer.structures import (
    Candidates,
    Detections,
    Frame,
    FrameError,
    FrameResult,
    SecondResult,
    StageTimings,
    StreamInfo,
)

SECOND = 1_000_000_000


def result(at_s: float, scores: tuple[float, ...], *, has_model: bool = True, second=None):
    count = len(scores)
    found = detections(np.zeros((count, 4), np.float32), scores)
    frame = Frame(0, round(at_s * SECOND), None, np.zeros((2, 2, 3), np.uint8))
    return FrameResult(
        frame, Candidates.empty(), found, StageTimings(), has_model=has_model, second=second
    )


def lanes_after(now_s: float, *results: FrameResult) -> Lanes:
    minute = LiveMinute(lambda: round(now_s * SECOND))
    for each in results:
        minute.add(each)
    return minute.values().lanes


def test_a_frame_moves_from_right_to_left_and_leaves():
    seen = result(100.0, (0.9, 0.6))
    for now_s, slot in ((100.0, SLOTS - 1), (130.0, SLOTS // 2), (160.0, 0)):
        lanes = lanes_after(now_s, seen)
        assert np.flatnonzero(lanes.found == 2)[0] == slot
        assert lanes.best[slot] == pytest.approx(0.9)
        assert lanes.heat[slot].tolist() == [0, 0, 0, 0, 1, 0, 0, 1]
    assert lanes_after(160.2, seen).scanned == 0


def test_a_slow_model_leaves_no_gaps_but_a_pause_does():
    lanes = lanes_after(110.0, result(100.0, (0.9,)), result(100.85, ()), result(109.0, (0.9,)))
    at_100 = SLOTS - 100  # ten seconds before the right edge
    assert lanes.found[at_100 : at_100 + 8].tolist() == [1] * 8
    assert lanes.found[at_100 + 8 : at_100 + 18].tolist() == [0] * 10
    assert lanes.found[at_100 + 30] == -1
    assert lanes.found[:at_100].max() == -1


def test_frames_without_a_model_are_not_scanned():
    assert lanes_after(100.0, result(100.0, (), has_model=False)).scanned == 0


def test_the_difference_of_two_models_has_the_third_lane():
    difference = FrameError(3.0, None, "", None, 1, 2, 1)
    second = SecondResult(Candidates.empty(), Detections.empty(), 1.0, difference)
    lanes = lanes_after(100.0, result(100.0, (0.9,), second=second))
    assert lanes.has_differences
    assert (lanes.difference_px[-1], lanes.disagreements[-1]) == (3.0, 3)


def test_the_last_minute_outlives_a_reconnect_but_no_other_source(qtbot, themes):
    bar = TimelineBar()
    qtbot.addWidget(bar)
    camera = StreamInfo("cam", 64, 48, None, None, is_live=True, is_seekable=False)

    def found() -> bool:
        bar.show_state(playing=True, loop=False, speed=1.0, ab=(), lossless=False)
        return any(bar.strip.texts_of(slot) for slot in range(SLOTS))

    bar.set_info(camera)
    bar.add_live(result(time.monotonic(), (0.9,)))
    assert found()
    bar.set_info(replace(camera, width=96))  # it came back
    assert found()
    bar.set_info(None)
    bar.set_info(camera)
    assert not found()


def test_a_camera_that_is_slower_than_it_said_shows_the_real_time(qtbot):
    bar = TimelineBar()
    qtbot.addWidget(bar)
    camera = StreamInfo("cam", 64, 48, 30.0, None, is_live=True, is_seekable=False)

    def shown_at(at_s: float) -> str:
        bar.show_frame(replace(result(at_s, ()).frame, index=60))
        (label,) = [each for each in bar.findChildren(Label) if each.accessibleName() == "Time"]
        return label.text()

    bar.set_info(camera)
    assert [shown_at(100.0), shown_at(105.0)] == ["00:00.0", "00:05.0"]
    bar.set_info(replace(camera, width=96))  # it came back
    assert shown_at(161.5) == "01:01.5"
    bar.set_info(None)
    bar.set_info(camera)
    assert shown_at(170.0) == "00:00.0"


def test_a_camera_shows_its_last_minute(qtbot, open_window):
    source = FakeSource(live=True)
    window = open_window(source, named="0")
    strip = window.transport.strip
    qtbot.waitUntil(lambda: window.session.engine is not None)
    source.give(3)
    qtbot.waitUntil(lambda: window.session.info is not None)
    source.give(3)
    qtbot.waitUntil(lambda: strip.words.hints[2] == "the last minute")
    qtbot.waitUntil(lambda: strip.texts_of(SLOTS - 1)[:1] == ["found 2 · best score 0.90"])
    assert strip.count == SLOTS
    window.opener.choose_source("1")
    assert strip.words.hints[0] == "scan or play to fill"
