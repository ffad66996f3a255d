"""Number field of one class: its own confidence, or the slider's."""

from __future__ import annotations

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QWheelEvent

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.plain_text import plain_tip
from kpviewer.gui.widgets.share_box import ShareBox


class OwnScoreBox(ShareBox):
    """Field that shows "default" while the class uses the slider's confidence."""

    edited = pyqtSignal(object)
    """Emitted after edits by the user, with the class's own confidence or None."""

    def __init__(self, class_name: str, score: float | None) -> None:
        super().__init__()
        self.setObjectName("ownScore")
        self.setSpecialValueText(tr("default"))  # shown for the lowest value
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("Confidence of {name}").format(name=class_name))
        tip = tr("Confidence of {name}; 0 is the default: the slider's (↑ ↓)")
        self.setToolTip(plain_tip(tip.format(name=class_name)))
        self.set_score(score)
        self.valueChanged.connect(self._on_value_changed)

    def set_score(self, score: float | None) -> None:
        """Show another confidence, without emitting ``edited``."""
        with QSignalBlocker(self):
            self.setValue(score or 0.0)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Keep Enter, which Qt's field passes on: the list would untick the class."""
        super().keyPressEvent(event)
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Leave the wheel to the list, unless the field is being edited."""
        if event is None:
            return
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _on_value_changed(self, value: float) -> None:
        self.edited.emit(value or None)
