"""List of the worst frames so far; a click shows one."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.timeline.texts import time_text
from kpviewer.gui.widgets.choice_box import ChoiceBox
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.scanning.frame_errors import EvaluatedFrame, WorstBy

ROWS = 50
VISIBLE_ROWS = 7
ROW_PX = 28
_VALUE_PX, _COUNT_PX = 56, 30
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_KINDS = (WorstBy.DISTANCE, WorstBy.NME, WorstBy.OVERLAP, WorstBy.MISTAKES)
_COLUMNS = (
    (tr_noop("Frame"), tr_noop("Number of the frame, and its time")),
    ("", tr_noop("Value that the frames are ranked by")),
    ("✓", tr_noop("Matched: detections of an object in the ground truth")),
    ("○", tr_noop("Missed: objects that were not detected")),
    ("×", tr_noop("False alarm: detections without an object")),
)
_NONE = {
    WorstBy.DISTANCE: tr_noop("No detection has matched an object yet."),
    WorstBy.NME: tr_noop("No matched landmarks yet. Model and ground truth need the same ones."),
    WorstBy.OVERLAP: tr_noop("No detection has matched an object yet."),
    WorstBy.MISTAKES: tr_noop("No missed objects and no false alarms yet."),
}


class WorstFrames(QWidget):
    """List with a row per frame, worst first."""

    kind_chosen = pyqtSignal()
    """The user changed ``by``."""
    sought = pyqtSignal(int)
    """Number of a frame that the user wants to see."""

    def __init__(self) -> None:
        super().__init__()
        self._frames: list[EvaluatedFrame] = []
        self._can_seek = True
        self.kinds = ChoiceBox(
            tr("Worst by"),
            (tr("Distance"), "NME", tr("Overlap"), tr("Mistakes")),
            (
                tr("Mean distance of the matched landmarks, else of the box centres"),
                tr("Distance divided by the distance of the eyes or the diagonal of the box"),
                tr("1 − IoU of the matched boxes"),
                tr("Number of missed objects and false alarms"),
            ),
        )
        self._tree = QTreeWidget()
        self._tree.setAccessibleName(tr("Worst frames"))
        self._tree.setColumnCount(len(_COLUMNS))
        self._tree.setRootIsDecorated(False)
        self._tree.setUniformRowHeights(True)
        self._tree.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._prepare_header()
        self._none = Label()
        self._none.setProperty("kind", "secondary")
        self._none.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.kinds, self._tree, self._none):
            column.addWidget(widget)
        self.kinds.chosen.connect(self.kind_chosen)
        self._tree.itemClicked.connect(self._on_item_chosen)
        self._tree.itemActivated.connect(self._on_item_chosen)
        self.set_can_seek(can_seek=True)
        self.show_frames([], None)

    @property
    def by(self) -> WorstBy:
        """Measure by which the frames are ranked."""
        return _KINDS[self.kinds.index()]

    def set_can_seek(self, *, can_seek: bool) -> None:
        """Set whether the source can seek to a frame."""
        self._can_seek = can_seek
        self._tree.setToolTip(
            tr("Click a frame to see it") if can_seek else tr("This source can't go back")
        )

    def show_frames(self, frames: list[EvaluatedFrame], shown: int | None) -> None:
        """List frames, worst first; ``shown`` is the index of the frame on the screen."""
        if frames != self._frames:
            self._frames = frames
            self._list()
        for item, frame in zip(self.rows(), frames, strict=True):
            if item.isSelected() != (frame.index == shown):
                item.setSelected(frame.index == shown)
        self._none.setText(tr(_NONE[self.by]))
        self._none.setVisible(not frames)
        self._tree.setVisible(bool(frames))

    def rows(self) -> list[QTreeWidgetItem]:
        """Return the rows, worst first."""
        rows = (self._tree.topLevelItem(row) for row in range(self._tree.topLevelItemCount()))
        return [item for item in rows if item is not None]

    def tree(self) -> QTreeWidget:
        """Return the tree widget."""
        return self._tree

    def _list(self) -> None:
        """Write the rows into the existing items, which keeps the scroll position."""
        tree, frames = self._tree, self._frames
        while tree.topLevelItemCount() > len(frames):
            tree.takeTopLevelItem(tree.topLevelItemCount() - 1)
        while tree.topLevelItemCount() < len(frames):
            item = QTreeWidgetItem()
            for column in range(1, len(_COLUMNS)):
                item.setTextAlignment(column, _RIGHT)
            tree.addTopLevelItem(item)
        for item, frame in zip(self.rows(), frames, strict=True):
            for column, text in enumerate(self._texts(frame)):
                if item.text(column) != text:
                    item.setText(column, text)
            item.setData(0, Qt.ItemDataRole.UserRole, frame.index)
        header = tree.headerItem()
        if header is not None:
            header.setText(1, "" if self.by is WorstBy.MISTAKES else self.by.value)
        tree.setColumnHidden(1, self.by is WorstBy.MISTAKES)  # the counts show it
        tree.setFixedHeight(min(len(frames), VISIBLE_ROWS) * ROW_PX + ROW_PX)

    def _texts(self, frame: EvaluatedFrame) -> tuple[str, ...]:
        error, value = frame.error, self.by.of(frame.error) or 0.0
        when = "" if frame.position_s is None else f"  {time_text(frame.position_s)}"
        digits = 1 if self.by is WorstBy.DISTANCE else 3
        counts = (
            str(count) for count in (error.matched, error.false_negatives, error.false_positives)
        )
        return (f"{frame.index}{when}", f"{value:.{digits}f}", *counts)

    def _on_item_chosen(self, item: QTreeWidgetItem) -> None:
        index = item.data(0, Qt.ItemDataRole.UserRole)
        if self._can_seek and index is not None:
            self.sought.emit(index)

    def _prepare_header(self) -> None:
        item, header = self._tree.headerItem(), self._tree.header()
        if item is None or header is None:
            return
        for column, (text, tip) in enumerate(_COLUMNS):
            item.setText(column, tr(text) if text else "")
            item.setToolTip(column, tr(tip))
            if column:
                item.setTextAlignment(column, _RIGHT)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(_COLUMNS)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, _VALUE_PX if column == 1 else _COUNT_PX)
