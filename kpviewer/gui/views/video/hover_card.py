"""Small card with the numbers of one detection beside its box, and a table of its keypoints."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from PyQt6.QtCore import QRectF, QSizeF, Qt
from PyQt6.QtGui import QFontMetricsF
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.fitting import fit_to_contents
from kpviewer.gui.widgets.plain_text import Label

_BLOCKS, _COLUMNS, _ACROSS_PX = 2, 3, 12
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
        row.setSpacing(_ACROSS_PX)
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


_SIDE_PX, _MARGIN_PX, _SPACING_PX = 12, 8, 4
_EDGE_PX = 4
"""Distance from the edges of the view."""


class CardText(NamedTuple):
    """Contents of a card."""

    title: str
    text: str = ""
    """Lines below the title."""
    points: tuple[PointRow, ...] = ()


class HoverCard(QFrame):
    """Card of the detection under the pointer; a pinned card stays and has buttons."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(tr("Detection"))
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self._title, self._text = Label(), Label()
        self._text.setProperty("kind", "secondary")
        self.points = PointTable()
        """Keypoints of the detection."""
        self.zoom = PushButton(tr("Zoom to it"))
        tip = tooltip(Act.ZOOM_OBJECT, tr("Zoom until it fills half of the view"))
        self.zoom.setToolTip(tip)
        self.close_button = PushButton(tr("Close"), tr("Deselect (click beside it)"))
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in (self.zoom, self.close_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_SIDE_PX, _MARGIN_PX, _SIDE_PX, _MARGIN_PX)
        column.setSpacing(_SPACING_PX)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addWidget(self.points)
        column.addLayout(row)
        self.hide()

    def text(self) -> str:
        """Return the text that is shown; empty while hidden."""
        return "" if self.isHidden() else f"{self._title.text()}\n{self._text.text()}"

    def show_numbers(self, numbers: CardText, box: QRectF | None, *, pinned: bool) -> None:
        """Show numbers of a detection.

        Args:
            numbers: what to show.
            box: box of the detection in the parent's pixels; None if it is gone.
            pinned: whether it has buttons; without them, the mouse passes through the card.
        """
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not pinned)
        self._title.setText(numbers.title)
        self._text.setText(numbers.text)
        self._text.setVisible(bool(numbers.text))
        for button in (self.zoom, self.close_button):
            button.setVisible(pinned)
        self.zoom.setEnabled(box is not None)
        self.points.show_rows(numbers.points, self._room_for_points())
        fit_to_contents(self)
        self.show()

    def _room_for_points(self) -> QSizeF:
        """Return the size that the rest of the card leaves of the parent's, px."""
        parent = self.parentWidget()
        if parent is None:
            return QSizeF()
        others = [each for each in (self._title, self._text, self.zoom) if not each.isHidden()]
        used = sum(each.sizeHint().height() + _SPACING_PX for each in others)
        frame = 2 * (_EDGE_PX + 1)
        width = parent.width() - 2 * _SIDE_PX - frame
        return QSizeF(width, parent.height() - used - 2 * _MARGIN_PX - frame)
