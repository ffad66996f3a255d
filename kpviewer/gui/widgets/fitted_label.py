"""Label of one line that shows as much of its text as fits."""

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QSizePolicy

from kpviewer.gui.widgets.plain_text import Label

SEPARATOR = " · "
_LEAST_PX = 24


class FittedLabel(Label):
    """Label of several parts; the last ones are dropped first, and the first one is elided."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_parts(self, *parts: str) -> None:
        """Show other parts; empty ones are left out."""
        shown = tuple(part for part in parts if part)
        if shown != self._parts:
            self._parts = shown
            self.setAccessibleName(self.whole())
            self.updateGeometry()
            self._fit()

    def whole(self) -> str:
        """Return the whole text."""
        return SEPARATOR.join(self._parts)

    def sizeHint(self) -> QSize:
        """Return the size of the whole text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.whole()) + 2, metrics.height())

    def minimumSizeHint(self) -> QSize:
        """Return a small size: the text fits itself."""
        return QSize(_LEAST_PX, self.fontMetrics().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the text."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        metrics, room = self.fontMetrics(), self.contentsRect().width()
        for count in range(len(self._parts), 0, -1):
            text = SEPARATOR.join(self._parts[:count])
            if metrics.horizontalAdvance(text) <= room or count == 1:
                self.setText(metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room))
                return
        self.setText("")
