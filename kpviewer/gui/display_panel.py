"""What is drawn over the picture: boxes, labels, confidence, landmarks, truth, sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QCheckBox, QGridLayout, QWidget

from kpviewer.gui.buttons import SegmentedControl
from kpviewer.models.spec import ModelSpec
from kpviewer.overlay import OverlayStyle

_SWITCHES = (
    ("boxes", "Boxes", "Draw the boxes"),
    ("landmarks", "Landmarks", "Draw the landmarks"),
    ("labels", "Names", "Write the class names"),
    ("scores", "Confidence", "Write the confidence"),
    ("truth", "Truth", "Draw the truth, dashed"),
    (
        "blur",
        "Blur",
        "Hide faces, or whatever the shown classes are: here, in snapshots and in recordings",
    ),
)
_SCALES = (0.75, 1.0, 1.5)


class CheckBox(QCheckBox):
    """A switch that Enter turns, as Space always plays and pauses."""

    def __init__(self, text: str, tip: str) -> None:
        super().__init__(text)
        self.setToolTip(f"{tip} (Enter)")
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Turn on Enter."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)


class DisplayPanel(QWidget):
    """Edits an OverlayStyle; names and skeleton in it are the model's."""

    changed = pyqtSignal()
    """By the user; ``style_of_overlay`` has the new value."""

    def __init__(self) -> None:
        super().__init__()
        self._style = OverlayStyle()
        self._switches: dict[str, QCheckBox] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(0)
        for index, (field, text, tip) in enumerate(_SWITCHES):
            box = CheckBox(text, tip)
            box.setChecked(getattr(self._style, field))
            box.toggled.connect(self._on_edited)
            self._switches[field] = box
            grid.addWidget(box, index // 2, index % 2)
        self._size = SegmentedControl(
            "Lines and text",
            ("Small", "Medium", "Large"),
            ("Thin lines, small text", "Lines of 2 px", "Thick lines, large text"),
        )
        self._size.set_index(1)
        self._size.chosen.connect(self._on_edited)
        grid.setRowMinimumHeight(len(_SWITCHES), 32)
        grid.addWidget(self._size, len(_SWITCHES), 0, 1, 2)

    @property
    def style_of_overlay(self) -> OverlayStyle:
        """What is set."""
        return self._style

    def set_model(self, spec: ModelSpec) -> None:
        """Take the names and the skeleton of a model."""
        self._style = replace(self._style, class_names=spec.class_names, skeleton=spec.skeleton)

    def set_style(self, style: OverlayStyle) -> None:
        """Set the switches and the size as if the user had; names and skeleton stay."""
        for field, box in self._switches.items():
            blocked = box.blockSignals(True)
            box.setChecked(getattr(style, field))
            box.blockSignals(blocked)
        nearest = min(_SCALES, key=lambda scale: abs(scale - style.scale))
        self._size.set_index(_SCALES.index(nearest))
        self._on_edited()

    def switch(self, field: str) -> QCheckBox:
        """The box of one field of OverlayStyle."""
        return self._switches[field]

    def _on_edited(self) -> None:
        values: dict[str, Any] = {field: box.isChecked() for field, box in self._switches.items()}
        scale = _SCALES[self._size.index()]
        self._style = replace(self._style, scale=scale, **values)
        self.changed.emit()
