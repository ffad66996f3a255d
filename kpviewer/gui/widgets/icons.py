"""Icons in the colours of the palette: one set for both themes and every screen.

They are drawn here: an icon font would cost megabytes and half a second of imports.
"""

from __future__ import annotations

from PyQt6.QtCore import QByteArray, QRectF, QSize, Qt
from PyQt6.QtGui import QGuiApplication, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QAbstractButton, QApplication

from kpviewer.gui.widgets.icon_shapes import SHAPES, STROKE

SIZE = QSize(18, 18)


def icon(name: str, color: str | None = None) -> QIcon:
    """Return an icon in the text colour, or in ``color`` (#rrggbb); grey while disabled."""
    palette = QApplication.palette()
    text = color or palette.color(QPalette.ColorRole.WindowText).name()
    faint = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText).name()
    made = QIcon(_pixmap(name, text))
    made.addPixmap(_pixmap(name, faint), QIcon.Mode.Disabled)
    return made


def set_icon(button: QAbstractButton, name: str) -> None:
    """Set an icon of the usual size on a button."""
    button.setIcon(icon(name))
    button.setIconSize(SIZE)


def svg_of(name: str, color: str) -> str:
    """Return an icon as an SVG document."""
    kind, _, path = SHAPES[name].partition(" ")
    paint = (
        f'fill="{color}"'
        if kind == "F"
        else f'fill="none" stroke="{color}" stroke-width="{STROKE}" '
        'stroke-linecap="round" stroke-linejoin="round"'
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        f'<path d="{path}" {paint}/></svg>'
    )


def _pixmap(name: str, color: str) -> QPixmap:
    application = QGuiApplication.instance()
    ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    key = f"kpviewer {name} {color} {ratio}"
    known = QPixmapCache.find(key)
    if known is not None:
        return known
    pixmap = QPixmap(SIZE * ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer = QSvgRenderer(QByteArray(svg_of(name, color).encode()))
    renderer.render(painter, QRectF(pixmap.rect()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    QPixmapCache.insert(key, pixmap)
    return pixmap
