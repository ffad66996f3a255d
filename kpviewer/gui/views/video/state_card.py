"""Card in the centre of the video, and chip at its lower left, for states and messages."""

from dataclasses import dataclass

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import QProgressBar, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.card_layout import OverlayCard
from kpviewer.gui.widgets.fitting import beginning_that_fits, set_property
from kpviewer.gui.widgets.layouts import column_of, row_of
from kpviewer.gui.widgets.plain_text import Label, one_line, plain_tip

_CHIP_SIDE_PX = 12
_STEPS = ((False, True, True), (True, True, True), (True, False, True), (True, False, False))
"""Ways to show a card, the roomiest first: whether it is small, has its text, has its buttons."""


@dataclass(frozen=True, slots=True)
class Card:
    """A sentence, what to do about it, and buttons as (key, text) pairs."""

    title: str
    text: str = ""
    buttons: tuple[tuple[str, str], ...] = ()


class StateCard(OverlayCard):
    """Widget that shows a Card."""

    pressed = pyqtSignal(str)
    """Emitted with the key of the button."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self._card: Card | None = None
        self._title = _label("title")
        self._text = _label("secondary")
        self._buttons = row_of(gap=8)
        parts = (self._title, self._text, self._buttons)
        self._column = column_of(*parts, gap=12, margins=24, into=self)
        self.hide()

    def card(self) -> Card | None:
        """Return the card that is shown; None while hidden."""
        return self._card

    def set_card(self, card: Card | None) -> None:
        """Show a card, or none."""
        if card == self._card:
            return
        same_buttons = card and self._card and card.buttons == self._card.buttons
        self._card = card
        self.setVisible(card is not None)
        if card is not None:
            self._text.setText(card.text)
            if not same_buttons:
                self._set_buttons(card.buttons)
        self.changed.emit()

    def fit(self, room: QSize, *, is_small: bool) -> None:
        """Take the size of the text.

        In a small view the text is smaller; if necessary, only the tooltip says what to do, and
        in a very small one there are no buttons.
        """
        if self._card is None:
            return
        title, text, height = self._card.title, self._card.text, 0
        self._title.setText(title)
        for is_smaller, shown, has_buttons in _STEPS:
            if is_small and not is_smaller:
                continue
            self._set_small(is_small=is_smaller)
            self._text.setVisible(shown and bool(text))
            self._show_buttons(are_shown=has_buttons)
            height = self._height_in(room.width())
            inside = self.width() - 2 * self._margin
            most = room.height() - 2 * self._margin
            if height <= most and self._buttons.minimumSize().width() <= inside:
                break
        else:
            metrics = self._title.fontMetrics()
            self._title.setText(
                beginning_that_fits(title, metrics, inside, most - 2 * self._margin)
            )
            height = self._height_in(room.width())
        is_whole = self._title.text() == title and not (text and self._text.isHidden())
        self.setToolTip("" if is_whole else plain_tip(f"{title}\n{text}"))
        self.setFixedHeight(height)

    @property
    def _margin(self) -> int:
        return self._column.contentsMargins().left()

    def _height_in(self, room: int) -> int:
        """Adopt the width that a room allows; return the height for it, px."""
        width = max(min(460, room - 32 * self._margin // 24), 96)
        self.setFixedWidth(width)
        self._column.activate()
        return self.heightForWidth(width)

    def _set_small(self, *, is_small: bool) -> None:
        margin = 6 if is_small else 24
        if margin != self._margin:
            self._column.setContentsMargins(margin, margin, margin, margin)
            self._column.setSpacing(max(margin // 2, 6))
            set_property(self._title, "kind", "" if is_small else "title")
            # Without a selection, a click reaches the parent.
            flags = Qt.TextInteractionFlag
            can_select = flags.NoTextInteraction if is_small else flags.TextSelectableByMouse
            for label in (self._title, self._text):
                label.setTextInteractionFlags(can_select)
            set_property(self._text, "kind", "small" if is_small else "secondary")

    def _show_buttons(self, *, are_shown: bool) -> None:
        for index in range(self._buttons.count()):
            item = self._buttons.itemAt(index)
            button = item.widget() if item is not None else None
            if button is not None:
                button.setVisible(are_shown)

    def _set_buttons(self, buttons: tuple[tuple[str, str], ...]) -> None:
        while (item := self._buttons.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self._buttons.addStretch(1)
        before = self.parentWidget()
        for index, (key, text) in enumerate(buttons):
            button = PushButton(text, primary=index == 0)
            button.setAccessibleName(text)
            button.clicked.connect(lambda _checked, key=key: self.pressed.emit(key))
            self._buttons.addWidget(button)
            self.setTabOrder(before, button)  # else they follow all that was made before
            before = button
        self._buttons.addStretch(1)


class Chip(OverlayCard):
    """Short line in a corner of the video; during work also a bar and a button to cancel."""

    cancelled = pyqtSignal()
    """Emitted when the user cancels the work, or closes the line."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self._text = ""
        self._label = Label()
        self._button = PushButton("")
        self._button.clicked.connect(self.cancelled)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)  # the duration is unknown
        self._bar.setTextVisible(False)
        row = row_of(self._label, self._button, gap=_CHIP_SIDE_PX)
        margins = (_CHIP_SIDE_PX, 5, _CHIP_SIDE_PX, 5)
        self._column = column_of(row, self._bar, gap=4, margins=margins, into=self)
        self._is_small = False
        self._show_button("", is_busy=False)
        self.hide()

    def text(self) -> str:
        """Return the line that is shown; empty while hidden."""
        return self._text

    def show_line(self, text: str, *, can_cancel: bool = False, can_close: bool = False) -> None:
        """Show a line, of work that can be cancelled or to be closed; an empty one hides it."""
        button = tr("Cancel") if can_cancel else tr("Close") if can_close else ""
        if (text, text and button) == (self._text, self._button_text):
            return
        self._text = text
        self._show_button(text and button, is_busy=can_cancel)
        self.setVisible(bool(text))
        self.changed.emit()

    def fit(self, room: QSize, *, is_small: bool) -> None:
        """Take the size of the text, wrapped if necessary.

        In a small view it is one line of small type, which hides little of the image.
        """
        self._set_small(is_small=is_small)
        button = 0 if self._button.isHidden() else self._button.sizeHint().width() + _CHIP_SIDE_PX
        metrics, most = self._label.fontMetrics(), room.width() - 2 * _CHIP_SIDE_PX - button
        if is_small:
            text = metrics.elidedText(one_line(self._text), Qt.TextElideMode.ElideRight, most)
        else:
            height = max(room.height() - 10, metrics.height())
            text = beginning_that_fits(self._text, metrics, max(most, 1), height)
        width = metrics.horizontalAdvance(text) + 2
        self._label.setWordWrap(width > most and not is_small)
        self._label.setFixedWidth(min(width, most))
        self._label.setText(text)
        super().fit(room, is_small=is_small)

    def _set_small(self, *, is_small: bool) -> None:
        if is_small is not self._is_small:
            self._is_small = is_small
            set_property(self, "extent", "small" if is_small else "")
            set_property(self._label, "kind", "small" if is_small else "")
            padding = 2 if is_small else 5
            self._column.setContentsMargins(_CHIP_SIDE_PX, padding, _CHIP_SIDE_PX, padding)

    @property
    def _button_text(self) -> str:
        return "" if self._button.isHidden() else self._button.text()

    def _show_button(self, text: str, *, is_busy: bool) -> None:
        self._button.setText(text)
        self._button.setVisible(bool(text))
        self._bar.setVisible(bool(text) and is_busy)
        # without a button it lets the mouse through
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not text)


def _label(kind: str) -> Label:
    label = Label(kind=kind, wraps=True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
