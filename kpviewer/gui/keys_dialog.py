"""Help sheet: all keys, by group."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence
from PyQt6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from kpviewer.gui.keys import Act
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.section import rule

KEY_PX = 88
_COLUMNS = (("Play",), ("Source", "Save"), ("View", "Help"))
MOUSE = (
    (tr_noop("Wheel"), tr_noop("Zoom at the pointer")),
    (tr_noop("Drag"), tr_noop("Move the image")),
    (tr_noop("Double-click"), tr_noop("Full screen")),
    (tr_noop("Right-click"), tr_noop("Menu")),
)


class KeysDialog(QDialog):
    """Dialog that lists the keys; Esc closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys"))
        row = QHBoxLayout()
        row.setSpacing(32)
        for groups in _COLUMNS:
            column = QVBoxLayout()
            column.setSpacing(16)
            for group in groups:
                column.addWidget(_table(tr(group), _rows(group)))
            if groups == _COLUMNS[1]:
                column.addWidget(
                    _table(tr("Mouse"), [(tr(gesture), tr(text)) for gesture, text in MOUSE])
                )
            column.addStretch(1)
            row.addLayout(column)
        hint = Label(
            tr(
                "On a slider: arrows and wheel move it by 0.01, with Shift by 0.001; "
                "a double click restores the model's default. Enter presses the focused button."
            )
        )
        hint.setProperty("kind", "secondary")
        hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(16)
        layout.addLayout(row)
        layout.addWidget(rule())
        layout.addWidget(hint)


def _rows(group: str) -> tuple[tuple[str, str], ...]:
    commands = [act.value for act in Act if act.value.group == group]
    return tuple((tr(" or ").join(_key_text(key) for key in c.keys), tr(c.text)) for c in commands)


def _key_text(key: str) -> str:
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def _table(title: str, rows: Sequence[tuple[str, str]]) -> QWidget:
    box = QWidget()
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(6)
    heading = Label(title)
    heading.setProperty("kind", "heading")
    grid.addWidget(heading, 0, 0, 1, 2)
    for index, (key, text) in enumerate(rows, 1):
        name = Label(key)
        name.setProperty("kind", "secondary")
        grid.addWidget(name, index, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(Label(text), index, 1)
    grid.setColumnMinimumWidth(0, KEY_PX)
    grid.setColumnStretch(1, 1)
    return box
