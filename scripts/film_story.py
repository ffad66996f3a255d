"""Film the story of a video, as for the documents: scan, drag the confidence, compare two models.

    python scripts/film_story.py assets/story.webp

It needs no display. The demo is scanned anew, in a cache folder of its own; waiting is left out.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ImageQt
from PyQt6.QtCore import QObject, Qt, QTimer
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication
from screenshot import GIVEN, open_window

from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.scanning.lanes import Lanes

SIZE, WIDTH = "1280x800", 880
FPS, QUALITY = 5, 30
MODEL, OTHER = "face-ssd", "face-ssd@160"
MOST = 15
"""Number of images that are kept of a scan, however long it takes."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Part of the film."""

    is_over: Callable[[float], bool]
    """Given the time since it began, s."""
    most: int | None = None
    """Greatest number of images that are kept, evenly spread; None keeps all."""
    act: Callable[[float], None] = lambda _now_s: None
    """Called for each image with the time since the scene began, s."""


def stay(seconds: float, act: Callable[[float], None] = lambda _now_s: None) -> Scene:
    """Film for a time."""
    return Scene(lambda now_s: now_s >= seconds, act=act)


def until(is_true: Callable[[], bool], most: int = 0) -> Scene:
    """Film until something has happened; by default, cut that out."""
    return Scene(lambda _now_s: is_true(), most)


class Story:
    """Operates a window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._lanes: Lanes | None = None
        window.scanning.analysis.lanes_changed.connect(self._on_lanes_changed)

    def scenes(self) -> Iterator[Scene]:
        """Yield the scenes, and operate the window between them."""
        window = self._window
        yield until(self._has_detections)
        yield stay(1.5)
        yield from self._scan()
        yield stay(3.0, self._drag_confidence)
        yield stay(0.5)
        window.side_panel.open(Intent.SCORE)
        yield stay(2.0)
        window.bridge.playback.show(self._worst())
        yield stay(2.0)
        window.opener.compare_with(OTHER)
        yield until(lambda: window.compare.is_on)
        yield from self._scan()
        window.bridge.playback.show(self._worst())
        yield stay(3.0)

    def _scan(self) -> Iterator[Scene]:
        scan = self._window.scanning.scan
        yield until(lambda: scan.state.total is not None and not scan.is_complete)
        self._window.transport.scan.scan_asked.emit()
        before = scan.state.done
        yield until(lambda: scan.state.done > before or not scan.state.is_running)
        yield until(lambda: not scan.state.is_running, MOST)
        yield stay(1.5)

    def _drag_confidence(self, now_s: float) -> None:
        slider = self._window.side_panel.thresholds.confidence.slider
        slider.setValue(round(slider.maximum() * (0.99 - 0.35 * abs(now_s / 1.5 - 1))))

    def _has_detections(self) -> bool:
        result = self._window.view.result()
        return result is not None and len(result.detections) > 0

    def _worst(self) -> int:
        return next(iter(self._lanes.worst(1, 1)), 0) if self._lanes is not None else 0

    def _on_lanes_changed(self, lanes: Lanes | None) -> None:
        self._lanes = lanes


class Film(QObject):
    """Captures a window while a story goes on.

    Args:
        window: window to capture.
        done: called with the images at the end.
    """

    def __init__(self, window: MainWindow, done: Callable[[list[QImage]], None]) -> None:
        super().__init__()
        self._window, self._done = window, done
        self._scenes = Story(window).scenes()
        self._scene = next(self._scenes)
        self._ticks = 0
        self._images: list[QImage] = []
        self._taken: list[QImage] = []
        """Images of the present scene."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start(1000 // FPS)

    def _on_tick(self) -> None:
        now_s = self._ticks / FPS
        if self._scene.is_over(now_s):
            self._images += _spread(self._taken, self._scene.most)
            self._taken.clear()
            scene = next(self._scenes, None)
            if scene is None:
                self._timer.stop()
                self._done(self._images)
                return
            self._scene, self._ticks, now_s = scene, 0, 0.0
        self._scene.act(now_s)
        if self._scene.most != 0:
            image = self._window.grab().toImage()
            smooth = Qt.TransformationMode.SmoothTransformation
            self._taken.append(image.scaledToWidth(WIDTH, smooth))
        self._ticks += 1


def _spread(images: list[QImage], most: int | None) -> list[QImage]:
    """Return at most so many of the images, evenly spread."""
    if most is None or len(images) <= most:
        return images
    return [images[round(row)] for row in np.linspace(0, len(images) - 1, most)]


def main() -> int:
    """Read the arguments, play, and save the film."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path, help="a .webp or .gif file")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    given = parser.parse_args()
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder  # no scan of before
        return film(application, given)  # the window must go before the application does


def film(application: QApplication, given: argparse.Namespace) -> int:
    """Film the story in a window."""
    backend = BackendChoice("torch", "fp32")  # nothing is measured while the film runs
    options = ViewerOptions(source="demo", model=MODEL, backend=backend, given=GIVEN)
    window = open_window(application, options, SIZE, given.theme)

    def save(images: list[QImage]) -> None:
        window.close()
        first, *others = (ImageQt.fromqimage(image) for image in images)
        first.save(
            given.image,
            save_all=True,
            append_images=others,
            duration=1000 // FPS,
            loop=0,
            quality=QUALITY,
        )

    camera = Film(window, save)
    code = application.exec()
    camera.deleteLater()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
