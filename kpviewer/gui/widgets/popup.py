"""Panel that opens below a button, and closes by Esc or a click elsewhere."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPoint, Qt
from PyQt6.QtWidgets import QFrame, QWidget

from kpviewer.gui.widgets.layouts import column_of

_GAP_PX = 4


class Popup(QFrame):
    """Window without a frame around one widget."""

    def __init__(self, content: QWidget, width_px: int, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        column_of(content, margins=12, into=self)
        self.setFixedWidth(width_px)

    def open_below(self, button: QWidget) -> None:
        """Show the window below a button, its right edge at the button's, inside the screen."""
        self._fit()
        corner = button.mapToGlobal(QPoint(button.width(), button.height() + _GAP_PX))
        left, top = corner.x() - self.width(), corner.y()
        screen = button.screen()
        if screen is not None:
            room = screen.availableGeometry()
            left = max(min(left, room.right() - self.width()), room.left())
            top = max(min(top, room.bottom() - self.height()), room.top())
        self.move(left, top)
        self.show()

    def event(self, event: QEvent | None) -> bool:
        """Fit the height when the contents change."""
        is_handled = super().event(event)
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return is_handled

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.activate()
            height = layout.totalHeightForWidth(self.width())
            self.resize(self.width(), max(height, layout.totalSizeHint().height()))
