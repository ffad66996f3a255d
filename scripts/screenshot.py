"""Take a picture of the window as it plays a source: how the pictures in the README are made.

    python scripts/screenshot.py demo assets/screenshot.png --size 1600x1000 --theme dark --at 12

Needs no display. Plays in real time, so the figures in the picture are those of this machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.theme import ThemeChoice, ThemeManager
from kpviewer.overlay import ensure_font


def main() -> int:
    """Read the arguments, play, grab, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--model", default="face-ssd")
    parser.add_argument("--size", default="1600x1000", metavar="WxH")
    parser.add_argument("--theme", choices=[choice.value for choice in ThemeChoice])
    parser.add_argument(
        "--at", type=float, default=12.0, metavar="S", help="seconds after the start"
    )
    given = parser.parse_args()
    width, height = (int(side) for side in given.size.split("x"))

    application = QApplication(sys.argv[:1])
    ensure_font()
    themes = ThemeManager(application, ThemeChoice(given.theme or "dark"))
    settled = frozenset({"model", "device", "theme"})
    options = ViewerOptions(source=given.source, model=given.model, given=settled)
    window = MainWindow(options, themes)
    window.view.appeared.connect(lambda: QTimer.singleShot(0, lambda: window.begin(options)))
    window.resize(width, height)
    window.show()

    def take() -> None:
        window.grab().save(str(given.picture))
        window.close()

    QTimer.singleShot(round(given.at * 1000), take)
    return application.exec()


if __name__ == "__main__":
    raise SystemExit(main())
