"""The icons: Phosphor through QtAwesome, coloured by the palette, so one set fits both themes."""

from __future__ import annotations

import os

from PyQt6.QtCore import QSize
from PyQt6.QtGui import QIcon, QPalette
from PyQt6.QtWidgets import QAbstractButton, QApplication

os.environ.setdefault("QT_API", "pyqt6")  # QtAwesome must not choose another binding
import qtawesome

SIZE = QSize(18, 18)

_NAMES = {
    "camera": "ph.video-camera",
    "close": "ph.x",
    "demo": "ph.sparkle",
    "file": "ph.film-strip",
    "folder": "ph.folder-open",
    "fullscreen": "ph.corners-out",
    "keys": "ph.keyboard",
    "loop": "ph.repeat",
    "model": "ph.cube",
    "open": "ph.folder-open",
    "panel": "ph.sliders-horizontal",
    "pause": "ph.pause-fill",
    "play": "ph.play-fill",
    "record": "ph.record-fill",
    "snapshot": "ph.camera",
    "start": "ph.skip-back-fill",
    "step-back": "ph.caret-left-bold",
    "step-forward": "ph.caret-right-bold",
    "stop": "ph.stop-fill",
    "stream": "ph.broadcast",
    "warning": "ph.warning-circle",
}


def icon(name: str, color: str | None = None) -> QIcon:
    """Give an icon in the text colour, or in ``color`` (#rrggbb); grey where it is disabled."""
    palette = QApplication.palette()
    text = color or palette.color(QPalette.ColorRole.WindowText).name()
    faint = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText).name()
    made: QIcon = qtawesome.icon(_NAMES[name], color=text, color_disabled=faint)
    return made


def set_icon(button: QAbstractButton, name: str, color: str | None = None) -> None:
    """Put an icon of the usual size on a button."""
    button.setIcon(icon(name, color))
    button.setIconSize(SIZE)
