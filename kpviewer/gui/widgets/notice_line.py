"""Slim line with a sentence, what can be done as links, and a button that closes it."""

from dataclasses import dataclass

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QProgressBar, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton, ToolButton
from kpviewer.gui.widgets.card_layout import OverlayCard
from kpviewer.gui.widgets.layouts import FILL, column_of, row_of
from kpviewer.gui.widgets.plain_text import Label, without_mnemonic

_GAP_PX, _SIDES_PX = 12, (12, 4)


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence, links as (key, text) pairs, and the progress of work it is about."""

    text: str
    links: tuple[tuple[str, str], ...] = ()
    progress: tuple[int, int | None] | None = None
    """How much is done, of which total; an unknown total moves without an end. None: no work."""


class NoticeLine(OverlayCard):
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
        self._words.setSpacing(_GAP_PX)
        self._words.addWidget(self._text)
        self._words.addLayout(self._links)
        left, right = _SIDES_PX
        row = row_of(self._words, FILL, gap=_GAP_PX, margins=(left, 2, right, 2))
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
            self.bar.setVisible(notice.progress is not None)
            if notice.progress is not None:
                done, total = notice.progress
                self.bar.setRange(0, total or 0)
                self.bar.setValue(done if total else 0)
        self.setVisible(notice is not None)
        self.changed.emit()

    def fit_words(self, width: int) -> None:
        """Fit text and links into a line of so many px; links are below the text if it is short."""
        most = width - sum(_SIDES_PX) - 2 * _GAP_PX - self.close_button.sizeHint().width()
        wanted = self._text.fontMetrics().horizontalAdvance(self._text.text()) + 2
        links = sum(button.sizeHint().width() + self._links.spacing() for button in self.links())
        is_wide = wanted + _GAP_PX + links <= most
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._words.setDirection(across if is_wide else down)
        self._words.setSpacing(_GAP_PX if is_wide else 0)
        self._links.setDirection(across if links <= most else down)
        self._text.setWordWrap(wanted > most)
        self._text.setFixedWidth(max(min(wanted, most), 1))

    def links(self) -> list[PushButton]:
        """Return the buttons of the links, from left to right."""
        buttons = [self._links.itemAt(index) for index in range(self._links.count())]
        found = [item.widget() for item in buttons if item is not None]
        return [button for button in found if isinstance(button, PushButton)]

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
            button.show()  # else it takes no room until the next turn of the event loop
        self._links.addStretch(1)


class NoticeColumn(QWidget):
    """Lines below each other; it takes no room while all are hidden."""

    def __init__(self) -> None:
        super().__init__()
        self._column = column_of(gap=0, into=self)
        self._lines: list[NoticeLine] = []

    def add(self) -> NoticeLine:
        """Add a line and return it."""
        line = NoticeLine()
        self._column.addWidget(line)
        self._lines.append(line)
        line.changed.connect(lambda: line.fit_words(self.width()))
        return line

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the lines into another width."""
        super().resizeEvent(event)
        for line in self._lines:
            line.fit_words(self.width())


class FloatingNotice(NoticeLine):
    """NoticeLine over a view, as wide as its text."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__()
        self.setObjectName("chip")
        self.setParent(parent)

    def fit(self, room: QSize, *, is_small: bool) -> None:
        """Take the size of the words in a room."""
        self.fit_words(room.width())
        super().fit(room, is_small=is_small)
