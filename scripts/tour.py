"""Record a tour of the window as an animation, as for the README.

    python scripts/tour.py assets/tour.webp

It needs no display. It plays the demo in real time, and waits for the model before it starts.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import ImageQt
from PyQt6.QtCore import QObject, Qt, QTimer
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication
from screenshot import GIVEN, open_window

from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.panels.side_panel import Intent

SIZE, WIDTH = "1280x800", 960
FPS, SECONDS = 5, 16.0
QUALITY = 35


class Tour(QObject):
    """Operates the controls of a window on a schedule, and captures it.

    Args:
        window: window that plays.
        done: function that is called with the images at the end of the tour.
    """

    def __init__(self, window: MainWindow, done: Callable[[list[QImage]], None]) -> None:
        super().__init__()
        self._window, self._done = window, done
        self._images: list[QImage] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(1000 // FPS)

    def _tick(self) -> None:
        result = self._window.view.result()
        if not self._images and (result is None or not len(result.detections)):
            return
        now_s = len(self._images) / FPS
        self._act(now_s)
        image = self._window.grab().toImage()
        self._images.append(image.scaledToWidth(WIDTH, Qt.TransformationMode.SmoothTransformation))
        if now_s >= SECONDS:
            self._timer.stop()
            self._done(self._images)

    def _act(self, now_s: float) -> None:
        panel = self._window.side_panel
        slider = panel.thresholds.confidence.slider()
        if 1.5 <= now_s < 3.5:  # drag the confidence up until the boxes disappear, and back
            share = 1 - abs(now_s - 2.5)
            slider.setValue(round(slider.maximum() * (0.55 + 0.43 * share)))
        steps: tuple[tuple[float, Callable[[], object]], ...] = (
            (4.0, lambda: panel.open(Intent.SCORE)),
            (7.0, panel.curves.use_best.click),
            (8.5, lambda: panel.open(Intent.ACT)),
            (9.0, panel.display.switch("tracks").click),
            (11.0, panel.display.switch("anonymise").click),
            (13.5, panel.display.switch("anonymise").click),
            (14.0, lambda: panel.open(Intent.FIND)),
        )
        for at_s, act in steps:
            if at_s <= now_s < at_s + 1 / FPS:
                act()


def main() -> int:
    """Read the arguments, play, and save the animation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path, help="a .webp or .gif file")
    parser.add_argument("--theme", default="dark", choices=("dark", "light"))
    given = parser.parse_args()
    application = QApplication(sys.argv[:1])
    return record(application, given)  # the window must go before the application does


def record(application: QApplication, given: argparse.Namespace) -> int:
    """Record the tour in a window."""
    options = ViewerOptions(source="demo", given=GIVEN)
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

    tour = Tour(window, save)
    code = application.exec()
    tour.deleteLater()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
