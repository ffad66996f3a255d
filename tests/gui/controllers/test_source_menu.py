"""The menu of sources: cameras with their formats, screens, and no question to the disk."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest
from fakes import FakeSource
from PyQt6.QtCore import QByteArray, QSize
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu

from kpviewer.config.files import read_settings, settings_path
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening import cameras
from kpviewer.sources.devices import camera, screen
from kpviewer.sources.devices.camera import Camera
from kpviewer.sources.devices.screen import Screen
from kpviewer.structures import StreamInfo

WEBCAM = Camera(2, "Webcam", "/dev/video2", "046d:082d Webcam")


class Webcam(FakeSource):
    """A live source that says it is the webcam."""

    warning: str | None

    def __init__(self, warning: str | None = None) -> None:
        super().__init__(live=True)
        self.warning = warning

    @property
    def info(self) -> StreamInfo:
        return StreamInfo("Webcam", 32, 24, 30.0, None, is_live=True, is_seekable=False)


@dataclass
class Offered:
    """What Qt says of one format."""

    sides: tuple[int, int]
    fps: float
    pixels: str

    def resolution(self) -> QSize:
        return QSize(*self.sides)

    def maxFrameRate(self) -> float:
        return self.fps

    def pixelFormat(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.pixels)


@dataclass
class VideoInput:
    """What Qt says of one camera."""

    path: str
    name: str
    formats: list[Offered]

    def id(self) -> QByteArray:
        return QByteArray(self.path.encode())

    def description(self) -> str:
        return self.name

    def videoFormats(self) -> list[Offered]:
        return self.formats


@pytest.fixture(autouse=True)
def devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "list_cameras", lambda: [WEBCAM])
    monkeypatch.setattr(cameras, "video_inputs", list)
    monkeypatch.setattr(screen, "list_screens", lambda: [Screen(1, "DP-1 (1920×1080)")])


def lines(menu: QMenu) -> dict[str, QAction]:
    return {action.text(): action for action in menu.actions() if action.text()}


def source_menu(qtbot, window: MainWindow) -> QMenu:
    """Open the menu, as far as the window is concerned, and wait for the devices."""
    menu = window.top_bar.source.menu()
    menu.aboutToShow.emit()
    qtbot.waitUntil(lambda: "Webcam" in lines(menu))
    return menu


def formats(qtbot, window: MainWindow) -> dict[str, QAction]:
    return lines(lines(source_menu(qtbot, window))["Camera format"].menu())


def ticked(actions: dict[str, QAction]) -> list[str]:
    return [text for text, action in actions.items() if action.isChecked()]


def test_screens_are_offered_and_opened_by_number(qtbot, open_window):
    window = open_window()
    lines(source_menu(qtbot, window))["DP-1 (1920×1080)"].trigger()
    qtbot.waitUntil(lambda: window.session.source_text == "screen:1")


def test_only_a_camera_has_formats(qtbot, open_window):
    window = open_window()
    qtbot.waitUntil(lambda: window.session.info is not None)
    assert "Camera format" not in lines(source_menu(qtbot, window))


def test_a_chosen_format_opens_the_camera_again_and_is_remembered_by_its_id(
    qtbot, open_window, tmp_path
):
    opened: list[str | None] = []

    def open_source(text, _ground_truth):
        opened.append(text)
        return Webcam()

    folder = tmp_path / "settings"
    window = open_window(named="2", open_source=open_source, settings_folder=folder)
    qtbot.waitUntil(lambda: window.session.info is not None)
    offered = formats(qtbot, window)
    assert offered["Now 32×24 @ 30"].isEnabled() is False
    assert ticked(offered) == ["Automatic"]
    offered["1920×1080"].trigger()
    qtbot.waitUntil(lambda: opened == ["2", "2:1920x1080@30:MJPG"])
    offered = formats(qtbot, window)
    assert ticked(offered) == ["1920×1080", "30 frames a second", "MJPG"]
    offered["60 frames a second"].trigger()
    qtbot.waitUntil(lambda: opened[-1] == "2:1920x1080@60:MJPG")
    window.close()
    assert read_settings(settings_path(folder)).settings.camera_formats == {
        WEBCAM.id: "1920x1080@60:MJPG"
    }

    again = open_window(named=None, open_source=open_source, settings_folder=folder)
    qtbot.waitUntil(lambda: again.session.info is not None)
    assert opened[-1] == "2:1920x1080@60:MJPG"  # the last camera, in its last format
    formats(qtbot, again)["Automatic"].trigger()
    qtbot.waitUntil(lambda: opened[-1] == "2")


@pytest.mark.parametrize(
    ("path", "name"), [("/dev/video2", "Another name"), ("somewhere else", "Webcam")]
)
def test_the_formats_that_the_driver_lists_are_offered(qtbot, open_window, monkeypatch, path, name):
    opened: list[str | None] = []

    def open_source(text, _ground_truth):
        opened.append(text)
        return Webcam()

    webcam = VideoInput(
        path,
        name,
        [
            Offered((640, 480), 30.0, "Format_YUYV"),
            Offered((1280, 720), 60.000240, "Format_Jpeg"),
            Offered((1280, 720), 30.0, "Format_Jpeg"),
            Offered((1280, 720), 30.0, "Format_Jpeg"),  # drivers repeat themselves
            Offered((1920, 1080), 30.0, "Format_Jpeg"),
            Offered((1920, 1080), 30.0, "Format_P010"),  # nothing that OpenCV could be asked for
        ],
    )
    other = VideoInput("/dev/video0", "Another", [Offered((8, 8), 1.0, "Format_NV12")])
    monkeypatch.setattr(cameras, "video_inputs", lambda: [other, webcam])
    window = open_window(named="2", open_source=open_source)
    qtbot.waitUntil(lambda: window.session.info is not None)
    offered = formats(qtbot, window)
    assert list(offered) == ["Now 32×24 @ 30", "Automatic", "MJPG", "YUYV"]
    motion_jpeg = lines(offered["MJPG"].menu())
    assert list(motion_jpeg) == ["1920×1080 @ 30", "1280×720 @ 60", "1280×720 @ 30"]
    motion_jpeg["1280×720 @ 60"].trigger()
    qtbot.waitUntil(lambda: opened[-1] == "2:1280x720@60:MJPG")
    assert ticked(lines(formats(qtbot, window)["MJPG"].menu())) == ["1280×720 @ 60"]


def test_a_format_of_the_command_line_goes_before_the_remembered_one(qtbot, open_window, tmp_path):
    opened: list[str | None] = []

    def open_source(text, _ground_truth):
        opened.append(text)
        return Webcam()

    window = open_window(named="2", open_source=open_source, settings_folder=tmp_path / "s")
    qtbot.waitUntil(lambda: window.session.info is not None)
    formats(qtbot, window)["640×480"].trigger()
    qtbot.waitUntil(lambda: len(opened) == 2)
    window.opener.choose_source("2:320x240@15:YUYV")
    qtbot.waitUntil(lambda: opened[-1] == "2:320x240@15:YUYV")


def test_a_camera_that_sends_another_format_is_reported(qtbot, open_window):
    message = "Webcam sends 32x24 instead of the requested 1920x1080@30. Choose another format."
    window = open_window(Webcam(message), named="2:1920x1080")
    qtbot.waitUntil(lambda: message in window.status_bar.message())


def test_the_menu_asks_no_disk(qtbot, open_window, tmp_path, monkeypatch):
    window = open_window(
        settings_folder=tmp_path / "settings",
        open_source=lambda _text, _ground_truth: FakeSource(300),
    )
    window.opener.choose_source("/far/away/clip.mp4")
    qtbot.waitUntil(lambda: window.session.info is not None)

    def block(path: Path) -> bool:
        raise AssertionError(f"the window waited for {path}")

    for name in ("exists", "is_file", "stat"):
        monkeypatch.setattr(Path, name, block)
    menu = window.top_bar.source.menu()
    menu.aboutToShow.emit()
    clip = next(action for text, action in lines(menu).items() if text.startswith("clip.mp4"))
    assert clip.isEnabled()
    monkeypatch.undo()
