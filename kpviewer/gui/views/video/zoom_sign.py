"""Sign at the upper left while the image is zoomed: per cent, and a button that fits it again."""

from __future__ import annotations

import math

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr
from kpviewer.gui.views.video.view_transform import ViewTransform
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.fitting import fit_to_contents
from kpviewer.gui.widgets.plain_text import Label

_MARGIN_PX = 12
_ROUND_PX = 30
"""Least height: lower ones lose the round corners of the style sheet."""


class ZoomSign(QFrame):
    """Chip with the zoom; hidden while the whole image fits the view."""

    fit_pressed = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("chip")
        self._percent = Label()
        self._percent.setToolTip(tr("Pixels of the screen per pixel of the image"))
        self.fit_button = PushButton(tr("Fit"))
        self.fit_button.setProperty("kind", "link")
        self.fit_button.setToolTip(tooltip(Act.FIT))
        self.fit_button.clicked.connect(self.fit_pressed)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 3, 6, 3)
        row.setSpacing(4)
        row.addWidget(self._percent)
        row.addWidget(self.fit_button)
        self.setMinimumHeight(_ROUND_PX)
        self.move(_MARGIN_PX, _MARGIN_PX)
        self.hide()

    def text(self) -> str:
        """Return the per cent that are shown; empty while hidden."""
        return "" if self.isHidden() else self._percent.text()

    def show_zoom(self, transform: ViewTransform) -> None:
        """Show the zoom of an image, in pixels of the screen."""
        is_fitted = math.isclose(transform.zoom, 1.0, rel_tol=1e-3)
        text = f"{100 * transform.scale * self.devicePixelRatioF():.0f} %"
        self.setVisible(not is_fitted)
        if text != self._percent.text():
            self._percent.setText(text)
            fit_to_contents(self)
