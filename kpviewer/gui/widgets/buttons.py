"""Buttons and choices: Enter presses the focused one; Space always plays and pauses."""

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QFontMetrics, QKeyEvent, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QDialog,
    QPushButton,
    QToolButton,
    QWidget,
)

from kpviewer.gui.widgets.icons import set_icon
from kpviewer.gui.widgets.layouts import row_of
from kpviewer.gui.widgets.plain_text import without_mnemonic

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
"""Enter of the letters and of the number pad."""


class PushButton(QPushButton):
    """Button with a text; a click doesn't move the focus."""

    def __init__(self, text: str, tip: str = "", *, primary: bool = False) -> None:
        super().__init__(text)
        self.setToolTip(tip)
        self.setAutoDefault(False)  # else Enter in a field presses a dialog's first button
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("kind", "primary" if primary else "plain")

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Press on Enter."""
        if event is not None and event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)


class PathButton(PushButton):
    """Button that shows a path; a long one loses its beginning."""

    def __init__(self, path: Path) -> None:
        super().__init__("")
        self._path = path

    def set_path(self, path: Path) -> None:
        """Show another path."""
        self._path = path
        self._elide()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the path."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room, left = max(self.width() - 24, 40), Qt.TextElideMode.ElideLeft
        elided = QFontMetrics(self.font()).elidedText(str(self._path), left, room)
        self.setText(without_mnemonic(elided))


class ToolButton(QToolButton):
    """Flat button with an icon, a tooltip and an accessible name."""

    def __init__(self, icon_name: str, name: str, tip: str, *, checkable: bool = False) -> None:
        super().__init__()
        self._icon_name = icon_name
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setProperty("kind", "quiet")
        self.setCheckable(checkable)
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.refresh_icon()

    def set_icon_name(self, icon_name: str) -> None:
        """Show another icon."""
        if icon_name != self._icon_name:
            self._icon_name = icon_name
            self.refresh_icon()

    def refresh_icon(self) -> None:
        """Draw the icon again in the colours of the current palette."""
        set_icon(self, self._icon_name)

    def changeEvent(self, event: QEvent | None) -> None:
        """Draw the icon in the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            self.refresh_icon()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Press on Enter."""
        if event is not None and event.key() in ENTER:
            self.click()
        else:
            super().keyPressEvent(event)


class SegmentedControl(QWidget):
    """Row of joined buttons, one of which is on."""

    chosen = pyqtSignal(int)
    """Emitted with the index of the segment that the user chose."""

    def __init__(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """Show a segment for each text and tooltip."""
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        row = row_of(gap=0, into=self)
        places = ["first", *["middle"] * (len(choices) - 2), "last"]
        for index, (text, tip) in enumerate(choices):
            button = PushButton(text, tip)
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {text}")
            button.setProperty("segment", True)
            button.setProperty("place", places[index])
            self._group.addButton(button, index)
            row.addWidget(button, 1)
        self._group.idClicked.connect(self.chosen)
        self.set_index(0)

    def index(self) -> int:
        """Return the index of the segment that is on."""
        return self._group.checkedId()

    def set_index(self, index: int) -> None:
        """Turn a segment on, without emitting ``chosen``."""
        button = self._group.button(index)
        if button is not None:
            button.setChecked(True)

    def buttons(self) -> list[PushButton]:
        """Return the segments, from left to right."""
        return [button for button in self._group.buttons() if isinstance(button, PushButton)]


class CheckBox(QCheckBox):
    """Check box that Enter toggles: Space plays and pauses, but for dialogs, where it toggles."""

    def __init__(self, text: str, tip: str) -> None:
        super().__init__(text)
        self.setToolTip(tip)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Toggle on Enter; a dialog's default button takes that."""
        if event is not None and event.key() in ENTER:
            if isinstance(self.window(), QDialog):
                event.ignore()
            else:
                self.click()
        else:
            super().keyPressEvent(event)


class ComboBox(QComboBox):
    """List of texts that leaves the wheel to the panel that scrolls."""

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Choose nothing."""
        if event is not None:
            event.ignore()


class ChoiceBox(ComboBox):
    """List of texts, one of which is chosen."""

    chosen = pyqtSignal(int)
    """Emitted with the index of the text that the user chose."""

    def __init__(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """List the texts, each with its tooltip."""
        super().__init__()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for index, (text, tip) in enumerate(choices):
            self.addItem(text)
            self.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)
        self.activated.connect(self.chosen)
        self.currentIndexChanged.connect(lambda index: self.setToolTip(choices[index][1]))
        self.setToolTip(choices[0][1])

    def index(self) -> int:
        """Return the index of the chosen text."""
        return self.currentIndex()

    def set_index(self, index: int) -> None:
        """Choose a text, without emitting ``chosen``."""
        self.setCurrentIndex(index)

    def choose(self, index: int) -> None:
        """Choose a text as the user does."""
        self.setCurrentIndex(index)
        self.activated.emit(index)
