"""Rotation and mirroring of the open source, by its menu and by the command line."""

from pathlib import Path

import numpy as np
import pytest
from fakes import FakeSource
from PyQt6.QtWidgets import QMenu

from kpviewer.config.files import read_settings, settings_path
from kpviewer.config.settings import Settings, from_table, to_table
from kpviewer.gui.settings.remembered import MAX_TURNS, turned_key, with_turn
from kpviewer.pipeline.source.transport import Span
from kpviewer.sources.base import Allocate, Captured
from kpviewer.sources.turn import Turn
from kpviewer.structures import StreamInfo

NAME = StreamInfo("Webcam", 8, 6, 30.0, None, is_live=True, is_seekable=False)


class Corner(FakeSource):
    """Source of 12 x 8 px whose upper left pixel is white."""

    def __init__(self, *, live: bool) -> None:
        super().__init__(300, live=live)
        self.size_hw = (8, 12)
        if live:
            self.give(300)

    def read(self, allocate: Allocate) -> Captured | None:
        captured = super().read(allocate)
        if captured is not None:
            captured.bgr[:] = 0
            captured.bgr[0, 0] = 255
        return captured


def seen(window) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the (height, width) of the frame, and the (row, column) of the white pixel."""
    result = window.view.result()
    if result is None:
        return None
    bgr = result.frame.bgr
    return bgr.shape[:2], tuple(int(each) for each in np.argwhere(bgr[..., 0] == 255)[0])


def entries(window):
    menu = QMenu()
    window.turning.add_to(menu)
    submenu = menu.actions()[0].menu()
    return {action.text(): action for action in submenu.actions()}, submenu, menu


@pytest.fixture
def opened(open_window, qtbot, tmp_path: Path):
    def open_it(named: str, *, live: bool = False, **changes: object):
        window = open_window(
            named=named,
            open_source=lambda _text, _truth: Corner(live=live),
            settings_folder=tmp_path / "settings",
            **changes,
        )
        qtbot.waitUntil(lambda: None not in (seen(window), window.session.info))
        return window

    return open_it


def test_rotation_turns_the_frames_and_is_remembered_for_the_source(opened, qtbot, tmp_path):
    window = opened("clip.mp4")
    assert seen(window) == ((8, 12), (0, 0))
    offered, *_keep = entries(window)
    assert list(offered) == ["Rotate by 90°"]
    offered["Rotate by 90°"].trigger()
    qtbot.waitUntil(lambda: seen(window) == ((12, 8), (0, 7)))
    qtbot.waitUntil(lambda: window.session.info is not None)
    assert (window.session.info.width, window.session.info.height) == (8, 12)
    assert window.session.info.turn == "90"
    window.close()
    kept = read_settings(settings_path(tmp_path / "settings")).settings
    assert kept.turns == {str(Path("clip.mp4").absolute()): "90"}

    again = opened("clip.mp4")
    assert seen(again) == ((12, 8), (0, 7))
    offered, *_keep = entries(again)
    offered["Original"].trigger()
    qtbot.waitUntil(lambda: seen(again) == ((8, 12), (0, 0)))


def test_live_sources_can_be_mirrored(opened, qtbot):
    window = opened("rtsp://host/live", live=True)
    offered, *_keep = entries(window)
    assert not offered["Mirror"].isChecked()
    offered["Mirror"].trigger()
    qtbot.waitUntil(lambda: seen(window) == ((8, 12), (0, 11)))
    qtbot.waitUntil(lambda: window.session.info is not None)
    offered, *_keep = entries(window)
    assert offered["Mirror"].isChecked()


@pytest.mark.parametrize("index", [120, 0])
def test_turned_source_returns_to_the_frame_on_the_screen(opened, qtbot, index):
    window = opened("clip.mp4")
    qtbot.waitUntil(lambda: window.view.result().frame.index > 1)
    window.bridge.playback.set_loop(True)
    window.bridge.playback.set_ab((3, 200))
    window.session.pipeline.pause()
    window.bridge.playback.seek(index)
    qtbot.waitUntil(lambda: window.view.result().frame.index == index)
    window.turning.use(Turn(180))
    qtbot.waitUntil(lambda: window.view.result() is None)
    qtbot.waitUntil(lambda: window.session.info is not None)  # else it still plays
    qtbot.waitUntil(lambda: seen(window) is not None and window.view.result().frame.index == index)
    assert seen(window) == ((8, 12), (7, 11))
    assert not window.bridge.playback.is_playing
    assert window.session.loops
    assert window.bridge.playback.ab == (3, 200)
    assert window.session.pipeline.transport.playback.span == Span(3, 200)


def test_command_line_wins_until_the_user_turns(opened, qtbot):
    window = opened("clip.mp4", turn=Turn(180))
    assert seen(window) == ((8, 12), (7, 11))
    assert window.turning.turn == Turn(180)
    offered, *_keep = entries(window)
    offered["Rotate by 90°"].trigger()
    qtbot.waitUntil(lambda: seen(window) == ((12, 8), (11, 0)))


def test_nothing_is_turned_while_it_is_recorded(opened, monkeypatch):
    window = opened("clip.mp4")
    monkeypatch.setattr(type(window.saving), "recorded_s", 1.0)
    _offered, submenu, _menu = entries(window)
    assert not submenu.isEnabled()


def test_menu_of_the_image_has_it_too(opened):
    window = opened("clip.mp4")
    assert "Rotate" in [action.text() for action in window.image_actions.menu(None).actions()]


def test_cameras_are_remembered_by_name_and_addresses_without_secrets():
    assert turned_key("0:640x480", NAME) == turned_key(None, NAME) == "Webcam"
    assert turned_key("demo", NAME) == "demo"
    assert "secret" not in turned_key("rtsp://me:secret@host/1", NAME)


def test_files_of_one_name_in_two_folders_are_turned_apart(tmp_path, monkeypatch):
    keys = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        keys.append(turned_key("clip.mp4", NAME))
    assert keys == [str(tmp_path / folder / "clip.mp4") for folder in ("a", "b")]
    assert turned_key("../b/clip.mp4", NAME) == turned_key("clip.mp4", NAME)


def test_turns_are_kept_for_the_latest_sources():
    settings = Settings()
    for number in range(MAX_TURNS + 5):
        settings = with_turn(settings, str(number), Turn(90))
    assert len(settings.turns) == MAX_TURNS
    assert settings.turns[str(MAX_TURNS + 4)] == "90"
    assert "0" not in settings.turns
    assert with_turn(settings, "20", Turn()).turns.get("20") is None
    assert from_table(to_table(settings))[0].turns == settings.turns
