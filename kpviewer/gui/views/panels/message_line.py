"""Line with the current message in full, and earlier ones in its tooltip."""

import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QSizePolicy, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import row_of
from kpviewer.gui.widgets.plain_text import Label, plain_tip

MESSAGE_S = 12.0
KEPT = 8
_SPACING = 8

Offer = Path | Callable[[], object] | tuple[str, Callable[[], object]] | None
"""What the button of a message does: open the folder of a saved file, undo a change, or what its
text says."""


class MessageLine(QWidget):
    """Line with a message and a button."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._until = 0.0
        self._earlier: deque[str] = deque(maxlen=KEPT)
        self._press: Callable[[], object] | None = None
        self._label = Label(name=tr("Message"))
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._button = PushButton("")
        self._button.setProperty("kind", "link")
        self._button.clicked.connect(self._on_button_clicked)
        self._button.hide()
        row_of(self._label, self._button, gap=_SPACING, grows=self._label, into=self)

    def text(self) -> str:
        """Return the text that is shown, the button's included."""
        button = "" if self._button.isHidden() else f" {self._button.text()}"
        return self._label.text() + button

    def label_text(self) -> str:
        """Return the message alone."""
        return self._label.text()

    def show_message(self, text: str, offer: Offer = None) -> None:
        """Show a message for some seconds, with the button of an offer."""
        text = " ".join(text.split())
        if isinstance(offer, Path):
            url = QUrl.fromLocalFile(str(offer.parent))
            self._press = partial(QDesktopServices.openUrl, url)
            self._button.setText(tr("Open folder"))
        else:
            named = offer if isinstance(offer, tuple) else (tr("Undo"), offer)
            self._button.setText(named[0])
            self._press = named[1]
        self._label.setText(text)
        self._button.setVisible(offer is not None)
        self._until = self._clock() + MESSAGE_S if text else 0.0
        if text:
            self._earlier.append(f"{datetime.now():%H:%M:%S}  {text}")
        head = tr("Messages, the newest last:")
        self.setToolTip(plain_tip("\n".join((head, *self._earlier))) if self._earlier else "")

    def is_over(self) -> bool:
        """Return whether the message has been shown long enough."""
        return bool(self._until) and self._clock() > self._until

    def wanted_width(self) -> int:
        """Return the width that shows the message in one line, px."""
        button = 0 if self._button.isHidden() else self._button.sizeHint().width() + _SPACING
        return self._label.fontMetrics().horizontalAdvance(self._label.text()) + button + 4

    def fit_height(self, width: int) -> int:
        """Wrap the message into a width, px; return the height that it takes then, px."""
        button = self.wanted_width() - self._text_width()
        self._label.setWordWrap(self.wanted_width() > width)
        height = self._label.sizeHint().height()
        if self._label.wordWrap():
            height = self._label.heightForWidth(max(width - button, 1))
        return max(height, 0 if self._button.isHidden() else self._button.sizeHint().height())

    def _text_width(self) -> int:
        return self._label.fontMetrics().horizontalAdvance(self._label.text())

    def _on_button_clicked(self) -> None:
        if self._press is not None:
            self._press()
