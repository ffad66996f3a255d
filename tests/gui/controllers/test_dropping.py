"""What is dropped on the window is opened: files, folders, addresses, models."""

import pytest
from fakes import FakeSource
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QPushButton

from kpviewer.gui.main_window import MainWindow
from kpviewer.sources.open import make_source


def mime(*, urls: tuple[str, ...] = (), text: str | None = None) -> QMimeData:
    data = QMimeData()
    if urls:
        data.setUrls([QUrl(url) for url in urls])
    if text is not None:
        data.setText(text)
    return data


def drag(window: MainWindow, data: QMimeData) -> bool:
    """Bring something over the window, and let it fall where it is welcome."""
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(99, 99), Qt.DropAction.CopyAction, data, left, none)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    if not enter.isAccepted():
        return False
    drop = QDropEvent(QPointF(99, 99), Qt.DropAction.CopyAction, data, left, none)
    QApplication.sendEvent(window, drop)
    return drop.isAccepted()


@pytest.fixture
def window(open_window) -> MainWindow:
    return open_window(open_source=lambda _text, _ground_truth: FakeSource(300))


def test_a_file_and_a_folder_are_sources(qtbot, window, tmp_path):
    for path in (tmp_path, tmp_path / "cl ip #1.mp4"):
        assert drag(window, mime(urls=(QUrl.fromLocalFile(str(path)).toString(),)))
        qtbot.waitUntil(lambda path=path: window.session.source_text == str(path))


@pytest.mark.parametrize(
    "url", ["https://host/a%20b/cam.mjpg?x=1", "rtsp://host:554/live", "http://host/clip.mp4"]
)
def test_an_address_is_a_source_as_url_and_as_text(qtbot, window, url):
    for data in (mime(urls=(url,)), mime(text=f" {url}\n"), mime(urls=(url,), text="Cam 1")):
        window.session.close_source()
        assert drag(window, data)
        qtbot.waitUntil(lambda: window.session.source_text == url)


def test_a_path_may_come_as_text(qtbot, window, tmp_path):
    assert drag(window, mime(text=f'"{tmp_path}"'))
    qtbot.waitUntil(lambda: window.session.source_text == str(tmp_path))


def test_a_model_is_loaded_and_the_source_stays(qtbot, window, tmp_path):
    assert drag(window, mime(urls=(f"file://{tmp_path}/mine.ONNX",)))
    assert window.session.models.loading == f"{tmp_path}/mine.ONNX"
    assert window.session.source_text == "fake"


def test_labels_in_xml_are_no_model(qtbot, window, tmp_path):
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
    thing = f"<object><name>cat</name>{box}</object>"
    (tmp_path / "a.xml").write_text(f"<annotation>{thing}</annotation>")
    (tmp_path / "model.xml").write_text('<?xml version="1.0"?><net name="a" version="11"/>')
    assert drag(window, mime(urls=(f"file://{tmp_path}/a.xml",)))
    assert not str(window.session.models.loading).endswith(".xml")
    assert "Ground truth" in window.status_bar.message()  # which the source here can't have
    for name in ("model.xml", "gone.xml"):
        assert drag(window, mime(urls=(f"file://{tmp_path}/{name}",)))
        assert window.session.models.loading == f"{tmp_path}/{name}"


def test_a_message_of_the_source_before_is_removed(window, tmp_path):
    for name in ("menu", "drop"):
        window.status_bar.show_message("Ground truth from labels.")
        if name == "menu":
            window.opener.choose_source("demo")
        else:
            assert drag(window, mime(urls=(f"file://{tmp_path}/clip.mp4",)))
        assert window.status_bar.message() == ""


def test_several_videos_ask_for_a_grid(window, tmp_path):
    asked = []
    window.several_asked.connect(asked.append)
    urls = tuple(f"file://{tmp_path}/{number}.mp4" for number in range(3))
    assert drag(window, mime(urls=urls))
    assert asked == [[f"{tmp_path}/{number}.mp4" for number in range(3)]]
    assert window.session.source_text == "fake"


def test_a_folder_of_videos_offers_them_in_a_grid(qtbot, open_window, tmp_path):
    window = open_window(open_source=lambda text, _ground_truth: make_source(text))
    asked = []
    window.several_asked.connect(asked.append)
    paths = [tmp_path / f"{number}.mp4" for number in (2, 10)]
    for path in paths:
        path.touch()
    assert drag(window, mime(urls=(f"file://{tmp_path}",)))
    qtbot.waitUntil(lambda: window.session.below != ())
    window.view.card.pressed.emit("below")
    assert asked == [[str(path) for path in paths]]


def test_a_folder_of_videos_is_offered_while_another_source_plays(qtbot, open_window, tmp_path):
    def load(text, _ground_truth):
        return FakeSource(300) if text == "fake" else make_source(text)

    window = open_window(open_source=load)
    qtbot.waitUntil(lambda: window.session.info is not None)
    asked = []
    window.several_asked.connect(asked.append)
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).touch()
    assert drag(window, mime(urls=(f"file://{tmp_path}",)))
    qtbot.waitUntil(lambda: window.status_bar.message().endswith("Open 2 videos"))
    assert window.session.source_text == "fake"
    (button,) = (
        each for each in window.status_bar.findChildren(QPushButton) if each.text().startswith("Op")
    )
    button.click()
    assert asked == [[f"{tmp_path}/a.mp4", f"{tmp_path}/b.mp4"]]


def test_paths_and_addresses_may_come_as_lines_of_text(window, tmp_path):
    asked = []
    window.several_asked.connect(asked.append)
    lines = f'"{tmp_path}/a b.mp4"\n\nfile://{tmp_path}/c.mp4\n rtsp://host/live \n'
    assert drag(window, mime(text=lines))
    assert asked == [[f"{tmp_path}/a b.mp4", f"{tmp_path}/c.mp4", "rtsp://host/live"]]
    assert not drag(window, mime(text=f"{tmp_path}/a b.mp4\nis a video"))


def test_of_several_images_the_first_is_opened_and_reported(qtbot, window, tmp_path):
    urls = tuple(f"file://{tmp_path}/{number}.png" for number in range(3))
    assert drag(window, mime(urls=urls))
    qtbot.waitUntil(lambda: window.session.source_text == f"{tmp_path}/0.png")
    assert "the first of 3" in window.status_bar.message()


@pytest.mark.parametrize("names", ["clip.mp4 mine.onnx", "mine.onnx clip.mp4"])
def test_a_model_may_come_with_a_source(qtbot, window, tmp_path, names):
    assert drag(window, mime(urls=tuple(f"file://{tmp_path}/{name}" for name in names.split())))
    assert window.session.models.loading == f"{tmp_path}/mine.onnx"
    qtbot.waitUntil(lambda: window.session.source_text == f"{tmp_path}/clip.mp4")
    assert window.status_bar.message() == ""


def test_what_a_drop_leaves_out_is_named(window, tmp_path):
    urls = tuple(f"file://{tmp_path}/{name}" for name in ("labels.json", "clip.mp4"))
    assert drag(window, mime(urls=urls))
    assert "labels.json" in window.status_bar.message()


@pytest.mark.parametrize("data", [{}, {"text": ""}, {"text": "two\nlines"}, {"text": "x" * 5000}])
def test_a_drop_that_names_nothing_is_refused(window, data):
    assert not drag(window, mime(**data))
    assert window.session.source_text == "fake"
