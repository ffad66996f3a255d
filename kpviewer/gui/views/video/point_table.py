"""Table of keypoints on a card: name, position and confidence of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PyQt6.QtCore import QSizeF, Qt
from PyQt6.QtGui import QFontMetricsF
from PyQt6.QtWidgets import QHBoxLayout, QWidget

from kpviewer.gui.widgets.plain_text import Label

_BLOCKS, _COLUMNS, _SPACING_PX = 2, 3, 12
_LEFT, _RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight


class PointRow(NamedTuple):
    """Texts of one keypoint."""

    name: str
    place: str
    score: str = ""


class PointTable(QWidget):
    """Rows in one block, or in two side by side if there is little height."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_SPACING_PX)
        self._labels: list[Label] = []
        for index in range(_BLOCKS * _COLUMNS):
            label = Label()
            label.setProperty("kind", "secondary")
            aligned = _LEFT if index % _COLUMNS == 0 else _RIGHT
            label.setAlignment(aligned | Qt.AlignmentFlag.AlignTop)
            row.addWidget(label, int(aligned is _LEFT))
            self._labels.append(label)

    def rows(self) -> list[PointRow]:
        """Return the rows that are shown."""
        if self.isHidden():
            return []
        rows: list[PointRow] = []
        for block in range(0, len(self._labels), _COLUMNS):
            names, places, scores = (
                label.text().split("\n") if label.text() else []
                for label in self._labels[block : block + _COLUMNS]
            )
            scores = scores or [""] * len(names)
            rows += [PointRow(*texts) for texts in zip(names, places, scores, strict=True)]
        return rows

    def show_rows(self, rows: Sequence[PointRow], room: QSizeF) -> None:
        """Show as many rows as fit.

        Args:
            rows: the keypoints, in their order.
            room: room for the table, px.
        """
        line_px = math.ceil(QFontMetricsF(self._labels[0].font()).lineSpacing())
        fitting = max(1, int(room.height() / line_px))
        self._fill(rows[:fitting])
        if len(rows) > fitting:
            length = min(fitting, (len(rows) + 1) // _BLOCKS)
            self._fill(rows[:length], rows[length : 2 * length])
            if self.sizeHint().width() > room.width():
                self._fill(rows[:fitting])
        self.setVisible(bool(rows))

    def _fill(self, *blocks: Sequence[PointRow]) -> None:
        texts = [
            "\n".join(row[column] for row in block)
            for block in blocks
            for column in range(_COLUMNS)
        ]
        for label, text in zip(self._labels, texts + [""] * len(self._labels), strict=False):
            label.setText(text)
            label.setVisible(bool(text.strip()))
        layout = self.layout()
        if layout is not None:  # its size must count at once
            layout.invalidate()
            layout.activate()
        self.updateGeometry()
