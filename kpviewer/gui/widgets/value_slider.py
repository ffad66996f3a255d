"""Slider and number field for shares, such as a confidence: 0.45, 0,45, 45 and 45 % are equal."""

import math
import re

from PyQt6.QtCore import QEvent, QLocale, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent, QValidator, QWheelEvent
from PyQt6.QtWidgets import QAbstractSpinBox, QDoubleSpinBox, QSlider, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.widgets.layouts import grid_of
from kpviewer.gui.widgets.plain_text import Label, half_width

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
        text = half_width(text or "")
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


TICKS = 1000
"""Number of steps of the slider."""
COARSE, FINE = 10, 1
HANDLE_PX = 14
"""Width of the handle in the style sheet."""
_ARROWS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Up: 1,
}


class FineSlider(QSlider):
    """Slider that moves by hundredths, with Shift by thousandths.

    It jumps to a click; Qt's own moves by a page towards it.
    """

    reset_requested = pyqtSignal()
    """Emitted on a double click."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setRange(0, TICKS)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a drag, arrows still seek

    def event(self, event: QEvent | None) -> bool:
        """Keep the arrows from the window's shortcuts while the slider has the focus."""
        is_offer = event is not None and event.type() == QEvent.Type.ShortcutOverride
        if is_offer and isinstance(event, QKeyEvent) and event.key() in _ARROWS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move by arrows."""
        direction = _ARROWS.get(Qt.Key(event.key())) if event is not None else None
        if event is None or direction is None:
            super().keyPressEvent(event)
            return
        self._move(direction, event.modifiers())

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Move by the wheel; Shift turns some systems' wheel sideways."""
        if event is None:
            return
        turn = event.angleDelta().y() or event.angleDelta().x()
        if turn:
            self._move(1 if turn > 0 else -1, event.modifiers())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Jump to the click."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._follow(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Follow the drag."""
        if event is not None and self.isSliderDown():
            self._follow(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """End the drag."""
        self.setSliderDown(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Request the default."""
        self.reset_requested.emit()

    def _follow(self, event: QMouseEvent) -> None:
        """Set the value of the step that is nearest to the mouse."""
        span = max(self.width() - HANDLE_PX, 1)
        share = min(max((event.position().x() - HANDLE_PX / 2) / span, 0.0), 1.0)
        step = _step(event.modifiers())
        self.setValue(round(share * TICKS / step) * step)

    def _move(self, direction: int, modifiers: Qt.KeyboardModifier) -> None:
        self.setValue(self.value() + direction * _step(modifiers))


def _step(modifiers: Qt.KeyboardModifier) -> int:
    return FINE if modifiers & Qt.KeyboardModifier.ShiftModifier else COARSE


class ValueSlider(QWidget):
    """Slider and field of a named number in [``least``, 1]."""

    changed = pyqtSignal(float)
    """Emitted with the value after edits by the user, not after ``set_value``."""

    def __init__(self, name: str, tip: str, least: float = 0.0) -> None:
        super().__init__()
        self._default = 0.5
        self._label = Label(name)
        self.slider = FineSlider()
        self.slider.setMinimum(round(least * TICKS))
        self.box = ShareBox()
        self.box.setMinimum(least)
        hint = tr("{tip} Double-click for the model's default. (← →, Shift: fine)").format(tip=tip)
        for widget in (self.slider, self.box, self._label):
            widget.setToolTip(hint)
            widget.setAccessibleName(name)
        grid = grid_of(8, 0, into=self)
        grid.addWidget(self._label, 0, 0)
        grid.addWidget(self.box, 0, 1)
        grid.addWidget(self.slider, 1, 0, 1, 2)
        self.slider.valueChanged.connect(self._on_slider_changed)
        self.slider.reset_requested.connect(self._on_reset_requested)
        self.box.valueChanged.connect(self._on_box_changed)
        self.set_value(self._default)

    def value(self) -> float:
        """Return the value."""
        return self.slider.value() / TICKS

    def set_value(self, value: float) -> None:
        """Set the value without emitting ``changed``."""
        with QSignalBlocker(self.slider), QSignalBlocker(self.box):
            self.slider.setValue(round(value * TICKS))
            self.box.setValue(value)

    def set_default(self, value: float) -> None:
        """Set the value that a double click restores."""
        self._default = value

    def _on_slider_changed(self, ticks: int) -> None:
        self.set_value(ticks / TICKS)
        self.changed.emit(self.value())

    def _on_box_changed(self, value: float) -> None:
        self.set_value(value)
        self.changed.emit(self.value())

    def _on_reset_requested(self) -> None:
        self.slider.setValue(round(self._default * TICKS))
