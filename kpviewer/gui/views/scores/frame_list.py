"""List of the worst frames, or of suspects, in one place; a click shows a frame."""

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QModelIndex, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QPainter
from PyQt6.QtWidgets import (
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidgetItem,
    QWidget,
)

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.views.scores.score_summary import NO_MODEL
from kpviewer.gui.views.scores.suspect_words import GROUPS, details, reason
from kpviewer.gui.views.timeline.texts import time_text
from kpviewer.gui.widgets.buttons import ChoiceBox, SegmentedControl
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label, one_line, plain_tip
from kpviewer.gui.widgets.rows_tree import RowsTree
from kpviewer.scanning.frame_errors import EvaluatedFrame, WorstBy
from kpviewer.scanning.scores import ScanScores
from kpviewer.scanning.suspects import Suspect

ROWS = 50
"""Greatest number of worst frames in the list."""
MOST_SUSPECTS = 200
"""Greatest number of suspects in the list."""
VISIBLE_ROWS = 7
ROW_PX, TALL_ROW_PX = 28, 40
WORST, SUSPECTS = range(2)
"""What is listed."""
_KINDS = (WorstBy.DISTANCE, WorstBy.NME, WorstBy.OVERLAP, WorstBy.MISTAKES)
_COLUMNS = (
    (tr_noop("Frame"), tr_noop("Number of the frame and its time, or its file"), 0),
    ("", tr_noop("Value that the frames are ranked by"), 48),
    ("○", tr_noop("Missed: objects that were not detected"), 26),
    ("×", tr_noop("False alarm: detections without an object"), 26),
)
_NONE = {
    WorstBy.DISTANCE: tr_noop("No detection has matched an object yet."),
    WorstBy.NME: tr_noop("No matched landmarks yet. Model and ground truth need the same ones."),
    WorstBy.OVERLAP: tr_noop("No detection has matched an object yet."),
    WorstBy.MISTAKES: tr_noop("No missed objects and no false alarms yet."),
}


