"""The menu of models: titles, ticks, larger inputs and everyday objects."""

import threading
from dataclasses import replace

import pytest
from fakes import FAKE_SPEC, TIMEOUT_S
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction

from kpviewer.errors import WeightsError
from kpviewer.gui.controllers.everyday import EverydayObjects
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.model_names import title_of
from kpviewer.gui.widgets.notice_line import NoticeLine
from kpviewer.models.opening.weight_files import EVERYDAY_OBJECTS, Download, DownloadCancelled

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of plain widgets alone

LEFT = Qt.MouseButton.LeftButton
FACES = replace(FAKE_SPEC, name="face-ssd", input_hw=(256, 448), stride=32)


def entries(window: MainWindow) -> list[QAction]:
    menu = window.top_bar.model.menu()
    menu.aboutToShow.emit()
    return menu.actions()


def ticked(window: MainWindow) -> list[str]:
    return [each.text() for each in entries(window) if each.isChecked()]


def entry(window: MainWindow, begin: str) -> QAction:
    (found,) = [each for each in entries(window) if each.text().startswith(begin)]
    return found


@pytest.fixture
def window(qtbot, open_window, engine) -> MainWindow:
    engine.spec = FACES
    window = open_window(model="face-ssd")
    qtbot.waitUntil(lambda: window.session.engine is not None)
    return window


def test_the_present_model_is_ticked_and_has_words_for_a_name(qtbot, window):
    assert ticked(window) == ["Faces and landmarks\t1 class"]
    assert "Faces and landmarks" in window.top_bar.model.text()
    entry(window, "Faces, precise landmarks (slower)").trigger()
    assert window.session.models.loading == "two-stage:face-ssd+face-points"
    qtbot.waitUntil(lambda: window.session.models.loading is None)
    assert [each.partition("\t")[0] for each in ticked(window)] == [
        "Faces, precise landmarks (slower)"
    ]


def test_a_larger_input_is_a_switch(qtbot, window):
    switch = entry(window, "Larger input")
    assert switch.text().endswith("\t640 px")
    assert not switch.isChecked()
    switch.trigger()
    qtbot.waitUntil(lambda: window.session.models.loaded.model == "face-ssd@640")
    assert "Faces and landmarks · 640 px" in window.top_bar.model.text()
    assert entry(window, "Larger input").isChecked()
    assert len([each for each in ticked(window) if each.startswith("Faces and")]) == 2, (
        "the model, and its recent variant"
    )
    entry(window, "Larger input").trigger()
    qtbot.waitUntil(lambda: window.session.models.loaded.model == "face-ssd")


def test_titles_are_only_for_models_that_come_with_kpviewer():
    assert title_of("face-ssd@640") == "Faces and landmarks · 640 px"
    assert title_of("two-stage:face-ssd@640+face-points") == (
        "Faces, precise landmarks (slower) · 640 px"
    )
    assert title_of(EVERYDAY_OBJECTS.model) == "Everyday objects"
    assert title_of("/models/face-ssd.onnx") is None


def test_the_entry_says_size_and_licence_and_asks_for_the_download(
    qtbot, window, monkeypatch, tmp_path
):
    ran = []
    monkeypatch.setattr(Download, "run", lambda download: ran.append(download.file) or tmp_path)
    found = entry(window, "Everyday objects")
    assert found.text() == (
        "Everyday objects · 80 classes\t14 MB, downloaded once · BSD-3-Clause, COCO"
    )
    assert ran == [], "nothing is downloaded before the click"
    found.trigger()
    qtbot.waitUntil(lambda: window.session.models.loaded.model == EVERYDAY_OBJECTS.model)
    assert ran == [EVERYDAY_OBJECTS]
    assert ticked(window)[0].startswith("Everyday objects")


class Halting(Download):
    """Download that halts half way until it may go on, is cancelled or fails."""

    may_end = threading.Event()
    failure: Exception | None = None

    def run(self):
        self.done_bytes = self.file.size_bytes // 2
        assert self.may_end.wait(TIMEOUT_S)
        if self._is_cancelled:
            raise DownloadCancelled
        if self.failure is not None:
            raise self.failure
        return self.file.path

    def cancel(self) -> None:
        super().cancel()
        self.may_end.set()


@pytest.fixture
def halting(monkeypatch) -> type[Halting]:
    class Own(Halting):
        may_end = threading.Event()

    monkeypatch.setattr("kpviewer.gui.controllers.everyday.Download", Own)
    yield Own
    Own.may_end.set()


@pytest.fixture
def everyday(qtbot, halting):
    line, chosen = NoticeLine(), []
    qtbot.addWidget(line)
    everyday = EverydayObjects(line, chosen.append)
    everyday.chosen = chosen
    yield everyday
    everyday.close()


def words(everyday: EverydayObjects) -> str:
    notice = everyday.line.notice()
    return notice.text if notice is not None else ""


def test_a_download_shows_its_progress(qtbot, everyday, halting):
    everyday.choose()
    everyday.choose()  # a second click changes nothing
    expected = "Downloading everyday objects from download.pytorch.org · 7.0 of 14.1 MB"
    qtbot.waitUntil(lambda: words(everyday) == expected)
    assert everyday.line.bar.maximum() == EVERYDAY_OBJECTS.size_bytes
    halting.may_end.set()
    qtbot.waitUntil(lambda: everyday.chosen == [EVERYDAY_OBJECTS.model])
    assert words(everyday) == ""


def test_a_download_can_be_cancelled(qtbot, everyday):
    everyday.choose()
    qtbot.waitUntil(lambda: words(everyday) != "")
    qtbot.mouseClick(everyday.line.links()[0], LEFT)
    qtbot.waitUntil(lambda: words(everyday) == "")
    assert everyday.chosen == []


def test_a_download_that_fails_says_what_to_do_and_can_be_tried_again(qtbot, everyday, halting):
    halting.failure = WeightsError("No connection. Fetch it elsewhere.")
    halting.may_end.set()
    everyday.choose()
    qtbot.waitUntil(lambda: words(everyday) == "No connection. Fetch it elsewhere.")
    halting.failure = None
    qtbot.mouseClick(everyday.line.links()[0], LEFT)
    qtbot.waitUntil(lambda: everyday.chosen == [EVERYDAY_OBJECTS.model])


def test_a_download_ends_with_the_window(qtbot, everyday, halting):
    everyday.choose()
    everyday.close()
    assert halting.may_end.is_set()
    assert everyday.chosen == []
