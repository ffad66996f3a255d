"""Places of the cards over a view: in its corners, its centre, and beside what they describe."""

from enum import Enum

from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, QSizeF, pyqtSignal
from PyQt6.QtWidgets import QFrame, QWidget

from kpviewer.gui.widgets.fitting import fit_to_contents

MARGIN_PX, GAP_PX = 12, 6
"""Distances of cards from the edges of the view, and from each other."""
ROOMY_PX = 380
"""Width of the view below which cards are small."""
LEGEND_WH = QSize(300, 36)
"""Room at the lower right of the view, where legends are painted."""
_EDGE_PX, _BESIDE_PX, _AWAY_PX = 4.0, 10.0, 16.0
"""Least distance from the edges, and distances from a box and from the pointer."""


class Place(Enum):
    """Where a card stands, in the order in which cards get their room."""

    TOP_LEFT = "upper left"
    TOP_RIGHT = "upper right"
    BOTTOM = "lower left"
    ABOVE = "above the one at the lower left"
    CENTER = "centre"


class OverlayCard(QFrame):
    """Frame that a CardLayout resizes and moves."""

    changed = pyqtSignal()
    """Emitted when the card appears, vanishes, or needs another size."""

    def fit(self, room: QSize, *, is_small: bool) -> None:
        """Take the size of the contents, or of the room if that is smaller."""
        fit_to_contents(self)


class CardLayout(QObject):
    """Lays out cards over a view, so that those in its corners and its centre cover no other.

    Args:
        view: parent of the cards.
        top_px: distance of the upper cards from the edge.
    """

    arranged = pyqtSignal()
    """Emitted when the cards have their places; what is beside a box may be covered by one now."""

    def __init__(self, view: QWidget, top_px: int = MARGIN_PX) -> None:
        super().__init__(view)
        self._view, self._top_px = view, top_px
        self._cards: dict[Place, OverlayCard] = {}
        view.installEventFilter(self)

    def add(self, place: Place, card: OverlayCard) -> None:
        """Lay a card out from now on."""
        self._cards[place] = card
        card.changed.connect(self.arrange)

    def eventFilter(self, _watched: QObject | None, event: QEvent | None) -> bool:
        """Arrange the cards when the view appears, or gets another size."""
        if event is not None and event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self.arrange()
        return False

    def arrange(self) -> None:
        """Give each card that is shown its size and its place."""
        view, is_small = self._view.rect(), self._view.width() < ROOMY_PX
        upper = view.adjusted(MARGIN_PX, self._top_px, -MARGIN_PX, -MARGIN_PX)
        free = QRect(view)
        if (card := self._fitted(Place.TOP_LEFT, upper.size())) is not None:
            card.move(upper.topLeft())
            upper.setLeft(card.geometry().right() + 1 + GAP_PX)
            free.setTop(card.geometry().bottom() + 1)
        if (card := self._fitted(Place.TOP_RIGHT, upper.size())) is not None:
            card.move(upper.right() + 1 - card.width(), upper.top())
            free.setTop(max(free.top(), card.geometry().bottom() + 1))
        margin = MARGIN_PX // 2 if is_small else MARGIN_PX
        lower = view.adjusted(margin, margin, -margin, -margin)
        for place in (Place.BOTTOM, Place.ABOVE):
            if (card := self._fitted(place, lower.size())) is not None:
                is_wide = lower.left() + card.width() > view.width() - LEGEND_WH.width()
                if place is Place.ABOVE and is_wide:
                    lower.setBottom(min(lower.bottom(), view.bottom() - LEGEND_WH.height()))
                card.move(lower.left(), lower.bottom() + 1 - card.height())
                lower.setBottom(card.y() - GAP_PX - 1)
                free.setBottom(card.y() - 1)
        self._center(view, free)
        self.arranged.emit()

    def beside(self, size: QSize, box: QRectF) -> QPoint:
        """Return the place of a card right of a box, else left of it, else inside."""
        room, width = self._room, size.width()
        left = box.right() + _BESIDE_PX
        if left + width > room.right():
            left = box.left() - _BESIDE_PX - width
        if left < room.left():
            left = min(box.right(), room.right()) - width - _BESIDE_PX
        return self._uncovered(QRectF(QPointF(left, box.top()), QSizeF(size)))

    def at_pointer(self, size: QSize, pointer: QPointF, beside: QRect) -> QPoint:
        """Return the place of a line below and right of the pointer, else above or left.

        ``beside`` is the place of a card to keep free; empty if there is none.
        """
        room, away = self._room, QPointF(_AWAY_PX, _AWAY_PX)
        place = QRectF(pointer + away, QSizeF(size))
        if place.bottom() > room.bottom():
            place.moveBottom(pointer.y() - _AWAY_PX)
        place.moveLeft(min(place.left(), room.right() - size.width()))
        if place.intersects(QRectF(beside)):
            place.moveRight(beside.left() - _EDGE_PX)
        return self._uncovered(place)

    @property
    def _room(self) -> QRectF:
        return QRectF(self._view.rect()).adjusted(_EDGE_PX, _EDGE_PX, -_EDGE_PX, -_EDGE_PX)

    def _shown(self, place: Place) -> OverlayCard | None:
        card = self._cards.get(place)
        return None if card is None or card.isHidden() else card

    def _fitted(self, place: Place, room: QSize) -> OverlayCard | None:
        """Return the card at a place, in its size; None while it is hidden."""
        card = self._shown(place)
        if card is not None:
            card.fit(room, is_small=self._view.width() < ROOMY_PX)
        return card

    def _center(self, view: QRect, free: QRect) -> None:
        """Put the card of the centre there, or between those of the corners if it meets one."""
        for room in (view, free):
            card = self._fitted(Place.CENTER, room.size())
            if card is None:
                return
            place = QRect(QPoint(), card.size())
            place.moveCenter(room.center())
            card.move(place.topLeft())
            if free.height() < view.height() // 2 or free.contains(place):
                return  # it has the room, or none worth having is left

    def _uncovered(self, place: QRectF) -> QPoint:
        """Return where a place lies once it is moved away from cards in corners, in the view."""
        room, middle = self._room, self._view.height() / 2
        for each in Place:
            card = self._shown(each)
            if card is None or each is Place.CENTER:
                continue
            other = QRectF(card.geometry()).adjusted(-GAP_PX, -GAP_PX, GAP_PX, GAP_PX)
            if place.intersects(other) and other.center().y() < middle:
                place.moveTop(other.bottom())
            elif place.intersects(other):
                place.moveBottom(other.top())
        left = max(room.left(), min(place.left(), room.right() - place.width()))
        top = max(room.top(), min(place.top(), room.bottom() - place.height()))
        return QPointF(left, top).toPoint()
