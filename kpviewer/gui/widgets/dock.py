"""Dock of a panel: a title bar to move it is shown while panels are movable."""

from PyQt6.QtCore import QSize, pyqtSignal
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QDockWidget, QFrame, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.layouts import row_of
from kpviewer.gui.widgets.plain_text import Label

BAR_PX = 32
_Feature = QDockWidget.DockWidgetFeature


class Dock(QDockWidget):
    """Dock widget of one panel."""

    closed = pyqtSignal()
    """Emitted when the user closes the panel."""

    def __init__(self, name: str, title: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self.setObjectName(f"dock-{name}")
        self.setAccessibleName(title)
        self._is_movable = False
        self.bar = TitleBar(title)
        self.bar.float_button.clicked.connect(lambda: self.setFloating(not self.isFloating()))
        self.bar.close_button.clicked.connect(self._on_close_clicked)
        self.setTitleBarWidget(self.bar)
        self.topLevelChanged.connect(lambda _floats: self._show_bar())
        self.set_movable(movable=False)

    def set_movable(self, *, movable: bool) -> None:
        """Set whether the panel can be dragged and floated; a floating one always can."""
        self._is_movable = movable
        self._show_bar()

    def preferred_width(self) -> int:
        """Return the preferred width, px; ``resizeDocks`` refuses 0, that of an empty panel."""
        return max(self.sizeHint().width(), 1)

    def preferred_height(self) -> int:
        """Return the preferred height, px."""
        return self.sizeHint().height()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Emit ``closed``."""
        super().closeEvent(event)
        self.closed.emit()

    def _on_close_clicked(self) -> None:
        self.close()

    def _show_bar(self) -> None:
        is_movable = self._is_movable or self.isFloating()
        moves = _Feature.DockWidgetMovable | _Feature.DockWidgetFloatable
        closes = _Feature.DockWidgetClosable
        self.setFeatures(closes | moves if is_movable else closes)
        self.bar.set_shown(shown=is_movable, floats=self.isFloating())


class TitleBar(QFrame):
    """Title bar with buttons to float and close; it has no height while hidden."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setObjectName("dockBar")
        self._height = BAR_PX
        self.setToolTip(tr("Drag to move the panel; double-click to float it"))
        self.float_button = ToolButton("float", "", "")
        self.close_button = ToolButton(
            "close", tr("Close {name}").format(name=title), tr("Close the panel")
        )
        label = Label(title, "heading")
        row_of(
            label,
            self.float_button,
            self.close_button,
            gap=4,
            margins=(12, 0, 4, 0),
            grows=label,
            into=self,
        )

    def set_shown(self, *, shown: bool, floats: bool) -> None:
        """Show or hide the bar."""
        self._height = BAR_PX if shown else 0
        self.setFixedHeight(self._height)
        self.setEnabled(shown)  # else Tab would reach hidden buttons
        name = tr("Dock") if floats else tr("Float")
        self.float_button.setAccessibleName(name)
        self.float_button.setToolTip(
            tr("Put the panel back into the window")
            if floats
            else tr("Make the panel a window of its own")
        )
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the height of the bar: Qt ignores the fixed height here."""
        return QSize(super().sizeHint().width(), self._height)

    def minimumSizeHint(self) -> QSize:
        """Return the same height; a hidden bar takes no room."""
        return QSize(super().minimumSizeHint().width() if self._height else 0, self._height)
