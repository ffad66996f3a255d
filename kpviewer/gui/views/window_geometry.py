"""Geometry of the window and of its docked panels: read, and restored."""

from collections.abc import Iterable

from PyQt6.QtCore import QPoint, QRect, QSize, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QWidget

from kpviewer.config.settings import WindowSettings
from kpviewer.gui.views.panels.docks import DockArea

START_WH, LEAST_WH = (1360, 860), (760, 520)
TITLE_PX, GRIP_PX = 24, 100
"""Height of a title bar, and the part of it at either end that isn't enough to move a window."""


def geometry_of(window: QWidget, docks: DockArea) -> WindowSettings:
    """Return the geometry of a window; if it fills the screen, its geometry before that."""
    full = Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen
    is_full = bool(window.windowState() & full)
    size = window.normalGeometry().size() if is_full else window.size()
    corner = window.normalGeometry().topLeft() if is_full else window.pos()
    return WindowSettings(
        size.width(),
        size.height(),
        window.isMaximized(),
        left_px=corner.x(),
        top_px=corner.y(),
        docks=docks.state(),
    )


def restore_geometry(window: QWidget, docks: DockArea, kept: WindowSettings) -> None:
    """Restore the geometry of a window; values that are None are ignored.

    So is a corner from which no screen would show the title bar, by which the window is moved.
    """
    screen = QGuiApplication.primaryScreen()
    if kept.width_px is not None and kept.height_px is not None and screen is not None:
        size = QSize(kept.width_px, kept.height_px)
        window.resize(size.boundedTo(screen.availableSize()))
    if kept.left_px is not None and kept.top_px is not None:
        corner = QPoint(kept.left_px, kept.top_px)
        title = QRect(corner, QSize(window.width(), TITLE_PX)).adjusted(GRIP_PX, 0, -GRIP_PX, 0)
        screens = QGuiApplication.screens()
        if any(each.availableGeometry().intersects(title) for each in screens):
            window.move(corner)
    if kept.docks is not None:
        docks.restore(kept.docks)
    if kept.is_maximized:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def fitting_size(wanted_wh: tuple[int, int] = START_WH) -> QSize:
    """Return a size of a window in px, never larger than the screen."""
    size, screen = QSize(*wanted_wh), QGuiApplication.primaryScreen()
    frame_px = 40
    if screen is not None:
        size = size.boundedTo(screen.availableSize() - QSize(0, frame_px))
    return size


def set_fullscreen(window: QWidget, docks: DockArea, bars: Iterable[QWidget], wanted: bool) -> None:
    """Show the image alone on the whole screen, or return to the window."""
    if wanted != window.isFullScreen():
        state, full = window.windowState(), Qt.WindowState.WindowFullScreen
        window.setWindowState(state | full if wanted else state & ~full)
    for bar in bars:
        bar.setVisible(not wanted)
    docks.set_clean(is_clean=wanted)
