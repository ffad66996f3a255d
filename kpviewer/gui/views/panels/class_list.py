"""List of the model's classes: which are shown, and how many objects of each are detected."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QIcon, QPainter, QPixmap
from PyQt6.QtWidgets import QHBoxLayout, QHeaderView, QLineEdit, QTreeWidgetItem, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.panels.class_rows import ClassTree, OwnScoreBox, Solo
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import column_of, row_of
from kpviewer.gui.widgets.plain_text import plain_tip
from kpviewer.overlay.palette import class_color
from kpviewer.structures import IntArray

ROW_PX = 28
VISIBLE_ROWS = 8
FILTERED_FROM = 12
"""Number of classes from which the filter field is shown."""
LONG_NAME = 12
"""Number of characters that fit into the narrowest list."""
NAME, OWN, COUNT = range(3)
"""Columns of the list."""


class ClassList(QWidget):
    """List with a row per class: tick, colour, name, own confidence, number of detections."""

    changed = pyqtSignal()
    """Emitted after edits by the user; ``shown`` and ``own_scores`` have the new values."""

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[int, float] = {}
        self._filter = QLineEdit()
        self._filter.setPlaceholderText(tr("Filter classes"))
        self._filter.setAccessibleName(tr("Filter classes"))
        self._filter.setClearButtonEnabled(True)
        self._filter.textChanged.connect(self._on_filter_changed)
        self._solo = Solo()
        self._tree = ClassTree()
        self._tree.setIconSize(QSize(12, 12))
        header = self._tree.header()
        if header is not None:
            header.setSectionResizeMode(OWN, QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(COUNT, QHeaderView.ResizeMode.ResizeToContents)
        self._tree.itemChanged.connect(self._on_item_changed)
        self._tree.solo_asked.connect(self.toggle_solo)
        if (bar := self._tree.verticalScrollBar()) is not None:
            bar.valueChanged.connect(self._add_boxes)
        column_of(self._filter, self._tree, self._own_row(), gap=4, into=self)
        self.set_classes((), None)

    def set_classes(self, names: tuple[str, ...], shown: frozenset[int] | None) -> None:
        """List other classes. Call ``set_own_scores`` next if some have their own confidence.

        The same classes stay as they are, with the one that is shown alone.
        """
        listed = tuple(item.text(NAME) for item in self._tree.rows())
        if names and names == listed and shown == self.shown():
            return
        with QSignalBlocker(self._tree):
            self._tree.clear()
            for class_id, name in enumerate(names):
                item = QTreeWidgetItem([name, "", "0"])
                if len(name) > LONG_NAME:  # it may be cut
                    item.setToolTip(NAME, plain_tip(f"{name}\n{self._tree.toolTip()}"))
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
                ticked = shown is None or class_id in shown
                item.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
                item.setIcon(0, _swatch(class_color(class_id)))
                right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                for column in (OWN, COUNT):
                    item.setTextAlignment(column, right)
                self._tree.addTopLevelItem(item)
        self._forget_solo()
        self._own = {}
        self._show_own()
        self._filter.setVisible(len(names) >= FILTERED_FROM)
        if self._filter.isHidden():
            self._filter.clear()
        self._on_filter_changed(self._filter.text())
        rows = min(max(len(names), 1), VISIBLE_ROWS)
        self._tree.setFixedHeight(rows * ROW_PX + 4)
        self.setVisible(bool(names))

    def shown(self) -> frozenset[int] | None:
        """Return the ids of the ticked classes; None if all are ticked."""
        ticked = [
            class_id
            for class_id, item in enumerate(self._tree.rows())
            if item.checkState(0) is Qt.CheckState.Checked
        ]
        return None if len(ticked) == self._tree.topLevelItemCount() else frozenset(ticked)

    def set_ticked(self, class_id: int, ticked: bool) -> None:
        """Set the tick of a class, as a click does."""
        state = Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        self._tree.rows()[class_id].setCheckState(0, state)

    def toggle_solo(self, class_id: int) -> None:
        """Show only one class, or return to the classes shown before; emits ``changed``."""
        shown = self._solo.toggle(class_id, self.shown())
        with QSignalBlocker(self._tree):
            for each, item in enumerate(self._tree.rows()):
                ticked = shown is None or each in shown
                item.setCheckState(0, Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
        self._tree.set_alone(self._solo.class_id)
        self.changed.emit()

    def lasting(self) -> frozenset[int] | None:
        """Return the ids of the classes shown once no class is alone; None is all."""
        return self._solo.lasting(self.shown())

    def set_own_scores(self, scores: Mapping[int, float]) -> None:
        """Show the classes' own confidences, without emitting ``changed``."""
        self._own = dict(scores)
        self._show_own()

    def own_scores(self) -> dict[int, float]:
        """Return the confidences of single classes, by class id."""
        return dict(self._own)

    def choose_own_score(self, class_id: int, score: float | None) -> None:
        """Set the confidence of one class; None is the slider's. Emits ``changed``."""
        self._own = _with_score(self._own, class_id, score)
        self._show_own()
        self.changed.emit()

    def own_score_box(self, class_id: int) -> OwnScoreBox | None:
        """Return the number field of a class; None while it is hidden, or out of view."""
        box = self._tree.itemWidget(self._tree.topLevelItem(class_id), OWN)
        return box if isinstance(box, OwnScoreBox) else None

    def counts(self) -> list[int]:
        """Return the numbers that are shown, by class id."""
        return [int(item.text(COUNT)) for item in self._tree.rows()]

    def show_counts(self, class_ids: IntArray) -> None:
        """Show the number of detections of each class, from the (N,) class ids of all."""
        items = self._tree.rows()
        counts = np.bincount(class_ids, minlength=len(items))
        with QSignalBlocker(self._tree):
            for item, count in zip(items, counts, strict=False):
                if item.text(COUNT) != str(count):
                    item.setText(COUNT, str(count))

    def _on_item_changed(self, _item: QTreeWidgetItem, column: int) -> None:
        if column == NAME:
            self._forget_solo()
            self.changed.emit()

    def _forget_solo(self) -> None:
        self._solo.forget()
        self._tree.set_alone(None)

    def _own_row(self) -> QHBoxLayout:
        """Make the row with the switch of the number fields and the reset."""
        self.own_switch = PushButton(tr("Confidence by class"))
        self.own_switch.setCheckable(True)
        self.own_switch.setToolTip(tr("Set the confidence of single classes"))
        self.own_switch.toggled.connect(self._show_own)
        self.own_reset = PushButton(tr("Reset"))
        self.own_reset.setAccessibleName(tr("Reset the confidence of single classes"))
        self.own_reset.setToolTip(tr("Restore the model's recommendation for each class"))
        self.own_reset.clicked.connect(self._on_reset_clicked)
        return row_of(self.own_switch, self.own_reset, gap=4, grows=self.own_switch)

    def _show_own(self) -> None:
        """Show the own confidences: in fields while these are switched on, else as text."""
        is_edited = self.own_switch.isChecked()
        with QSignalBlocker(self._tree):
            for class_id, item in enumerate(self._tree.rows()):
                own, box = self._own.get(class_id), self.own_score_box(class_id)
                if box is not None and is_edited:
                    box.set_score(own)
                elif box is not None:
                    self._tree.removeItemWidget(item, OWN)
                item.setText(OWN, "" if own is None or is_edited else f"≥ {own:.3f}")
        self._add_boxes()
        self.own_reset.setEnabled(bool(self._own))

    def _add_boxes(self) -> None:
        """Make the number fields of the rows in view: those of 1,000 classes take 0.5 s."""
        bar = self._tree.verticalScrollBar()
        if bar is None or not self.own_switch.isChecked():
            return
        rows = [each for each in enumerate(self._tree.rows()) if not each[1].isHidden()]
        with QSignalBlocker(self._tree):
            for class_id, item in rows[bar.value() :][: VISIBLE_ROWS + 1]:
                if self.own_score_box(class_id) is None:
                    box = OwnScoreBox(item.text(NAME), self._own.get(class_id))
                    box.edited.connect(partial(self._on_own_edited, class_id))
                    self._tree.setItemWidget(item, OWN, box)

    def _on_own_edited(self, class_id: int, score: float | None) -> None:
        self._own = _with_score(self._own, class_id, score)
        self.own_reset.setEnabled(bool(self._own))
        self.changed.emit()

    def _on_reset_clicked(self) -> None:
        self._own = {}
        self._show_own()
        self.changed.emit()

    def _on_filter_changed(self, text: str) -> None:
        for item in self._tree.rows():
            item.setHidden(text.casefold() not in item.text(0).casefold())
        self._add_boxes()


def _with_score(
    scores: Mapping[int, float], class_id: int, score: float | None
) -> dict[int, float]:
    """Return the scores with another one of a class; None removes it."""
    others = {each: value for each, value in scores.items() if each != class_id}
    return others if score is None else {**others, class_id: score}


def _swatch(rgb: tuple[int, int, int]) -> QIcon:
    """Return an icon: a dot in the colour of a class."""
    pixmap = QPixmap(24, 24)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(*rgb))
    painter.drawEllipse(2, 2, 20, 20)
    painter.end()
    return QIcon(pixmap)
