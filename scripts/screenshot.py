"""Take a screenshot of the window as it plays a source, as for the README.

    python scripts/screenshot.py demo assets/screenshot.png --size 1600x1000 --theme dark --at 28

It needs no display. It plays in real time, so the figures in the image are those of this machine.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before Qt is imported

from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QCursor
from PyQt6.QtWidgets import QApplication

from kpviewer.gui.grid.window import GridWindow
from kpviewer.gui.keys import Act
from kpviewer.gui.language import install_language, languages
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.overlay import ensure_font

Window = TypeVar("Window", MainWindow, GridWindow)

QUALITY = 45
"""Of WebP: text stays legible."""
GIVEN = frozenset({"model", "device", "theme"})
"""Options that the arguments set, regardless of remembered settings."""


def main() -> int:
    """Read the arguments, play, and save a screenshot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", nargs="+", help="several are shown in a grid")
    parser.add_argument("image", type=Path)
    parser.add_argument("--model", default="face-ssd")
    parser.add_argument("--compare", help="a second model")
    parser.add_argument("--size", default="1600x1000", metavar="WxH")
    parser.add_argument("--theme", default="dark", choices=[choice.value for choice in ThemeChoice])
    parser.add_argument("--language", default="en", choices=list(languages()))
    parser.add_argument("--open", choices=list(Intent), help="the one open section of the panel")
    parser.add_argument("--scan", action="store_true", help="scan all, from half of the time on")
    parser.add_argument("--frame", type=int, metavar="N", help="pause there, 3 s before the end")
    parser.add_argument(
        "--at", type=float, default=12.0, metavar="S", help="seconds after the start"
    )
    given = parser.parse_args()
    several = tuple(given.source) if len(given.source) > 1 else ()
    options = ViewerOptions(
        source=None if several else given.source[0],
        sources=several,
        model=given.model,
        compare=given.compare,
        given=GIVEN,
    )
    application = QApplication(sys.argv[:1])
    install_language(given.language)
    return play(application, options, given)  # the window must go before the application does


def play(application: QApplication, options: ViewerOptions, given: argparse.Namespace) -> int:
    """Play in a window until its screenshot is saved."""
    window = open_window(application, options, given.size, given.theme)
    if given.open is not None:
        for intent, section in window.side_panel.sections.items():
            section.set_open(is_open=intent == given.open)
    if given.scan:
        QTimer.singleShot(round(given.at * 500), lambda: window.actions_of_keys.run(Act.SCAN))
    if given.frame is not None:
        before_ms = round(given.at * 1000) - 3000
        QTimer.singleShot(before_ms, lambda: window.bridge.playback.show(given.frame))

    def take() -> None:
        quality = QUALITY if given.image.suffix == ".webp" else -1
        window.grab().save(str(given.image), quality=quality)
        window.close()

    QTimer.singleShot(round(given.at * 1000), take)
    return application.exec()


def open_window(
    application: QApplication, options: ViewerOptions, size: str, theme: str
) -> MainWindow | GridWindow:
    """Show a window that starts to play.

    Args:
        application: the application.
        options: source and models.
        size: size of the window, "WxH" in px.
        theme: system, dark or light.
    """
    width, height = (int(side) for side in size.split("x"))
    QCursor.setPos(width - 1, height - 1)  # else it points at the first button
    ensure_font()
    themes = ThemeManager(application, ThemeChoice(theme))
    if options.sources:
        grid = GridWindow(options, themes, LOADERS)
        return shown(grid, grid.begin, width, height)
    window = MainWindow(options, themes)
    return shown(window, lambda: window.begin(options), width, height)


def shown(window: Window, begin: Callable[[], None], width: int, height: int) -> Window:
    """Show a window of a size in px; it begins once it is on the screen."""
    window.view.appeared.connect(lambda: QTimer.singleShot(0, begin))
    window.resize(width, height)
    window.show()
    window.view.setFocus()
    return window


if __name__ == "__main__":
    raise SystemExit(main())
