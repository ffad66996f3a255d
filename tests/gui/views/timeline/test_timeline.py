"""Timeline in the window: go to, marks, pointing, folders."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeSource, eventually
from gui.lanes import make_lanes
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QToolTip, QWidget
from pytestqt.qtbot import QtBot
from sources.videos import write_video

from kpviewer.config.files import read_settings, settings_path
from kpviewer.config.settings import MAX_MARKED, MAX_MARKS, Settings, from_table, to_table
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.settings.recent import markable_source, with_marks, without_sources
from kpviewer.gui.views.timeline.file_list import FileList
from kpviewer.gui.views.timeline.hovering import HoverTip
from kpviewer.gui.views.timeline.thumbnails import KEPT, Thumbnails
from kpviewer.scanning.lanes import Lanes
from kpviewer.sources.opencv import cv2
from kpviewer.sources.video.file import VideoSource

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def shown_index(window: MainWindow) -> int | None:
    result = window.view.result()
    return result.frame.index if result is not None else None


def pause_at(qtbot: QtBot, window: MainWindow, index: int) -> None:
    qtbot.waitUntil(lambda: shown_index(window) is not None and window.session.info is not None)
    window.bridge.playback.show(index)
    qtbot.waitUntil(lambda: shown_index(window) == index)


def show_lanes(window: MainWindow, lanes: Lanes) -> None:
    """Show made-up lanes, in place of those of the frames that were seen."""
    window.scanning.analysis.lanes_changed.disconnect(window.timeline.show_lanes)
    window.timeline.show_lanes(lanes)


def go_to(qtbot: QtBot, window: MainWindow, text: str) -> None:
    """Type a position into the field that Ctrl+G opens."""
    qtbot.keyClick(window, Key.Key_G, CTRL)
    editor = window.transport.position.editor
    assert editor is not None
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Key.Key_Return)


def test_the_demo_needs_no_annotations(open_window):
    for name, hint in (("demo", ""), ("fake", "needs annotations")):
        window = open_window(named=name)
        show_lanes(window, make_lanes(300, error_px=None))
        assert window.transport.strip.words.hints[2] == hint


# -- go to ---------------------------------------------------------------------------------


def test_a_typed_frame_time_or_share_is_gone_to(qtbot, open_window):
    window = open_window()
    pause_at(qtbot, window, 10)
    for text, index in (("123", 123), ("0:05", 150), ("2.5", 75), ("100 %", 299)):
        go_to(qtbot, window, text)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index)
        assert window.transport.position.editor is None
        assert window.transport.position.text() == f"frame {index}"


def test_a_click_on_the_number_edits_it_and_escape_gives_up(qtbot, open_window):
    window = open_window()
    pause_at(qtbot, window, 10)
    window.set_fullscreen(True)
    qtbot.mouseClick(window.transport.position, LEFT)
    editor = window.transport.position.editor
    assert editor.text() == editor.selectedText() == "10"
    qtbot.keyClicks(editor, "99")
    qtbot.keyClick(editor, Key.Key_Escape)
    assert window.transport.position.editor is None
    assert window.isFullScreen()  # Esc was for the field
    assert shown_index(window) == 10
    qtbot.keyClick(window, Key.Key_Period)  # the focus is back
    qtbot.waitUntil(lambda: shown_index(window) == 11)
    window.set_fullscreen(False)


@pytest.mark.qt_log_ignore("This plugin does not support")  # said of tooltips without a screen
def test_what_is_no_position_stays_in_the_field(qtbot, open_window):
    window = open_window()
    pause_at(qtbot, window, 10)
    go_to(qtbot, window, "soon")
    editor = window.transport.position.editor
    assert editor.selectedText() == "soon"
    assert "soon is not a frame number" in editor.toolTip()
    assert QToolTip.text() == editor.toolTip()
    qtbot.keyClicks(editor, "20")
    qtbot.keyClick(editor, Key.Key_Return)
    qtbot.waitUntil(lambda: shown_index(window) == 20)


def test_nothing_typed_closes_the_field(qtbot, open_window):
    window = open_window()
    pause_at(qtbot, window, 10)
    qtbot.keyClick(window, Key.Key_G, CTRL)
    qtbot.keyClick(window.transport.position.editor, Key.Key_Delete)
    qtbot.keyClick(window.transport.position.editor, Key.Key_Return)
    assert window.transport.position.editor is None
    assert shown_index(window) == 10


def test_a_file_whose_frames_are_not_counted_has_a_timeline(
    qtbot, open_window, tmp_path, monkeypatch
):
    monkeypatch.setattr("kpviewer.sources.video.frames.SCAN_BUDGET_S", 0)
    path = tmp_path / "film.mkv"  # whose header has no number of frames
    write_video(path, times_ms=range(0, 2400, 40), options={"g": "12"})
    window = open_window(VideoSource(path), named=str(path), settings_folder=tmp_path)
    pause_at(qtbot, window, 50)
    qtbot.keyClick(window, Key.Key_M)
    with qtbot.waitSignal(window.session.opened):
        window.session.reopen()
    pause_at(qtbot, window, 30)
    assert window.session.info.frame_count is None
    strip = window.transport.strip
    assert (strip.isEnabled(), strip.count, strip.signs) == (True, 60, (50,))
    for key, index in ((Key.Key_Comma, 29), (Key.Key_N, 50), (Key.Key_Right, 59)):
        qtbot.keyClick(window, key)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index)


def test_a_live_source_has_nothing_to_go_to(qtbot, open_window):
    source = FakeSource(live=True)
    window = open_window(source)
    source.give(1)
    qtbot.waitUntil(lambda: window.session.info is not None)
    qtbot.keyClick(window, Key.Key_G, CTRL)
    qtbot.keyClick(window, Key.Key_M)
    assert window.transport.position.editor is None
    assert window.timeline.marks == ()


# -- marks ---------------------------------------------------------------------------------


def test_m_marks_and_n_goes_from_mark_to_mark(qtbot, open_window):
    window = open_window()
    for index in (40, 200, 90):
        pause_at(qtbot, window, index)
        qtbot.keyClick(window, Key.Key_M)
    lanes = make_lanes(300)
    lanes.missed[120] = 3
    show_lanes(window, lanes)
    assert window.transport.strip.signs == (40, 90, 120, 200)
    for modifier, index in (
        (SHIFT, 40),
        (Qt.KeyboardModifier.NoModifier, 90),
        (Qt.KeyboardModifier.NoModifier, 120),
    ):
        qtbot.keyClick(window, Key.Key_N, modifier)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index)
    pause_at(qtbot, window, 90)
    qtbot.keyClick(window, Key.Key_M)
    assert window.timeline.marks == (40, 200)


def test_marks_of_a_source_are_there_again_and_leave_with_the_recent_ones(
    qtbot, open_window, tmp_path
):
    folder = tmp_path / "settings"
    sources = {"film": FakeSource(300), "other": FakeSource(300), "short": FakeSource(60)}
    options = {
        "settings_folder": folder,
        "open_source": lambda text, _ground_truth: sources[Path(text).name],
    }
    window = open_window(named="film", **options)
    for index in (30, 70):
        pause_at(qtbot, window, index)
        qtbot.keyClick(window, Key.Key_M)
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: window.session.source_text == "other")
    assert window.transport.strip.signs == ()
    qtbot.waitUntil(lambda: window.session.info is not None)
    assert window.transport.strip.signs == ()
    window.close()
    kept = read_settings(settings_path(folder)).settings.marks
    assert kept == {str(Path("film").absolute()): (30, 70)}

    sources["film"] = FakeSource(60)  # it was cut meanwhile
    again = open_window(named="film", **options)
    qtbot.waitUntil(lambda: again.session.info is not None)
    assert again.timeline.marks == (30,)
    again.memory.recent_sources().clear()
    again.close()
    assert read_settings(settings_path(folder)).settings.marks == {}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (None, None),
        ("0", None),
        ("screen", None),
        ("rtsp://user:secret@host/1", None),
        ("https://host/film.mp4", "https://host/film.mp4"),
        ("DEMO", "demo"),
        ("/data/film.mp4", str(Path("/data/film.mp4").absolute())),
    ],
)
def test_marks_are_kept_under_names_without_secrets(text, kept):
    assert markable_source(text) == kept


def test_remembered_marks_are_bounded():
    settings = Settings()
    for number in range(MAX_MARKED + 5):
        settings = with_marks(settings, f"/film{number}", tuple(range(MAX_MARKS + 5)))
    assert len(settings.marks) == MAX_MARKED
    assert "/film4" not in settings.marks
    assert len(settings.marks["/film5"]) == MAX_MARKS
    assert "/film9" not in with_marks(settings, "/film9", ()).marks
    assert without_sources(settings).marks == {}
    read, ignored = from_table(to_table(settings))
    assert (read, ignored) == (settings, [])
    many = {"marks": {f"/{n}": [*range(MAX_MARKS + 1)] for n in range(MAX_MARKED + 1)}}
    read, _ = from_table(many | {"theme": "dark"})
    assert len(read.marks) == MAX_MARKED
    assert max(map(len, read.marks.values())) == MAX_MARKS
    assert from_table({"marks": {"/a": [-1], "/b": "x", "/c": [3]}})[0].marks == {"/c": (3,)}
    assert settings.as_profile().marks == {}


# -- pointing ------------------------------------------------------------------------------


def point_at(qtbot: QtBot, window: MainWindow, index: int) -> HoverTip:
    strip = window.transport.strip
    qtbot.mouseMove(strip, QPoint(round(strip.axis.x_of(index)), 20))
    strip.hovered.emit(index)  # a column is wider than a frame, or the other way round
    tip = window.timeline.hovering.tip
    assert tip is not None
    return tip


def test_pointing_shows_frame_time_values_and_thumbnail(qtbot, open_window):
    sources: list[FakeSource] = []

    def make(_text, _ground_truth):
        sources.append(FakeSource(300))
        return sources[-1]

    window = open_window(open_source=make)
    pause_at(qtbot, window, 10)
    show_lanes(window, make_lanes(300))
    tip = point_at(qtbot, window, 90)
    lines = ["frame 90 · 00:03.0", "found 2 · best score 0.80", "error 1.0 px"]
    assert tip.text().splitlines() == lines
    window.timeline.show_lanes(make_lanes(300, found=5))  # a slider moves
    assert tip.text().splitlines()[1] == "found 5 · best score 0.80"
    qtbot.waitUntil(lambda: not tip.image().isNull())
    assert tip.image().toImage().pixelColor(3, 3).getRgb()[:3] == (0, 0, 90)
    assert shown_index(window) == 10  # it has a source of its own
    assert len(sources) == 2
    for index in (95, 90):
        point_at(qtbot, window, index)
    assert not tip.image().isNull()  # 90 is kept
    window.transport.strip.hovered.emit(None)
    assert tip.text() == ""
    window.close()
    eventually(lambda: sources[1].closes > 0)


@pytest.mark.parametrize(("x", "left"), [(2, "left"), (200, "middle"), (399, "right")])
def test_the_card_stays_in_the_window(qtbot, x, left):
    parent = QWidget()
    qtbot.addWidget(parent)
    parent.resize(400, 300)
    tip = HoverTip(parent)
    tip.show_frame(["frame 7 · 00:00.2", "found 2"], None, QPoint(x, 250))
    assert parent.rect().contains(tip.geometry())
    assert tip.geometry().bottom() < 250
    middle = x - tip.width() // 2
    expected = {"left": 4, "middle": middle, "right": 400 - tip.width() - 4}
    assert tip.x() == expected[left]


def test_anonymised_frames_have_no_thumbnail(qtbot, open_window):
    opened: list[str] = []

    def make(text, _ground_truth):
        opened.append(text)
        return FakeSource(300)

    window = open_window(open_source=make)
    pause_at(qtbot, window, 10)
    tip = point_at(qtbot, window, 90)
    qtbot.waitUntil(lambda: not tip.image().isNull())
    window.side_panel.display.set_style(
        replace(window.side_panel.display.style_of_overlay, anonymise=True)
    )
    assert point_at(qtbot, window, 90).image().isNull()
    opened.clear()
    assert point_at(qtbot, window, 200).image().isNull()
    assert opened == []


def test_a_source_that_is_only_one_object_has_no_thumbnails(qtbot, open_window):
    source = FakeSource(300)
    window = open_window(source)
    pause_at(qtbot, window, 10)
    readers = set(source.threads)
    tip = point_at(qtbot, window, 90)
    thumbnails = window.timeline.hovering.thumbnails
    qtbot.waitUntil(lambda: not thumbnails.is_busy)
    assert tip.image().isNull()
    assert source.threads == readers  # a model that arrives late may read the frame once more


def test_only_the_newest_thumbnail_is_read_and_few_are_kept(qtbot):
    source = FakeSource(1000)
    source.open_is_blocked = True
    thumbnails = Thumbnails()
    arrived: list[int] = []
    thumbnails.arrived.connect(arrived.append)
    thumbnails.set_source(lambda: source)
    for index in (1, 2, 3):
        thumbnails.ask(index)
    source.wait_for_opens(1)
    source.unblock_open()
    qtbot.waitUntil(lambda: arrived == [3])
    for index in range(10, 10 + KEPT):
        thumbnails.ask(index)
        qtbot.waitUntil(lambda index=index: arrived[-1] == index)
    assert thumbnails.get(3) is None
    assert thumbnails.get(10) is not None
    assert source.opens == 1
    thumbnails.close()
    assert source.closes == 1


@pytest.mark.parametrize("bad", [FakeSource(live=True), None, FakeSource(open_errors=[OSError()])])
def test_a_source_that_cannot_be_read_twice_is_tried_once(qtbot, bad):
    thumbnails, made = Thumbnails(), []

    def make():
        made.append(1)
        return bad

    thumbnails.set_source(make)
    for _ in range(2):
        thumbnails.ask(1)
        qtbot.waitUntil(lambda: not thumbnails.is_busy)
    assert thumbnails.get(1) is None
    assert len(made) == 1
    thumbnails.close()


# -- folders -------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(1, 13):
        cv2.imwrite(str(folder / f"img{number}.png"), np.full((24, 32, 3), number, np.uint8))
    return folder


def test_a_folder_waits_at_its_first_image_and_shows_names(qtbot, open_window, pictures):
    window = open_window(named=str(pictures), open_source=LOADERS.open_source)
    qtbot.waitUntil(lambda: window.transport.position.text() == "1 of 12")
    qtbot.waitUntil(lambda: window.session.engine is not None)
    qtbot.waitUntil(lambda: not window.bridge.playback.is_playing)
    assert shown_index(window) == 0
    assert window.transport.texts_of(4) == ["5 of 12", "img5.png"]
    qtbot.keyClick(window, Key.Key_Period)
    qtbot.waitUntil(lambda: window.transport.position.text() == "2 of 12")
    qtbot.keyClick(window, Key.Key_Space)  # it plays all the same
    qtbot.waitUntil(lambda: shown_index(window) == 3)


@pytest.mark.qt_log_ignore("This plugin does not support")  # said of popups without a screen
def test_the_list_of_files_finds_names_and_numbers(qtbot, open_window, pictures):
    window = open_window(named=str(pictures), open_source=LOADERS.open_source)
    qtbot.waitUntil(lambda: window.transport.position.text() == "1 of 12")
    show_lanes(window, make_lanes(12, scanned=5))
    qtbot.keyClick(window, Key.Key_G, CTRL)
    files = window.timeline.files
    qtbot.waitUntil(files.isVisible)
    rows = [files.model.index(row).data() for row in range(files.model.rowCount())]
    assert [row.split()[-1] for row in rows] == [f"img{number}.png" for number in range(1, 13)]
    counts = [files.model.index(row).data(Qt.ItemDataRole.UserRole) for row in (0, 4, 5)]
    assert counts == ["2", "2", None]
    window.timeline.show_lanes(None)  # of another model
    assert files.model.index(0).data(Qt.ItemDataRole.UserRole) is None
    qtbot.keyClicks(files.search, "G1")
    assert [files.model.image_of(row) for row in range(files.model.rowCount())] == [0, 9, 10, 11]
    files.search.setText("2")
    assert files.model.image_of(0) == 1  # the image of that number, then names with a 2
    qtbot.keyClick(files.search, Key.Key_Escape)
    assert not files.isVisible()
    window.timeline.go_to()
    qtbot.keyClick(files.search, Key.Key_Down)
    assert files.view.currentIndex().row() == 1
    files.search.setText("img11")
    qtbot.keyClick(files.search, Key.Key_Return)
    assert not files.isVisible()
    qtbot.waitUntil(lambda: shown_index(window) == 10)
    assert window.transport.position.text() == "11 of 12"


def test_an_image_that_cannot_be_read_is_passed_and_keeps_its_number(qtbot, open_window, pictures):
    (pictures / "img2.png").write_bytes(b"not an image")
    window = open_window(named=str(pictures), open_source=LOADERS.open_source)
    qtbot.waitUntil(lambda: window.transport.texts_of(1)[-1] == "img2.png")
    qtbot.keyClick(window, Key.Key_Period)
    qtbot.waitUntil(lambda: shown_index(window) == 2)
    assert window.view.result().frame.file == "img3.png"
    qtbot.keyClick(window, Key.Key_Comma)
    qtbot.waitUntil(lambda: shown_index(window) == 0)
    assert window.transport.texts_of(1)[-1] == "img2.png"


def test_a_list_of_fifty_thousand_names_is_quick_to_search(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    files = FileList(parent)
    files.model.set_names([f"set/image_{number:05d}.jpg" for number in range(50_000)])
    files.search.setText("49_999")
    assert files.model.rowCount() == 0
    files.search.setText("49999")
    assert [files.model.image_of(row) for row in range(files.model.rowCount())] == [49_998, 49_999]


def test_a_time_goes_to_its_frame_before_any_was_seen(qtbot, open_window, tmp_path):
    times_ms = [*range(0, 2000, 20), *range(2000, 42_000, 400)]  # 50 fps, then 2.5
    write_video(tmp_path / "film.mkv", times_ms=times_ms, options={"bf": "0"})
    window = open_window(VideoSource(tmp_path / "film.mkv"))
    pause_at(qtbot, window, 0)
    go_to(qtbot, window, "0:22")
    qtbot.waitUntil(lambda: shown_index(window) == 150)
    qtbot.keyClick(window, Key.Key_Right)  # 5 s
    qtbot.waitUntil(lambda: shown_index(window) == 162)
    qtbot.keyClick(window, Key.Key_Left)
    qtbot.waitUntil(lambda: shown_index(window) == 150)
    assert window.transport.texts_of(50)[0] == "frame 50 · 00:01.0"
