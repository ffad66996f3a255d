"""Drop-down list of a few choices, with a tooltip for each."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtWidgets import QComboBox


class ChoiceBox(QComboBox):
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

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the panel that scrolls."""
        if event is not None:
            event.ignore()
