"""The story of a video: scan it, drag the confidence, go to the worst frame, compare two models.

All is real but the screen: sources, models, child processes and files. The frames are the demo's.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from kpviewer.config import files as config_files
from kpviewer.gui.background import child_process
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.scanning.calculation import TwoScores
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.widgets.theme import ThemeManager
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.scanning.lanes import Lanes
from kpviewer.sources.opencv import cv2
from kpviewer.sources.synthetic.demo_scene import HEIGHT, WIDTH, ground_truth_at, render

FRAMES = (0, 40, 150, 200, 300, 360, 460, 560)
"""Frames of the demo, as images; two faces in the third and fourth, and the seventh."""
FACES = [1, 1, 2, 2, 1, 1, 2, 1]
MODEL, OTHER = "face-ssd@256", "face-ssd@96"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images with faces, and their boxes in a table beside them."""
    folder = tmp_path / "faces"
    folder.mkdir()
    rows = ["file,class,xmin,ymin,xmax,ymax"]
    for number, index in enumerate(FRAMES):
        image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        render(index, image)
        cv2.imwrite(str(folder / f"{number}.png"), image)
        rows += [
            f"{number}.png,face,{','.join(str(side) for side in box)}"
            for box in ground_truth_at(index).xyxy.tolist()
        ]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


class Story:
    """A window, and what its analysis said last."""

    def __init__(self, qtbot: QtBot, themes: ThemeManager, folder: Path) -> None:
        self._qtbot = qtbot
        options = ViewerOptions(
            source=str(folder),
            model=MODEL,
            device="cpu",
            backend=BackendChoice("onnxruntime", "fp32"),
        )
        self.window = MainWindow(options, themes)
        self.lanes: Lanes | None = None
        self.scores = TwoScores()
        analysis = self.window.scanning.analysis
        analysis.lanes_changed.connect(lambda lanes: setattr(self, "lanes", lanes))
        analysis.scores_changed.connect(lambda scores: setattr(self, "scores", scores))
        qtbot.addWidget(self.window)
        self.window.resize(1280, 800)
        with qtbot.waitActive(self.window):
            self.window.show()
        self.window.begin(options)

    def wait(self, is_true: Callable[[], object]) -> None:
        self._qtbot.waitUntil(lambda: bool(is_true()))

    @property
    def state(self):
        return self.window.scanning.scan.state

    @property
    def found(self) -> list[int]:
        return [] if self.lanes is None else self.lanes.found.tolist()

    def scan(self) -> None:
        """Press the key of the scan once it is possible, and wait for its end."""
        self.wait(lambda: self.state.total and not self.state.is_running)
        self._qtbot.keyClick(self.window, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
        assert self.state.is_running
        self.wait(lambda: not self.state.is_running)
        assert self.state.failure is None
        assert self.state.is_complete


@pytest.fixture
def open_story(qtbot, themes, folder, tmp_path, monkeypatch) -> Iterator[Callable[[], Story]]:
    monkeypatch.setattr(config_files, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(child_process, "NICER", 0)  # other tests would starve the scan
    stories: list[Story] = []

    def open_it() -> Story:
        stories.append(Story(qtbot, themes, folder))
        return stories[-1]

    yield open_it
    for story in stories:
        story.window.close()


@pytest.mark.timeout(900)  # two children load a model, and the window three
def test_a_video_is_scanned_scored_and_compared(open_story):
    story = open_story()
    window = story.window
    window.side_panel.open(Intent.SCORE)
    story.scan()
    story.wait(lambda: story.found == FACES)
    story.wait(lambda: story.scores.first and story.scores.first.scored == len(FRAMES))
    assert story.scores.first.summary.false_negatives == 0
    assert story.lanes.has_errors
    summary = window.side_panel.score.summary
    story.wait(lambda: "Scored all 8 frames" in summary.text())
    cells = len(summary.table.text().split("|"))

    window.side_panel.thresholds.choose_confidence(1.0)
    story.wait(lambda: story.found == [0] * len(FRAMES))
    story.wait(lambda: story.scores.first.summary.false_negatives == sum(FACES))
    window.side_panel.thresholds.choose_confidence(0.5)
    story.wait(lambda: story.found == FACES)

    worst = story.lanes.worst(1, 1)[0]
    window.transport.sought.emit(worst)
    story.wait(lambda: window.view.result() and window.view.result().frame.index == worst)

    window.opener.compare_with(OTHER)
    story.wait(lambda: window.compare.is_on)
    story.wait(lambda: story.state.total == 2 * len(FRAMES) and not story.state.is_complete)
    story.scan()
    story.wait(lambda: story.scores.second and story.scores.second.scored == len(FRAMES))
    assert story.scores.first.scored == len(FRAMES)
    assert story.scores.second.precision.ap50 > 0.5
    story.wait(lambda: story.lanes.has_differences and (story.lanes.disagreements >= 0).all())
    story.wait(lambda: len(summary.table.text().split("|")) == 2 * cells)
    window.close()

    again = open_story()
    again.wait(lambda: again.found == FACES)
    again.wait(lambda: again.scores.first and again.scores.first.scored == len(FRAMES))
    assert again.state.is_complete
