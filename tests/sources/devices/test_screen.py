"""Screens, with a fake desktop."""

import sys

import pytest
from screens import FakeScreens
from videos import HEIGHT, WIDTH, buffer, numbered_image

from kpviewer.errors import SourceError
from kpviewer.sources.devices.screen import FPS, Screen, ScreenSource, list_screens
from kpviewer.sources.naming import ScreenName, parse_screen


def screen(text: str = "screen", screens: FakeScreens | None = None) -> ScreenSource:
    grabber = screens or FakeScreens()
    return ScreenSource(parse_screen(text), open_grabber=lambda: grabber, sleep=lambda _s: None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("screen", ScreenName(1, None)),
        ("Screen:2", ScreenName(2, None)),
        ("screen:0", ScreenName(0, None)),
        ("screen:1:10,20,300,400", ScreenName(1, (10, 20, 300, 400))),
    ],
)
def test_a_screen_is_named_by_number_and_part(text, name):
    assert parse_screen(text) == name


@pytest.mark.parametrize("text", ["screen:", "screen:a", "screen:1:1,2,3", "screen:1:0,0,0,9"])
def test_another_spelling_is_an_error_that_shows_the_right_one(text):
    with pytest.raises(SourceError, match="screen:1:x,y,width,height"):
        parse_screen(text)


def test_the_image_is_what_the_screen_shows():
    source = screen()
    info = source.open()
    assert (info.width, info.height, info.is_live, info.is_seekable) == (WIDTH, HEIGHT, True, False)
    for number in range(3):
        given = buffer(HEIGHT, WIDTH)
        captured = source.read(lambda _h, _w, given=given: given)
        assert captured is not None
        assert captured.bgr is given
        assert (captured.bgr == numbered_image(number)).all()


def test_a_part_is_counted_from_the_corner_of_its_screen():
    screens = FakeScreens()
    source = screen("screen:2:10,20,30,40", screens)
    info = source.open()
    assert (info.width, info.height) == (30, 40)
    assert screens.areas[0] == {"left": WIDTH + 10, "top": 20, "width": 30, "height": 40}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("screen:3", "There is no screen 3. There is screen:1, screen:2."),
        ("screen:1:90,0,7,9", "96x64"),
    ],
)
def test_an_unknown_area_is_an_error_and_releases_the_screen(text, message):
    screens = FakeScreens()
    with pytest.raises(SourceError, match=message):
        screen(text, screens).open()
    assert screens.closes == 1


def test_a_screen_that_is_switched_off_is_lost_and_may_be_opened_again():
    made = [FakeScreens(captures=2), FakeScreens()]
    source = ScreenSource(ScreenName(1), open_grabber=lambda: made.pop(0), sleep=lambda _s: None)
    source.open()
    assert source.read(buffer) is not None
    with pytest.raises(SourceError, match="Is the screen still on"):
        source.read(buffer)
    source.close()
    source.open()
    assert source.read(buffer) is not None


def test_it_waits_for_the_time_of_the_next_image():
    waits: list[float] = []
    source = ScreenSource(ScreenName(1), open_grabber=FakeScreens, sleep=waits.append)
    source.open()
    for _ in range(4):
        source.read(buffer)
    # No time passes in these waits, so that the k-th is for at most k frames.
    assert all(0 < wait <= (count + 1) / FPS for count, wait in enumerate(waits))
    assert len(waits) == 3


def test_screens_are_listed_by_name_and_size():
    assert list_screens(FakeScreens) == [
        Screen(1, "DP-1 (96×64)"),
        Screen(2, "Screen 2 (96×64)"),
    ]


def test_an_error_on_wayland_names_an_alternative(monkeypatch):
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(SourceError, match="X11 session"):
        ScreenSource(ScreenName()).open()
    assert list_screens() == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is for X11")
def test_a_missing_display_is_an_error(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SourceError, match="no screen to capture"):
        ScreenSource(ScreenName()).open()
