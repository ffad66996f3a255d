"""Detections of one image as a sortable table model."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PyQt6.QtGui import QColor

from kpviewer.gui.language import tr, tr_noop
from kpviewer.models.names.classes import class_name
from kpviewer.overlay.palette import class_color
from kpviewer.structures import Detections

_Role = Qt.ItemDataRole
_NONE = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
INDEX, CLASS, SCORE, LEFT, TOP, WIDTH, HEIGHT, TRACK, POINT, POINT_SCORE = range(10)
"""Kinds of columns."""
_TITLES = (
    (tr_noop("#"), tr_noop("Number, as in labels and result files")),
    (tr_noop("Class"), ""),
    (tr_noop("Conf."), tr_noop("Confidence")),
    (tr_noop("Left"), tr_noop("Left edge of the box, px of the source")),
    (tr_noop("Top"), tr_noop("Top edge of the box, px of the source")),
    (tr_noop("Width"), tr_noop("Width of the box, px of the source")),
    (tr_noop("Height"), tr_noop("Height of the box, px of the source")),
    (tr_noop("Track"), tr_noop("Number that stays with the object from frame to frame")),
)


@dataclass(frozen=True, slots=True)
class Column:
    """Column of the table."""

    kind: int
    point: int = 0
    """Index of the landmark, for the kinds POINT and POINT_SCORE."""


class DetectionsModel(QAbstractTableModel):
    """Table model with a row per detection, sorted by the column that was chosen last."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.detections = Detections.empty()
        """Detections that are shown."""
        self._class_names: tuple[str, ...] = ()
        self._point_names: tuple[str, ...] = ()
        self._columns = _columns_of(self.detections, has_point_scores=False)
        self._order = np.zeros(0, np.int64)
        self._sorted_by = 0
        self._is_descending = False

    def show(
        self,
        found: Detections,
        class_names: tuple[str, ...],
        point_names: tuple[str, ...],
        *,
        has_point_scores: bool = False,
    ) -> None:
        """Show other detections; classes and landmarks without a name are numbered."""
        columns = _columns_of(found, has_point_scores=has_point_scores)
        names = class_names, point_names
        if columns != self._columns or names != (self._class_names, self._point_names):
            self.beginResetModel()
            self._columns, (self._class_names, self._point_names) = columns, names
            self._take(found)
            self.endResetModel()
            return
        before, now = len(self.detections), len(found)
        if now > before:
            self.beginInsertRows(_NONE, before, now - 1)
        elif now < before:
            self.beginRemoveRows(_NONE, now, before - 1)
        self._take(found)
        if now > before:
            self.endInsertRows()
        elif now < before:
            self.endRemoveRows()
        if now:
            self.dataChanged.emit(self.index(0, 0), self.index(now - 1, len(columns) - 1))

    def detection_of(self, row: int) -> int:
        """Return the index of the detection in a row."""
        return int(self._order[row])

    def row_of(self, detection: int) -> int:
        """Return the row of a detection, by its index."""
        return int(np.flatnonzero(self._order == detection)[0])

    def columns(self) -> tuple[Column, ...]:
        """Return the columns, from left to right."""
        return self._columns

    def tsv(self, rows: Sequence[int]) -> str:
        """Return rows and a heading as tab-separated text, for spreadsheets."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t", lineterminator="\n")
        writer.writerow(self._title(column) for column in self._columns)
        for row in rows:
            writer.writerow(self._text(self.detection_of(row), column) for column in self._columns)
        return text.getvalue()

    def rowCount(self, parent: QModelIndex = _NONE) -> int:
        """Return the number of detections."""
        return 0 if parent.isValid() else len(self.detections)

    def columnCount(self, parent: QModelIndex = _NONE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: QModelIndex, role: int = _Role.DisplayRole) -> Any:
        """Return text, alignment or colour of a cell."""
        if not index.isValid() or index.row() >= len(self._order):
            return None
        column, detection = self._columns[index.column()], self.detection_of(index.row())
        if role == _Role.DisplayRole:
            return self._text(detection, column)
        if role == _Role.TextAlignmentRole and column.kind != CLASS:
            return _RIGHT
        if role == _Role.DecorationRole and column.kind == CLASS:
            return QColor(*class_color(int(self.detections.class_ids[detection])))
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole
    ) -> Any:
        """Return the heading of a column, or its tooltip."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self._columns):
            return None
        column = self._columns[section]
        if role == _Role.DisplayRole:
            return self._title(column)
        if role == _Role.ToolTipRole:
            tip = tr("Landmark: x, y in px of the source")
            if column.kind == POINT_SCORE:
                tip = tr("Confidence of the landmark")
            elif column.kind != POINT:
                tip = tr(_TITLES[column.kind][1]) if _TITLES[column.kind][1] else ""
            return f"{tip}\n{tr('Click to sort')}".strip()
        if role == _Role.TextAlignmentRole:
            return _LEFT if column.kind == CLASS else _RIGHT
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column, these detections and later ones."""
        self.layoutAboutToBeChanged.emit()
        self._sorted_by = column
        self._is_descending = order is Qt.SortOrder.DescendingOrder
        self._take(self.detections)
        self.layoutChanged.emit()

    def _take(self, found: Detections) -> None:
        self.detections = found
        sorted_by = self._sorted_by if 0 <= self._sorted_by < len(self._columns) else 0
        keys = self._keys(self._columns[sorted_by])
        ranks = np.unique(keys, return_inverse=True)[1].reshape(-1)  # text can't be negated
        self._order = np.argsort(-ranks if self._is_descending else ranks, kind="stable")

    def _keys(self, column: Column) -> NDArray[Any]:
        """Return the (N,) values to sort by."""
        found = self.detections
        left, top = found.xyxy[:, :2].T
        width, height = found.sides.T
        if column.kind == CLASS:
            ids = found.class_ids.tolist()
            return np.array([class_name(each, self._class_names) for each in ids], str)
        if column.kind == TRACK and found.track_ids is not None:
            return found.track_ids
        if column.kind == POINT:
            return found.keypoints_xy[:, column.point, 0]
        if column.kind == POINT_SCORE:
            return found.keypoint_scores[:, column.point]
        by_kind: dict[int, NDArray[Any]] = {SCORE: found.scores, LEFT: left, TOP: top}
        by_kind |= {WIDTH: width, HEIGHT: height}
        in_order: NDArray[Any] = np.arange(len(found))
        return by_kind.get(column.kind, in_order)

    def _text(self, detection: int, column: Column) -> str:
        found, kind = self.detections, column.kind
        if kind == INDEX:
            return str(detection)
        if kind == CLASS:
            return class_name(int(found.class_ids[detection]), self._class_names)
        if kind in (SCORE, POINT_SCORE):
            scores = found.scores if kind == SCORE else found.keypoint_scores[:, column.point]
            return f"{scores[detection]:.3f}"
        if kind == TRACK:
            track = -1 if found.track_ids is None else int(found.track_ids[detection])
            return str(track) if track >= 0 else ""
        if kind == POINT:
            x, y = found.keypoints_xy[detection, column.point].tolist()
            return f"{x:z.1f}, {y:z.1f}"
        values = found.xyxy if kind in (LEFT, TOP) else found.sides
        return f"{values[detection, int(kind in (TOP, HEIGHT))]:z.1f}"

    def _title(self, column: Column) -> str:
        if column.kind not in (POINT, POINT_SCORE):
            return tr(_TITLES[column.kind][0])
        known = column.point < len(self._point_names)
        number = tr("point {number}").format(number=column.point)
        name = self._point_names[column.point] if known else number
        return name if column.kind == POINT else tr("{name} conf.").format(name=name)


def _columns_of(found: Detections, *, has_point_scores: bool) -> tuple[Column, ...]:
    """Return the columns; tracks, landmarks and their scores have some only if there are any."""
    kinds = [kind for kind in range(POINT) if kind != TRACK or found.track_ids is not None]
    points = range(found.keypoints_xy.shape[1])
    of_points = (POINT, POINT_SCORE) if has_point_scores else (POINT,)
    landmarks = tuple(Column(kind, each) for each in points for kind in of_points)
    return tuple(Column(kind) for kind in kinds) + landmarks
