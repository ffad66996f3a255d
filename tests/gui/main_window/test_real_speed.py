"""The real speed of a file, which a slow model lowers."""

import math
from types import SimpleNamespace

import pytest
from fakes import FakeSource

from kpviewer.gui.keys import Act
from kpviewer.gui.main_window.real_speed import SpeedMeter, slower
from kpviewer.gui.views.timeline.texts import real_text


@pytest.fixture
def now() -> SimpleNamespace:
    return SimpleNamespace(s=50.0)


@pytest.fixture
def meter(now) -> SpeedMeter:
    return SpeedMeter(lambda: now.s)


def play(meter, now, positions, wall_step_s) -> None:
    for position in positions:
        meter.add(position)
        now.s += wall_step_s


def test_speed_is_media_time_by_the_clock(meter, now):
    play(meter, now, [0.04 * index for index in range(10)], 0.4)
    assert meter.speed() == pytest.approx(0.1)


def test_speed_is_unknown_before_it_is_measured(meter, now):
    play(meter, now, [0.0, 0.04, 0.08], 0.04)
    assert meter.speed() is None


@pytest.mark.parametrize("target", [0.0, 90.0])
def test_a_seek_begins_anew(meter, now, target):
    play(meter, now, [10 + 0.04 * index for index in range(10)], 0.4)
    meter.add(target)
    assert meter.speed() is None


def test_only_the_last_seconds_count(meter, now):
    play(meter, now, [0.04 * index for index in range(10)], 0.4)
    play(meter, now, [0.4 + 0.04 * index for index in range(100)], 0.04)
    assert meter.speed() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("real", "chosen", "shown"),
    [(0.1, 1.0, 0.1), (0.9, 1.0, None), (1.9, 4.0, 1.9), (0.1, math.inf, None), (None, 1.0, None)],
)
def test_only_a_clearly_slower_model_is_shown(real, chosen, shown):
    assert slower(real, chosen) == shown


def test_texts_of_slow_speeds():
    assert [real_text(speed) for speed in (0.02, 0.1, 0.34, 2.0)] == [
        "0.02×",
        "0.1×",
        "0.3×",
        "2.0×",
    ]


def test_button_and_title_say_that_the_video_plays_slower_but_blame_no_model(
    qtbot, open_window, monkeypatch
):
    window = open_window(FakeSource(5000))
    qtbot.waitUntil(lambda: window.session.info is not None)
    monkeypatch.setattr(SpeedMeter, "speed", lambda _: 0.1)
    qtbot.waitUntil(lambda: window.transport.speed.text() == "0.1×")
    assert window.transport.speed.toolTip() == (
        "0.1×: this computer is slower than the video; no frame is skipped ([ ])"
    )
    qtbot.waitUntil(
        lambda: window.windowTitle() == "fake · 0.1× (slower than the video) · kpviewer"
    )
    window.actions_of_keys.run(Act.FASTER)
    qtbot.waitUntil(lambda: window.windowTitle() == "fake · 0.1× (slower than 1.25×) · kpviewer")
    tip = window.transport.speed.toolTip
    qtbot.waitUntil(lambda: tip().startswith("0.1×: this computer is slower than 1.25×; no"))
    monkeypatch.setattr(SpeedMeter, "speed", lambda _: 1.25)
    qtbot.waitUntil(lambda: tip() == "Speed ([ ])")
    qtbot.waitUntil(lambda: window.transport.speed.text() == "1.25×")
    qtbot.waitUntil(lambda: window.windowTitle() == "fake · kpviewer")


def test_another_speed_is_shown_at_once_and_measured_anew(qtbot, open_window, monkeypatch):
    window = open_window(FakeSource(5000))
    qtbot.waitUntil(lambda: window.session.info is not None and window.bridge.playback.is_playing)
    measured = []
    monkeypatch.setattr(SpeedMeter, "reset", lambda _: measured.clear())
    monkeypatch.setattr(SpeedMeter, "speed", lambda _: measured[0] if measured else None)
    for text in ("1.25×", "1.5×", "2×", "4×"):
        measured.append(1.0)  # that of the speed before
        window.actions_of_keys.run(Act.FASTER)
        assert window.transport.speed.text() == text
        assert window.windowTitle() == "fake · kpviewer"
