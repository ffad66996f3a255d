"""Where the play head is: number of the frame, time and length; a folder has file names instead.

A click on the number, or a key, turns it into a field to type in.
"""

from collections.abc import Sequence

from PyQt6.QtCore import QEvent, QPoint, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QKeyEvent
from PyQt6.QtWidgets import QApplication, QLineEdit, QToolTip, QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr
from kpviewer.gui.views.timeline.texts import (
    FrameTimes,
    count_text,
    frames_of,
    time_text,
    typed_frame,
)
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import FILL, row_of
from kpviewer.gui.widgets.plain_text import Label, plain_tip
from kpviewer.structures import StreamInfo

FIELD_PX = 132
"""Width of the field, which covers the time while something is typed."""


class PositionField(PushButton):
    """Button that shows the present frame, with an editor of positions over it."""

    typed = pyqtSignal(str)
    """Emitted with what was typed, on Enter."""

    def __init__(self) -> None:
        super().__init__("")
        self.setAccessibleName(tr(Act.GO_TO.value.text))
        self.setToolTip(tooltip(Act.GO_TO))
        self.setObjectName("position")
        self._count, self._is_folder, self._is_short, self._index = 1, False, False, 0
        self._editor: _Editor | None = None
        self.set_source(1, is_folder=False)

    def set_source(self, count: int, *, is_folder: bool) -> None:
        """Count frames from 0, or images of a folder from 1."""
        self._count, self._is_folder = count, is_folder
        self.stop_editing()
        self._show()

    def set_short(self, *, is_short: bool) -> None:
        """Set whether the number stands without a word."""
        self._is_short = is_short
        self._show()

    def show_index(self, index: int) -> None:
        """Show the number of a frame."""
        self._index = index
        self.setText(self._shown_text(index))

    @property
    def first_number(self) -> int:
        """Number of the first frame for people."""
        return 1 if self._is_folder else 0

    def edit(self) -> None:
        """Show an editor over the button; Enter emits ``typed``, Esc gives up."""
        if self._editor is None:
            self._editor = _Editor(self.window() or self)
            self._editor.returnPressed.connect(self._on_return_pressed)
            self._editor.given_up.connect(self.stop_editing)
        editor = self._editor
        editor.open_over(str(self._index + self.first_number), self)

    @property
    def editor(self) -> QLineEdit | None:
        """Editor while something is typed, else None."""
        return self._editor if self._editor is not None and self._editor.isVisible() else None

    def refuse(self, hint: str) -> None:
        """Leave the editor open, and show a hint why the text names no position."""
        editor = self._editor
        if editor is not None:
            editor.selectAll()
            editor.setToolTip(plain_tip(hint))
            QToolTip.showText(editor.mapToGlobal(QPoint(0, 0)), editor.toolTip(), editor)

    def stop_editing(self) -> None:
        """Hide the editor."""
        if self._editor is not None:
            self._editor.dismiss()

    def _on_return_pressed(self) -> None:
        if self._editor is not None:
            self.typed.emit(self._editor.text())

    def _show(self) -> None:
        """Keep room for the longest number: what runs must not push its neighbours about."""
        longest = self._shown_text(self._count - 1)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance(longest) + 4)
        self.show_index(self._index)

    def text_of(self, index: int) -> str:
        """Return the number of a frame for people."""
        number = count_text(index + self.first_number)
        if self._is_folder:
            return tr("{number} of {count}").format(number=number, count=count_text(self._count))
        return tr("frame {number}").format(number=number)

    def _shown_text(self, index: int) -> str:
        if self._is_short and not self._is_folder:
            return count_text(index)
        return self.text_of(index)


