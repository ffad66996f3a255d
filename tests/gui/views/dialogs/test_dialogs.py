"""Dialogs begin where the last file of their kind was."""

from pathlib import Path

import pytest
from PyQt6.QtWidgets import QFileDialog

from kpviewer.gui.keys import Act
from kpviewer.gui.settings.recent import Recent
from kpviewer.gui.views.dialogs.questions import last_folder


@pytest.mark.parametrize(
    ("items", "folder"),
    [
        ((), None),
        (("rtsp://cam/1", "/data/clips/a.mp4", "/other/b.mp4"), "/data/clips"),
        (("/data/frames/*.png",), "/data/frames"),
        (("demo", "torchvision:ssd300_vgg16"), None),
    ],
)
def test_last_folder_is_of_the_newest_file(items, folder):
    assert last_folder(Recent(items, lambda: None)) == (folder or str(Path.home()))


@pytest.mark.parametrize(
    ("act", "asks"), [(Act.OPEN_FILE, "getOpenFileNames"), (Act.OPEN_MODEL, "getOpenFileName")]
)
def test_kinds_of_files_are_listed_without_their_many_suffixes(open_window, monkeypatch, act, asks):
    window, begun = open_window(), []

    def ask(_parent, _title, _folder, kinds, _chosen="", options=None):
        begun.append((kinds.partition(" (")[0], options))
        return ([] if act is Act.OPEN_FILE else "", "")

    monkeypatch.setattr(QFileDialog, asks, ask)
    window.actions_of_keys.run(act)
    name = "Videos and images" if act is Act.OPEN_FILE else "Models"
    assert begun == [(name, QFileDialog.Option.HideNameFilterDetails)]


@pytest.mark.parametrize(
    ("act", "asks"),
    [(Act.OPEN_FILE, "getOpenFileNames"), (Act.OPEN_FOLDER, "getExistingDirectory")],
)
def test_next_dialog_opens_in_the_folder_of_the_last_source(
    qtbot, open_window, tmp_path, monkeypatch, act, asks
):
    window = open_window(named=str(tmp_path / "clips" / "a.mp4"))
    qtbot.waitUntil(lambda: window.memory.recent_sources().items != ())
    begun = []

    def ask(_parent, _title, folder, *_rest):
        begun.append(folder)
        return ([], "") if asks == "getOpenFileNames" else ""

    monkeypatch.setattr(QFileDialog, asks, ask)
    window.actions_of_keys.run(act)
    assert begun == [str(tmp_path / "clips")]
