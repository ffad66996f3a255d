"""A password in an address appears in nothing that kpviewer shows or writes."""

import logging
from pathlib import Path

import numpy as np
import pytest
from cli.test_process import BoxEngine
from PyQt6.QtCore import QObject
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QWidget
from sources.servers import mjpeg, serving

from kpviewer.cli.process import process_sources
from kpviewer.gui.keys import Act
from kpviewer.gui.opening.source_opening import open_source
from kpviewer.processing.options import ProcessOptions

SECRET = "Zq7Geheim"
FORMS = {
    "user": "http://admin:{s}@127.0.0.1:{port}/live",
    "user with signs": "http://admin:a@{s}@127.0.0.1:{port}/live",
    "parameter": "http://127.0.0.1:{port}/live?size=3&auth={s}",
    "path": "http://127.0.0.1:{port}/user=admin_password={s}_channel=1.sdp",
    "folder": "http://127.0.0.1:{port}/live/{s}/video.mjpg",
    "fragment": "http://127.0.0.1:{port}/live#{s}",
}
"""Addresses that a camera answers; ``sources/test_redact.py`` has many more."""

IMAGE = np.full((48, 64, 3), 90, np.uint8)


def hidden_in(folder: Path) -> dict[str, str]:
    """Return the files whose name or content holds the secret."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: "" for path in files
            if SECRET in path.name or SECRET.encode() in path.read_bytes()}  # fmt: skip


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_no_file_and_no_line_of_process_holds_a_secret(form, tmp_path, capfd):
    options = ProcessOptions(tmp_path, ("video", "jsonl", "csv", "coco", "voc"), seconds=0.05)
    with serving(mjpeg([IMAGE] * 5000)) as port:
        code = process_sources([form.format(s=SECRET, port=port)], options, engine=BoxEngine())
    said = capfd.readouterr()
    assert code == 0, said.err
    suffixes = {path.suffix for path in tmp_path.rglob("*")}
    assert suffixes >= {".mp4", ".jsonl", ".csv", ".json", ".xml"}
    assert hidden_in(tmp_path) == {}
    assert SECRET not in said.out + said.err
    assert "127.0.0.1" in said.out


def texts_of(objects: list[QObject]) -> dict[str, str]:
    """Collect every text property of widgets and actions."""
    names: dict[type, list[str]] = {}  # to read all 60 properties of each takes seconds
    found = {}
    for number, each in enumerate(objects):
        meta = each.metaObject()
        assert meta is not None
        if type(each) not in names:
            each_property = map(meta.property, range(meta.propertyCount()))
            names[type(each)] = [
                one.name() for one in each_property if one.typeName() in ("QString", "QVariant")
            ]
        for name in names[type(each)]:
            value = each.property(name)
            if isinstance(value, str):
                found[f"{type(each).__name__} {number}.{name}"] = value
    return found


@pytest.mark.parametrize("form", [FORMS["path"], FORMS["user with signs"]], ids=["path", "user"])
def test_nothing_in_the_window_or_beside_it_holds_a_secret(
    form, qtbot, open_window, tmp_path, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    settings = tmp_path / "config"
    with serving(mjpeg([IMAGE] * 5000)) as port:
        address = form.format(s=SECRET, port=port)
        window = open_window(named=address, open_source=open_source, settings_folder=settings)
        qtbot.waitUntil(lambda: window.view.result() is not None)
        qtbot.waitUntil(lambda: window.session.engine is not None)
        shown = texts_of([*window.findChildren(QWidget), *window.findChildren(QAction), window])
        assert [name for name, text in shown.items() if SECRET in text] == []
        assert "127.0.0.1" in window.windowTitle()
        window.actions_of_keys.run(Act.SNAPSHOT)
        qtbot.waitUntil(lambda: any(tmp_path.glob("*.json")))
        window.memory.save_profile("mine")
        window.opener.choose_source(address.replace(str(port), "9"))  # nobody listens there
        qtbot.waitUntil(lambda: "127.0.0.1" in window.status_bar.message())
        shown = texts_of([*window.findChildren(QWidget), window])
        assert [name for name, text in shown.items() if SECRET in text] == []
        window.session.close_source()  # with nothing to continue, the error has a card
        window.opener.choose_source(address.replace(str(port), "9"))
        qtbot.waitUntil(lambda: window.session.failure is not None)
        shown = texts_of([*window.findChildren(QWidget), window]) | {
            "failure": str(window.session.failure),
            "card": repr(window.view.card.card()),
        }
        assert [name for name, text in shown.items() if SECRET in text] == []
        window.close()
    assert hidden_in(tmp_path) == {}
    said = capfd.readouterr()
    assert SECRET not in caplog.text + said.out + said.err