class _Editor(QLineEdit):
    """Line of text that Esc or a click elsewhere closes."""

    given_up = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Frame or time"))
        self.setPlaceholderText("0:48.1")
        self._before: QWidget | None = None
        self.hide()

    def open_over(self, text: str, over: QWidget) -> None:
        """Show the field over a widget, with a text that typing replaces."""
        self._before = QApplication.focusWidget()
        self.setToolTip(tr("A frame number, a time such as 48.1 or 0:48.1, or 12 %"))
        self.setText(text)
        self.selectAll()
        parent = self.parentWidget()
        if parent is not None:
            at = over.mapTo(parent, over.rect().topLeft())
            height = self.sizeHint().height()
            top = at.y() + (over.height() - height) // 2
            self.setGeometry(at.x(), min(top, parent.height() - height), FIELD_PX, height)
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def dismiss(self) -> None:
        """Hide the field, and give the focus back."""
        before, self._before = self._before, None
        if not self.isHidden():
            self.hide()
            if before is not None and before is not self:
                before.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent | None) -> bool:
        """Keep Esc for this field, before the window takes it as a shortcut."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Give up on Esc."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent | None) -> None:
        """Give up if the focus goes elsewhere."""
        super().focusOutEvent(event)
        self._before = None
        self.given_up.emit()


ENDLESS = 1_000_000
"""Number of frames that a source of unknown length has room for."""
NAME_PX = 130
"""Greatest width of a file's name."""


class PositionBox(QWidget):
    """Row of the frame's number, which can be edited, and of its time or its file."""

    sought = pyqtSignal(int)
    """Emitted with the frame that the user typed."""

    def __init__(self) -> None:
        super().__init__()
        self.times = FrameTimes(None)
        """Times of the frames of the source."""
        self._files: Sequence[str] = ()
        self.field = PositionField()
        self.field.typed.connect(self._on_typed)
        self._time, self._total = Label(name=tr("Time")), Label(kind="secondary", name=tr("Length"))
        row_of(self.field, self._time, self._total, FILL, gap=4, into=self)

    def set_info(self, info: StreamInfo | None) -> None:
        """Adapt to a source; None is no source."""
        self.times, self._files = FrameTimes(info), ()
        self._time.setToolTip("")
        is_live = info is not None and info.is_live
        self.field.set_source(frames_of(info) or ENDLESS, is_folder=False)
        is_unknown = info is not None and not self.times.length_s
        length = "–" if is_unknown else time_text(self.times.length_s)
        self._total.setText(f"/ {tr('live') if is_live else length}")
        self.show_position(0, 0.0)

    def set_files(self, files: Sequence[str]) -> None:
        """Show the names of a folder's images, which have no times."""
        self._files = files
        self.field.set_source(self.times.count, is_folder=True)
        self._total.setText("")

    def set_texts(self, *, with_time: bool, with_length: bool) -> None:
        """Set which texts have room beside the number."""
        self._time.setVisible(with_time)
        self._total.setVisible(with_length)
        self.field.set_short(is_short=not with_length)

    def show_position(self, index: int, position_s: float | None) -> None:
        """Show the position of the current frame."""
        self.times.note(index, position_s)
        self.field.show_index(index)
        if not self._files:
            at_s = self.times.time_of(index) if position_s is None else position_s
            self._time.setText(time_text(at_s))
            return
        name = self._files[index] if index < len(self._files) else ""
        middle = Qt.TextElideMode.ElideMiddle
        self._time.setText(self.fontMetrics().elidedText(name, middle, NAME_PX))
        self._time.setToolTip(plain_tip(name))

    def texts_of(self, index: int) -> list[str]:
        """Return number and time of a frame, or its number and its file."""
        number = self.field.text_of(index)
        if self._files:
            return [number, *self._files[index : index + 1]]
        return [f"{number} · {time_text(self.times.time_of(index))}"]

    def _on_typed(self, text: str) -> None:
        index = typed_frame(text, self.times, self.field.first_number)
        if not text.strip():
            self.field.stop_editing()
            return
        if index is None:
            self.field.refuse(
                tr("{text} is not a frame number, time or percentage").format(text=text)
            )
            return
        self.field.stop_editing()
        self.sought.emit(index)
