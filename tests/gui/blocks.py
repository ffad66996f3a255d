"""Operate the demo's window in a process of its own, and print how long its thread was blocked.

    PYTHONPATH=.:tests QT_QPA_PLATFORM=offscreen python tests/gui/blocks.py

It plays, seeks, swaps models, moves the confidence, changes the theme and scans. A line of JSON for
each step has the longest processor time, in ms, of the window's thread in one turn of the event
loop: what other threads or programs used isn't in it.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QCoreApplication, QTimer
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.app import LOADERS
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.runtime.choosing.choices import BackendChoice

PATIENCE_S = 120.0
IDLE_S = 0.001
FIXED = BackendChoice("openvino", "fp32")
"""A benchmark of backends would take half of the time, on a thread of its own."""
FRAMES = 10
"""Painted frames after each step."""


class Watchdog:
    """Runs the event loop turn by turn, and keeps the longest."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._painted = 0
        window.view.painted.connect(self._on_painted)

    def step(
        self, name: str, act: Callable[[], object], is_done: Callable[[], object] = lambda: True
    ) -> None:
        """Act in the event loop; wait until it is done and some frames more are painted."""
        QTimer.singleShot(0, act)
        longest_s = self._turn()
        end = time.monotonic() + PATIENCE_S
        target = None
        while target is None or self._painted < target:
            if time.monotonic() > end:
                raise TimeoutError(name)
            if target is None and is_done():
                target = self._painted + FRAMES
            longest_s = max(longest_s, self._turn())
            time.sleep(IDLE_S)
        sys.stdout.write(json.dumps({"step": name, "longest_ms": round(1e3 * longest_s, 1)}) + "\n")

    def _turn(self) -> float:
        """Handle the events that wait; return the thread's processor time, seconds."""
        began_s = time.thread_time()
        QCoreApplication.processEvents()
        return time.thread_time() - began_s

    def _on_painted(self) -> None:
        self._painted += 1


def main() -> None:
    """Operate the window."""
    application = QApplication(sys.argv[:1])
    themes = ThemeManager(application, ThemeChoice.DARK)
    with tempfile.TemporaryDirectory() as folder:
        options = ViewerOptions(source="demo", model="face-ssd", backend=FIXED, folder=Path(folder))
        window = MainWindow(options, themes, LOADERS)
        window.show()
        QCoreApplication.processEvents()  # the window itself is built and laid out before
        models, confidence = window.session.models, window.side_panel.thresholds

        def has_model() -> bool:
            result = window.view.result()
            return models.loading is None and result is not None and result.has_model

        watchdog = Watchdog(window)
        watchdog.step("begin", lambda: window.begin(options), has_model)
        for frame, model in ((60, "cards-ssd"), (300, "face-ssd"), (120, "cards-ssd")):
            watchdog.step("seek", lambda frame=frame: window.bridge.playback.seek(frame))
            watchdog.step("swap", lambda m=model: window.opener.choose_model(m), has_model)
        for score in (0.3, 0.6, 0.3, 0.6):
            watchdog.step("confidence", lambda score=score: confidence.choose_confidence(score))
        for choice in (ThemeChoice.LIGHT, ThemeChoice.DARK):
            watchdog.step("theme", lambda choice=choice: themes.set_choice(choice))
        watchdog.step("scan", lambda: window.actions_of_keys.run(Act.SCAN))
        window.close()


if __name__ == "__main__":
    main()
