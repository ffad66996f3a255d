"""Icons in the colours of the palette: one set for both themes and every screen.

They are drawn here: an icon font would cost megabytes and half a second of imports.
"""

from PyQt6.QtCore import QByteArray, QRectF, QSize, Qt
from PyQt6.QtGui import QGuiApplication, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QAbstractButton, QApplication

STROKE = 1.75
"""Width of the strokes, on a grid of 24 by 24."""
SHAPES: dict[str, str] = {
    "arrow-left": "S M19 12 h-13 M11.5 6.5 l-5.5 5.5 l5.5 5.5",
    "arrow-right": "S M5 12 h13 M12.5 6.5 l5.5 5.5 l-5.5 5.5",
    "arrow-up": "S M12 19 v-13 M6.5 11.5 l5.5 -5.5 l5.5 5.5",
    "camera": "S M3 7.5 h11 a2 2 0 0 1 2 2 v5 a2 2 0 0 1 -2 2 h-11 z M16 11 l5 -3 v8 l-5 -3",
    "chevron-down": "S M6.5 10 l5.5 5.5 l5.5 -5.5",
    "chevron-right": "S M10 6.5 l5.5 5.5 l-5.5 5.5",
    "chevron-up": "S M6.5 14 l5.5 -5.5 l5.5 5.5",
    "close": "S M6 6 l12 12 M18 6 l-12 12",
    "details": "S M4 6.5 h16 M4 12 h16 M4 17.5 h16 M10 6.5 v11",
    "device": "S M6.5 6.5 h11 v11 h-11 z M10 3.5 v3 M14 3.5 v3 M10 17.5 v3 M14 17.5 v3 M3.5 10 h3 "
    "M3.5 14 h3 M17.5 10 h3 M17.5 14 h3",
    "document": "S M6 3.5 h8 l4 4 v13 h-12 z M14 3.5 v4 h4",
    "demo": "S M12 3.5 l2.2 6.3 l6.3 2.2 l-6.3 2.2 l-2.2 6.3 l-2.2 -6.3 l-6.3 -2.2 l6.3 -2.2 z",
    "export": "S M12 3.5 v11.5 M7.5 10.5 l4.5 4.5 l4.5 -4.5 M4 16 v4 h16 v-4",
    "file": "S M4 5 h16 v14 h-16 z M8 5 v14 M16 5 v14 M4 9.7 h4 M4 14.3 h4 M16 9.7 h4 M16 14.3 h4",
    "float": "S M4 9.5 h10.5 v10.5 h-10.5 z M9 6.5 v-2.5 h11 v11 h-2.5",
    "folder": "S M3.5 18.5 v-12 h6 l2 2.5 h9 v9.5 z",
    "fullscreen": "S M4 9 v-5 h5 M15 4 h5 v5 M20 15 v5 h-5 M9 20 h-5 v-5",
    "grid": "S M4 4.5 h7 v6.5 h-7 z M13.5 4.5 h6.5 v6.5 h-6.5 z M4 13.5 h7 v6 h-7 z "
    "M13.5 13.5 h6.5 v6 h-6.5 z",
    "home": "S M4 11.5 l8 -7 l8 7 M6.5 10 v9.5 h11 v-9.5",
    "keys": "S M3 6.5 h18 v11 h-18 z M6.5 10 h.01 M10 10 h.01 M14 10 h.01 M17.5 10 h.01 M8 14 h8",
    "list": "S M4 6.5 h16 M4 12 h16 M4 17.5 h16",
    "loop": "S M4 11 v-1 a3 3 0 0 1 3 -3 h12 M16 4 l3 3 l-3 3 M20 13 v1 a3 3 0 0 1 -3 3 h-12 "
    "M8 20 l-3 -3 l3 -3",
    "labels": "S M3.5 12 l8.5 -8.5 h8.5 v8.5 l-8.5 8.5 z M16 7.2 v1.6",
    "model": "S M12 3.5 l8 4.3 v8.4 l-8 4.3 l-8 -4.3 v-8.4 z M4 7.8 l8 4.4 l8 -4.4 M12 12.2 v8.3",
    "new-folder": "S M3.5 18.5 v-12 h6 l2 2.5 h9 v9.5 z M12 11.5 v5 M9.5 14 h5",
    "panel": "S M3.5 5 h17 v14 h-17 z M15 5 v14",
    "more": "F M5 10 a2 2 0 1 0 0.01 0 z M12 10 a2 2 0 1 0 0.01 0 z M19 10 a2 2 0 1 0 0.01 0 z",
    "paste": "S M8 5 h-2.5 v15 h13 v-15 h-2.5 M8.5 3.5 h7 v3.5 h-7 z M8.5 11.5 h7 M8.5 15.5 h5",
    "pause": "F M7 5 h3.5 v14 h-3.5 z M13.5 5 h3.5 v14 h-3.5 z",
    "play": "F M7 4.5 l12.5 7.5 l-12.5 7.5 z",
    "question": "S M12 3.5 a8.5 8.5 0 1 0 0.01 0 z M9.5 9.5 a2.5 2.5 0 1 1 3.5 2.3 "
    "q-1 0.6 -1 1.7 M12 16.5 h.01",
    "record": "F M12 6 a6 6 0 1 0 0.01 0 z",
    "rotate": "S M18.6 9.5 a7.2 7.2 0 1 0 0.4 4.5 M19.5 4.5 v5.2 h-5.2",
    "settings": "S M3.5 7 h9 M17.5 7 h3 M12.5 7 a2.5 2.5 0 1 0 5 0 a2.5 2.5 0 1 0 -5 0 "
    "M3.5 17 h3 M11.5 17 h9 M6.5 17 a2.5 2.5 0 1 0 5 0 a2.5 2.5 0 1 0 -5 0",
    "snapshot": "S M3.5 8 h4 l1.5 -2.5 h6 l1.5 2.5 h4 v11 h-17 z M12 10 a3.2 3.2 0 1 0 0.01 0 z",
    "start": "F M18.5 5 l-10.5 7 l10.5 7 z M5 5 h2 v14 h-2 z",
    "step-back": "F M14.5 6 l-9 6 l9 6 z M17 6 h2 v12 h-2 z",
    "step-forward": "F M9.5 6 l9 6 l-9 6 z M5 6 h2 v12 h-2 z",
    "stop": "F M6.5 6.5 h11 v11 h-11 z",
    "warning": "S M12 4 l9 15.5 h-18 z M12 10 v4.5 M12 17 h.01",
}


SIZE = QSize(18, 18)


def icon(name: str) -> QIcon:
    """Return an icon in the text colour; grey while disabled."""
    palette = QApplication.palette()
    text = palette.color(QPalette.ColorRole.WindowText).name()
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
