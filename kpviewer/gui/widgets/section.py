"""Section of a panel: a heading that folds what is below it, and hairlines between groups."""

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QEnterEvent
from PyQt6.QtWidgets import QFrame, QWidget

from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.icons import set_icon
from kpviewer.gui.widgets.layouts import FILL, column_of, row_of
from kpviewer.gui.widgets.plain_text import Label

_MARGIN, _GAP = 12, 12


class Heading(PushButton):
    """Button with a chevron, a title, and a summary at its right end."""

    def __init__(self, title: str, tip: str) -> None:
        super().__init__(title)
        self.setProperty("kind", "section")
        self.setCheckable(True)
        self.setAccessibleName(title)
        self.setToolTip(tip)
        self.summary = Label(kind="secondary")
        self.summary.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        row_of(FILL, self.summary, margins=(_MARGIN, 0, _MARGIN, 0), into=self)
        self.toggled.connect(lambda _is_on: self._show_chevron())
        self._show_chevron()

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw the chevron in the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self._show_chevron()

    def _show_chevron(self) -> None:
        set_icon(self, "chevron-down" if self.isChecked() else "chevron-right")


class Section(QWidget):
    """Widgets under a heading that shows and hides them."""

    toggled = pyqtSignal(bool)
    """Emitted when the user folds or opens the section, with whether it is open."""
    opened = pyqtSignal()
    """Emitted when the section opens, by the user or by itself."""
    entered = pyqtSignal()
    """Emitted when the pointer enters the section."""

    def __init__(self, title: str, tip: str, *, is_open: bool = True) -> None:
        super().__init__()
        self.heading = Heading(title, tip)
        self.heading.clicked.connect(self._on_heading_clicked)
        self._body = QWidget()
        self._column = column_of(gap=_GAP, margins=(_MARGIN, 4, _MARGIN, _MARGIN), into=self._body)
        column_of(self.heading, self._body, gap=0, into=self)
        self.set_open(is_open=is_open)

    @property
    def is_open(self) -> bool:
        """Whether the widgets are shown."""
        return self.heading.isChecked()

    def set_open(self, *, is_open: bool) -> None:
        """Show or hide the widgets, without emitting ``toggled``."""
        self.heading.setChecked(is_open)
        self._body.setVisible(is_open)
        if is_open:
            self.opened.emit()

    def set_summary(self, text: str) -> None:
        """Show a short text at the end of the heading."""
        if text != self.heading.summary.text():
            self.heading.summary.setText(text)

    def add(self, *widgets: QWidget, title: str = "") -> QWidget:
        """Add a group of widgets, below a title if it has one.

        Returns:
            The group, to hide or show it.
        """
        group = QWidget()
        self._column.addWidget(group)
        column = column_of(gap=8, into=group)
        if title:
            heading = Label(title, "heading")
            column.addWidget(heading)
        for widget in widgets:
            column.addWidget(widget)
        return group

    def enterEvent(self, event: QEnterEvent | None) -> None:
        """Emit ``entered``."""
        super().enterEvent(event)
        self.entered.emit()

    def _on_heading_clicked(self, is_open: bool) -> None:
        self.set_open(is_open=is_open)
        self.toggled.emit(is_open)


def rule() -> QFrame:
    """Return a hairline to separate groups."""
    line = QFrame()
    line.setObjectName("rule")
    return line
