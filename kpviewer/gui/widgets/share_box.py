"""Number field for shares, such as a confidence: 0.45, 0,45, 45 and 45 % are equal."""

from __future__ import annotations

import math
import re

from PyQt6.QtCore import QLocale, Qt
from PyQt6.QtGui import QValidator
from PyQt6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox

WIDTH = 60
_STEP, _DECIMALS = 0.01, 3
_TYPED = re.compile(r"\s*\d*[.,]?\d*\s*%?\s*")


class ShareBox(QDoubleSpinBox):
    """Field of a number in [0, 1], with a decimal point in every locale, as in files."""

    def __init__(self) -> None:
        super().__init__()
        self.setLocale(QLocale.c())
        self.setRange(0.0, 1.0)
        self.setDecimals(_DECIMALS)
        self.setSingleStep(_STEP)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFixedWidth(WIDTH)
        self.setKeyboardTracking(False)
        self.editingFinished.connect(self.clearFocus)  # the window gets the keys again

    def validate(self, text: str | None, position: int) -> tuple[QValidator.State, str, int]:
        """Accept shares with a point or a comma, and percentages."""
        text = text or ""
        if read_share(text) is not None or self._is_special(text):
            state = QValidator.State.Acceptable
        elif _TYPED.fullmatch(text) or self._begins_special(text):
            state = QValidator.State.Intermediate
        else:
            state = QValidator.State.Invalid
        return state, text, position

    def valueFromText(self, text: str | None) -> float:
        """Return the share that was typed; the current value if there is none."""
        if self._is_special(text or ""):
            return self.minimum()
        share = read_share(text or "")
        return self.value() if share is None else share

    def _is_special(self, text: str) -> bool:
        return bool(self.specialValueText()) and text.strip() == self.specialValueText()

    def _begins_special(self, text: str) -> bool:
        return self.specialValueText().startswith(text.strip())


def read_share(text: str) -> float | None:
    """Return the number in [0, 1] of a text, or None.

    A number above 1, or with a percent sign, is a percentage.
    """
    if not _TYPED.fullmatch(text):
        return None
    is_percentage = text.rstrip().endswith("%")
    try:
        number = float(text.strip().removesuffix("%").strip().replace(",", "."))
    except ValueError:
        return None
    if is_percentage or number > 1:
        number /= 100
    return number if math.isfinite(number) and number <= 1 else None
