"""Window over a fake source and a fake engine, operated as a user does."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeEngine, FakeSource, FakeTimings
from PyQt6.QtCore import QTranslator
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kpviewer.gui.app import LOADERS
from kpviewer.gui.language import install_language, remove_language
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.structures import Candidates, ImageArray


class ViewerFakeEngine(FakeEngine):
    """Engine that detects two things in every image, of confidence 0.9 and 0.4 and IoU 1/7."""

    device_name = "CPU"
    backend = "torch"
    precision = "fp32"

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        found, timings = super().infer(bgr)
        boxes = np.concatenate([found.xyxy, found.xyxy + np.float32(5)])
        scores = np.array([[0.9], [0.4]], np.float32)
        return Candidates(boxes, scores, np.zeros((2, 0, 2), np.float32)), timings


class PoseEngine(ViewerFakeEngine):
    """Engine whose two things have two keypoints each, of confidence 0.9 and 0.4."""

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        found, timings = super().infer(bgr)
        points = np.stack([found.xyxy[:, :2] + 2, found.xyxy[:, :2] + 8], 1)
        scores = np.array([[0.9, 0.4]] * 2, np.float32)
        return replace(found, keypoints_xy=points, keypoint_scores=scores), timings


def pose_engine() -> PoseEngine:
    """Return the engine, with a threshold of 0.6."""
    names = {"keypoint_names": ("nose", "chin"), "keypoint_threshold": 0.6}
    return PoseEngine(spec=replace(FAKE_SPEC, class_names=("thing",), **names))


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Wait as long as all tests do: five seconds, the default, are too few on a busy machine."""
    for wait in ("waitUntil", "waitSignal", "waitActive"):
        setattr(qtbot, wait, partial(getattr(qtbot, wait), timeout=round(TIMEOUT_S * 1000)))
    return qtbot


@pytest.fixture
def themes(qapp: QApplication) -> ThemeManager:
    return ThemeManager(qapp, ThemeChoice.DARK)


@pytest.fixture
def engine() -> ViewerFakeEngine:
    return ViewerFakeEngine(spec=replace(FAKE_SPEC, class_names=("thing",)))


@pytest.fixture
def chinese(qapp: QApplication) -> Iterator[tuple[QTranslator, ...]]:
    installed = install_language("zh_CN")
    yield installed
    remove_language(installed)


LOADER_NAMES = {each.name for each in fields(Loaders)}
OpenWindow = Callable[..., MainWindow]


@pytest.fixture
def open_window(
    qtbot: QtBot,
    themes: ThemeManager,
    engine: ViewerFakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[OpenWindow]:
    """Open windows on fake sources, with no settings of the user; they are closed at the end.

    A first frame waits for the model as long as tests do: on a busy machine, none plays before.
    """
    monkeypatch.setattr("kpviewer.gui.session.model_wait.PATIENCE_S", TIMEOUT_S)
    windows: list[MainWindow] = []

    def open_it(
        source: FakeSource | None = None, *, named: str | None = "fake", **changes: object
    ) -> MainWindow:
        source = source or FakeSource(300)
        options = ViewerOptions(
            source=named,
            model="fake",
            folder=tmp_path,
        )
        loaders = replace(
            LOADERS,
            open_source=lambda _text, _ground_truth: source,
            load_engine=lambda _name, _device, _size: engine,
            load_first=None,
            list_devices=lambda: {"cpu": "CPU", "cuda:0": "Fake GPU"},
        )
        ours = {name: changes.pop(name) for name in list(changes) if name in LOADER_NAMES}
        loaders = replace(loaders, **ours)  # type: ignore[arg-type]
        options = replace(options, **changes)  # type: ignore[arg-type]
        window = MainWindow(options, themes, loaders)
        windows.append(window)
        qtbot.addWidget(window)
        window.resize(1360, 860)
        with qtbot.waitActive(window):
            window.show()
        window.begin(options)
        return window

    yield open_it
    for window in windows:
        window.close()
