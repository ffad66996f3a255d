"""The panel on the right: thresholds, classes, error and display, in one column that scrolls."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from kpviewer.gui.class_list import ClassList
from kpviewer.gui.display_panel import DisplayPanel
from kpviewer.gui.error_panel import ErrorPanel
from kpviewer.gui.thresholds_panel import ThresholdsPanel

WIDTH = 296


class SidePanel(QScrollArea):
    """Holds the four sections."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sidePanel")
        self.setAccessibleName("Side panel")
        self.thresholds = ThresholdsPanel()
        self.classes = ClassList()
        self.error = ErrorPanel()
        self.display = DisplayPanel()
        self._no_classes = QLabel("The model's classes come here.")
        self._no_classes.setProperty("kind", "secondary")
        sections = QWidget()
        sections.setObjectName("sections")
        self._column = QVBoxLayout(sections)
        self._column.setContentsMargins(12, 12, 12, 12)
        self._column.setSpacing(8)
        self._add("Detect", self.thresholds)
        self._add("Classes", self.classes, self._no_classes)
        self._add("Error against truth", self.error)
        self._add("Display", self.display, last=True)
        self._column.addStretch(1)
        self.setWidget(sections)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def set_class_names(self, names: tuple[str, ...], shown: frozenset[int] | None) -> None:
        """List the classes of a model."""
        self.classes.set_classes(names, shown)
        self._no_classes.setVisible(not names)

    def _add(self, title: str, *widgets: QWidget, last: bool = False) -> None:
        heading = QLabel(title)
        heading.setProperty("kind", "heading")
        self._column.addWidget(heading)
        for widget in widgets:
            self._column.addWidget(widget)
        if not last:
            self._column.addSpacing(4)
            self._column.addWidget(rule())
            self._column.addSpacing(4)


def rule() -> QFrame:
    """A hairline between groups."""
    line = QFrame()
    line.setObjectName("rule")
    return line