class FrameList(QWidget):
    """List with a row per frame, the worst or the most suspicious first."""

    sought = pyqtSignal(int)
    """Number of a frame that the user wants to see."""

    def __init__(self) -> None:
        super().__init__()
        self._scores: ScanScores | None = None
        self._lacks_model = False
        self._suspects: list[Suspect] = []
        self._rows: list[tuple[int, tuple[str, ...], str]] = []
        """Number, texts and tooltip of each row."""
        self._shown: int | None = None
        self._can_seek, self._has_chosen, self._has_ranked = True, False, False
        self._names: tuple[Sequence[str], Sequence[str]] = ((), ())
        self._file_of: Callable[[int], str | None] = lambda _index: None
        self.modes = SegmentedControl(
            tr("List"),
            (
                (tr("Worst"), tr("Frames that differ most from the ground truth")),
                (tr("Suspects"), tr("Frames that look wrong, without ground truth")),
            ),
        )
        self.kinds = ChoiceBox(
            tr("Worst by"),
            (
                (
                    tr("Distance"),
                    tr("Mean distance of the matched landmarks, else of the box centres"),
                ),
                (
                    "NME",
                    tr(
                        "Distance divided by that of the first two of five landmarks, the eyes "
                        "of a face, or by the diagonal of the box"
                    ),
                ),
                (tr("Overlap"), tr("1 − IoU of the matched boxes")),
                (tr("Mistakes"), tr("Number of missed objects and false alarms")),
            ),
        )
        self.reasons = ChoiceBox(tr("Reason"), [(tr(name), "") for name, _ in GROUPS])
        columns = [(text and tr(text), tr(tip), width) for text, tip, width in _COLUMNS]
        self.tree = RowsTree(tr("Frames to look at"), columns)
        self.tree.setItemDelegateForColumn(0, _Delegate(self.tree))
        # names of files often differ only at their ends
        self.tree.setTextElideMode(Qt.TextElideMode.ElideLeft)
        self._none = Label(kind="secondary", wraps=True)
        column_of(self.modes, self.kinds, self.reasons, self.tree, self._none, gap=4, into=self)
        self.modes.chosen.connect(self._on_mode_chosen)
        self.kinds.chosen.connect(self._on_kind_chosen)
        self.reasons.chosen.connect(self._list)
        self.tree.itemClicked.connect(self._on_item_chosen)
        self.tree.itemActivated.connect(self._on_item_chosen)
        self.set_can_seek(can_seek=True)

    @property
    def by(self) -> WorstBy:
        """Measure by which the worst frames are ranked."""
        return _KINDS[self.kinds.index()]

    @property
    def mode(self) -> int:
        """What is listed: WORST or SUSPECTS."""
        return self.modes.index()

    def set_can_seek(self, *, can_seek: bool) -> None:
        """Set whether the source can seek to a frame."""
        self._can_seek = can_seek
        self.tree.setToolTip(
            tr("Click a frame to see it") if can_seek else tr("This source can't go back")
        )

    def set_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Use the names of a model in the reasons.

        Without keypoints, mistakes rank the frames, unless the user has chosen otherwise: how far
        the centres of matched boxes lie apart tells little.
        """
        self._names = (class_names, keypoint_names)
        if not self._has_ranked:
            usual = WorstBy.DISTANCE if keypoint_names else WorstBy.MISTAKES
            self.kinds.set_index(_KINDS.index(usual))
            self._list()

    def set_files(self, file_of: Callable[[int], str | None]) -> None:
        """Name frames by their file, where ``file_of`` returns one; else by number and time."""
        self._file_of = file_of

    def set_lacks_model(self, *, lacks_model: bool) -> None:
        """Set whether there is no model, nor one on its way, that could find suspects."""
        if lacks_model != self._lacks_model:
            self._lacks_model = lacks_model
            self._list()

    def forget_choice(self) -> None:
        """Let the list choose between worst frames and suspects again, as for another source."""
        self._has_chosen = False

    def show_scores(self, scores: ScanScores | None) -> None:
        """List the worst frames of these scores; None without ground truth."""
        self._scores = scores if scores is not None and scores.scored else None
        if not self._has_chosen:
            self.modes.set_index(SUSPECTS if self._scores is None else WORST)
        self._list()

    def show_suspects(self, suspects: list[Suspect]) -> None:
        """List these suspects, the most suspicious first."""
        self._suspects = suspects
        self._list()

    def show_frame(self, index: int | None) -> None:
        """Select the row of the frame on the screen."""
        self._shown = index
        self._select()

    def _list(self) -> None:
        is_worst = self.mode == WORST
        self.kinds.setVisible(is_worst and self._scores is not None)
        self.reasons.setVisible(not is_worst and bool(self._suspects))
        if is_worst:
            frames = [] if self._scores is None else self._scores.worst(self.by, ROWS)
            rows = [self._worst_row(frame) for frame in frames]
            self._none.setText(
                tr(_NONE[self.by]) if self._scores else tr("No frame is scored yet.")
            )
        else:
            chosen = GROUPS[self.reasons.index()][1]
            found = [each for each in self._suspects if each.kind in chosen]
            rows = [self._suspect_row(suspect) for suspect in found[:MOST_SUSPECTS]]
            none = tr("No suspicious frames so far.")
            self._none.setText(tr(NO_MODEL) if self._lacks_model else none)
        self._none.setVisible(not rows)
        self.tree.setVisible(bool(rows))
        if rows != self._rows or self.tree.isHeaderHidden() is is_worst:
            self._rows = rows
            self._write()
        self._select()

    def _write(self) -> None:
        tree, rows, is_worst = self.tree, self._rows, self.mode == WORST
        for item, (index, texts, tip) in zip(tree.set_count(len(rows)), rows, strict=True):
            for column, text in enumerate(texts):
                if item.text(column) != text:
                    item.setText(column, text)
            item.setToolTip(0, tip)
            item.setData(0, Qt.ItemDataRole.UserRole, index)
        header = tree.headerItem()
        if header is not None:
            header.setText(1, "" if self.by is WorstBy.MISTAKES else self.by.value)
        tree.setHeaderHidden(not is_worst)
        # the counts show the mistakes
        tree.setColumnHidden(1, not is_worst or self.by is WorstBy.MISTAKES)
        for column in (2, 3):
            tree.setColumnHidden(column, not is_worst)
        row_px = ROW_PX if is_worst else TALL_ROW_PX
        tree.setFixedHeight(min(len(rows), VISIBLE_ROWS) * row_px + (ROW_PX if is_worst else 4))

    def _select(self) -> None:
        for item, (index, _, _) in zip(self.tree.rows(), self._rows, strict=True):
            if item.isSelected() != (index == self._shown):
                item.setSelected(index == self._shown)

    def _worst_row(self, frame: EvaluatedFrame) -> tuple[int, tuple[str, ...], str]:
        error, digits = frame.error, 1 if self.by is WorstBy.DISTANCE else 3
        texts = (
            self._name(frame.index, frame.position_s),
            f"{frame.value:.{digits}f}",
            str(error.false_negatives),
            str(error.false_positives),
        )
        tip = tr("✓ {matched} matched  ○ {missed} missed  × {false} false alarms").format(
            matched=error.matched, missed=error.false_negatives, false=error.false_positives
        )
        return frame.index, texts, plain_tip(f"{texts[0]}\n{tip}")

    def _suspect_row(self, suspect: Suspect) -> tuple[int, tuple[str, ...], str]:
        name = self._name(suspect.frame_index, suspect.position_s)
        why = reason(suspect, *self._names)
        tip = f"{name}\n{why}\n{details(suspect)}"
        return suspect.frame_index, (f"{why}\n{name}", "", "", ""), plain_tip(tip)

    def _name(self, index: int, position_s: float | None) -> str:
        file = self._file_of(index)
        if file is not None:
            return one_line(file)
        return str(index) if position_s is None else f"{index}  {time_text(position_s)}"

    def _on_mode_chosen(self, _mode: int) -> None:
        self._has_chosen = True
        self._list()

    def _on_kind_chosen(self, _index: int) -> None:
        self._has_ranked = True
        self._list()

    def _on_item_chosen(self, item: QTreeWidgetItem) -> None:
        index = item.data(0, Qt.ItemDataRole.UserRole)
        if self._can_seek and index is not None:
            self.sought.emit(index)


class _Delegate(QStyledItemDelegate):
    """Painter of rows: below a line break, in the colour of secondary text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Return the size of one cell."""
        size = super().sizeHint(option, index)
        has_second = "\n" in str(index.data() or "")
        return QSize(size.width(), TALL_ROW_PX if has_second else ROW_PX)

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Paint one cell."""
        text = str(index.data() or "")
        first, has_second, second = text.partition("\n")
        widget = option.widget
        style = widget.style() if widget is not None else None
        if painter is None or not has_second or style is None:
            super().paint(painter, option, index)
            return
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, widget)
        half = option.rect.height() // 2
        line = QRect(option.rect.left() + 4, option.rect.top() + 2, option.rect.width() - 8, half)
        palette = option.palette
        painter.save()
        right, left = Qt.TextElideMode.ElideRight, Qt.TextElideMode.ElideLeft
        lines = ((first, right, palette.text()), (second, left, palette.placeholderText()))
        for row, (part, mode, brush) in enumerate(lines):
            painter.setPen(brush.color())
            place = line.translated(0, row * (half - 2))
            elided = option.fontMetrics.elidedText(part, mode, line.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, elided)
        painter.restore()
