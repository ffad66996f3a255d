"""Slim line with a sentence, what can be done as links, and a button that closes it."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtWidgets import QBoxLayout, QFrame, QProgressBar, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton, ToolButton
from kpviewer.gui.widgets.fitting import fit_to_contents
from kpviewer.gui.widgets.layouts import FILL, column_of, row_of
from kpviewer.gui.widgets.plain_text import Label, without_mnemonic

MARGIN_PX = 12
LEGEND_WH = (300, 36)
"""Room at the lower right of the parent, where legends are painted, px."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence, and links as (key, text) pairs."""

    text: str
    links: tuple[tuple[str, str], ...] = ()


class NoticeLine(QFrame):
    """Widget that shows a Notice; without one it is hidden."""

    pressed = pyqtSignal(str)
    """Emitted with the key of the link."""
    closed = pyqtSignal()
    """Emitted when the user closes the line."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("notice")
        self.setAccessibleName(tr("Message"))
        self._notice: Notice | None = None
        self._text = Label()
        self._links = row_of(gap=8)
        self.close_button = ToolButton("close", tr("Close"), tr("Close"))
        self.close_button.clicked.connect(self.closed)
        self._words = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._words.setSpacing(12)
        self._words.addWidget(self._text)
        self._words.addLayout(self._links)
        row = row_of(self._words, FILL, gap=12, margins=(12, 2, 4, 2))
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.bar = QProgressBar()
        """Progress of the work that the notice is about; hidden if it is about none."""
        self.bar.setTextVisible(False)
        self.bar.hide()
        column_of(row, self.bar, gap=0, into=self)
        self.hide()

    def notice(self) -> Notice | None:
        """Return the notice that is shown; None while hidden."""
        return None if self.isHidden() else self._notice

    def show_notice(self, notice: Notice | None) -> None:
        """Show a notice, or none."""
        if notice == self._notice:
            return
        before, self._notice = self._notice, notice
        if notice is not None:
            self._text.setText(notice.text)
            if before is None or before.links != notice.links:
                self._set_links(notice.links)
        self._show()

    def show_progress(self, done: int, total: int | None) -> None:
        """Show how much of some work is done; None of an unknown total moves without an end."""
        self.bar.setRange(0, total or 0)
        self.bar.setValue(done if total else 0)
        self.bar.show()

    def hide_progress(self) -> None:
        """Show no progress: there is no work, or it is over."""
        self.bar.hide()

    def links(self) -> list[PushButton]:
        """Return the buttons of the links, from left to right."""
        buttons = [self._links.itemAt(index) for index in range(self._links.count())]
        found = [item.widget() for item in buttons if item is not None]
        return [button for button in found if isinstance(button, PushButton)]

    def _show(self) -> None:
        self.setVisible(self._notice is not None)

    def _set_links(self, links: tuple[tuple[str, str], ...]) -> None:
        while (item := self._links.takeAt(0)) is not None:
            if (button := item.widget()) is not None:
                button.deleteLater()
        for key, text in links:
            button = PushButton(without_mnemonic(text))
            button.setProperty("kind", "link")
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _checked, key=key: self.pressed.emit(key))
            self._links.addWidget(button)
        self._links.addStretch(1)


class NoticeColumn(QWidget):
    """Lines below each other; it takes no room while all are hidden."""

    def __init__(self) -> None:
        super().__init__()
        self._column = column_of(gap=0, into=self)

    def add(self) -> NoticeLine:
        """Add a line and return it."""
        line = NoticeLine()
        self._column.addWidget(line)
        return line


class FloatingNotice(NoticeLine):
    """NoticeLine over the lower edge of a widget, as wide as its text."""

    def __init__(self, parent: QWidget, above: QWidget) -> None:
        super().__init__()
        self.setObjectName("chip")
        self.setParent(parent)
        self._above = above
        for widget in (parent, above):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the place when the widget or its neighbour changes."""
        kinds = (QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Move)
        if event is not None and event.type() in kinds:
            self.place()
        return super().eventFilter(watched, event)

    def place(self) -> None:
        """Fit to the text, at the parent's lower left; links are below it if room is short."""
        parent = self.parentWidget()
        if parent is None or self._notice is None:
            return
        margins = 12 + 4 + 2 * self._words.spacing() + self.close_button.sizeHint().width()
        room = parent.width() - 2 * MARGIN_PX - margins
        width = self._text.fontMetrics().horizontalAdvance(self._text.text()) + 2
        links = sum(button.sizeHint().width() + self._links.spacing() for button in self.links())
        is_wide = width + self._words.spacing() + links <= room
        kinds = QBoxLayout.Direction
        self._words.setDirection(kinds.LeftToRight if is_wide else kinds.TopToBottom)
        self._words.setSpacing(12 if is_wide else 0)
        self._text.setWordWrap(width > room)
        self._text.setFixedWidth(min(width, room))
        fit_to_contents(self)
        bottom = parent.height() - MARGIN_PX
        if not self._above.isHidden():
            bottom = self._above.y() - MARGIN_PX // 2
        if MARGIN_PX + self.width() > parent.width() - LEGEND_WH[0]:
            bottom = min(bottom, parent.height() - LEGEND_WH[1])
        self.move(MARGIN_PX, bottom - self.height())
        self.raise_()

    def _show(self) -> None:
        super()._show()
        self.place()
