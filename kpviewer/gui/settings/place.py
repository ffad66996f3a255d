"""Where the window is on the screen, and where its panels are in it: kept, and restored."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QWidget

from kpviewer.config import WindowSettings
from kpviewer.gui.panels.docks import DockArea


def place_of(window: QWidget, docks: DockArea) -> WindowSettings:
    """Return the place of a window; of one that fills the screen, that from before."""
    full = Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen
    is_full = bool(window.windowState() & full)
    size = window.normalGeometry().size() if is_full else window.size()
    place = window.normalGeometry().topLeft() if is_full else window.pos()
    return WindowSettings(
        size.width(),
        size.height(),
        window.isMaximized(),
        left_px=place.x(),
        top_px=place.y(),
        docks=docks.state(),
    )


def restore_place(window: QWidget, docks: DockArea, wanted: WindowSettings) -> None:
    """Move a window to where it was; what is None, or on a screen that is gone, stays."""
    screen = QGuiApplication.primaryScreen()
    if wanted.width_px is not None and wanted.height_px is not None and screen is not None:
        size = QSize(wanted.width_px, wanted.height_px)
        window.resize(size.boundedTo(screen.availableSize()))
    if wanted.left_px is not None and wanted.top_px is not None:
        place = QRect(QPoint(wanted.left_px, wanted.top_px), window.size())
        screens = QGuiApplication.screens()
        if any(each.availableGeometry().intersects(place) for each in screens):
            window.move(place.topLeft())
    if wanted.docks is not None:
        docks.restore(wanted.docks)
    if wanted.is_maximized:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)
