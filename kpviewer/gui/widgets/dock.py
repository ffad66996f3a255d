"""A panel that can be moved: by a bar at its top, which is there only while panels may move."""

from __future__ import annotations

from PyQt6.QtCore import QSize, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.plain_text import Label

BAR_PX = 32
_Feature = QDockWidget.DockWidgetFeature


class Dock(QDockWidget):
    """Holds one panel.

    Args:
        name: for the state that Qt saves.
        title: for people.
        panel: what it holds.
    """

    closed = pyqtSignal()
    """By the user, at the bar or by the window system."""

    def __init__(self, name: str, title: str, panel: QWidget) -> None:
        super().__init__(title)
        self.setObjectName(f"dock-{name}")
        self.setAccessibleName(title)
        self.setWidget(panel)
        self._is_movable = False
        self.bar = TitleBar(title)
        self.bar.float_button.clicked.connect(lambda: self.setFloating(not self.isFloating()))
        self.bar.close_button.clicked.connect(lambda: (self.close(), None)[1])
        self.setTitleBarWidget(self.bar)
        self.topLevelChanged.connect(lambda _floats: self._show_bar())
        self.set_movable(movable=False)

    def set_movable(self, *, movable: bool) -> None:
        """Let the panel be dragged and floated, or not; a floating one always can."""
        self._is_movable = movable
        self._show_bar()

    def usual_width(self) -> int:
        """Width in px that the panel would like."""
        return self.sizeHint().width()

    def usual_height(self) -> int:
        """Height in px that the panel would like."""
        return self.sizeHint().height()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Tell that the user closed it."""
        super().closeEvent(event)
        self.closed.emit()

    def _show_bar(self) -> None:
        is_movable = self._is_movable or self.isFloating()
        moves = _Feature.DockWidgetMovable | _Feature.DockWidgetFloatable
        closes = _Feature.DockWidgetClosable
        self.setFeatures(closes | moves if is_movable else closes)
        self.bar.set_shown(shown=is_movable, floats=self.isFloating())


class TitleBar(QFrame):
    """Name, and buttons to float and to close; no height while it is not shown."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setObjectName("dockBar")
        self._height = BAR_PX
        self.setToolTip(tr("Drag to move the panel; double-click to float it"))
        self.float_button = ToolButton("float", "", "")
        self.close_button = ToolButton(
            "close", tr("Close {name}").format(name=title), tr("Close the panel")
        )
        label = Label(title)
        label.setProperty("kind", "heading")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 4, 0)
        row.setSpacing(4)
        row.addWidget(label, 1)
        row.addWidget(self.float_button)
        row.addWidget(self.close_button)

    def set_shown(self, *, shown: bool, floats: bool) -> None:
        """Show the bar or fold it away."""
        self._height = BAR_PX if shown else 0
        self.setFixedHeight(self._height)
        self.setEnabled(shown)  # else Tab would reach what can't be seen
        name = tr("Dock") if floats else tr("Float")
        self.float_button.setAccessibleName(name)
        self.float_button.setToolTip(
            tr("Put the panel back into the window")
            if floats
            else tr("Make the panel a window of its own")
        )
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Qt asks for this alone, whatever the fixed height."""
        return QSize(super().sizeHint().width(), self._height)

    def minimumSizeHint(self) -> QSize:
        """As ``sizeHint``: a bar that is folded takes no room."""
        return QSize(super().minimumSizeHint().width() if self._height else 0, self._height)
