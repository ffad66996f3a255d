"""Card of one detection and line of one keypoint, over the image."""

from functools import cached_property

from PyQt6.QtCore import QObject, QPointF, QRect, QRectF, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.video.hover_card import CardText, HoverCard
from kpviewer.gui.views.video.selection import Selection, describe, describe_point
from kpviewer.gui.views.video.view_transform import ViewTransform
from kpviewer.gui.widgets.card_layout import CardLayout
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.overlay import OverlayStyle, detection_at, keypoint_at
from kpviewer.structures import Detections, FrameResult

GONE_MS = 1000
"""Time for which a card says that its detection isn't in the frame, in ms."""
POINT_REACH_PX = 8.0
"""Distance of the pointer from a keypoint that is named, in px of the view."""


class DetectionCards(QObject):
    """Selection of one detection, its card, and the line of the keypoint under the pointer.

    Both widgets are made when they are first needed: most tiles of a grid never show them, and
    each widget takes its time when the theme changes.
    """

    zoom_pressed = pyqtSignal()
    close_pressed = pyqtSignal()

    def __init__(self, view: QWidget, layout: CardLayout) -> None:
        super().__init__(view)
        self._view, self._layout = view, layout
        self.selection = Selection()
        self._gone = QTimer(self)
        self._gone.setSingleShot(True)
        self._gone.setInterval(GONE_MS)

    @property
    def numbers(self) -> HoverCard:
        """Card beside the selected detection, else beside the one under the pointer."""
        return self._widgets[0]

    @property
    def point(self) -> Label:
        """Line beside the pointer with the values of a keypoint; the mouse passes through it."""
        return self._widgets[1]

    def hide(self) -> None:
        """Show neither."""
        for widget in self._widgets if self._are_made else ():
            widget.hide()

    def hovered(
        self,
        detections: Detections,
        style: OverlayStyle,
        transform: ViewTransform,
        pointer: QPointF | None,
    ) -> tuple[int | None, int | None]:
        """Return the indices of the detection and of the keypoint under the pointer.

        Args:
            detections: detections of the image.
            style: what is drawn.
            transform: position of the image.
            pointer: position in the view; None if it is elsewhere.
        """
        if pointer is None or style.bars is not None:  # a box around the whole image isn't shown
            return None, None
        x, y = transform.to_source(pointer.x(), pointer.y())
        found = keypoint_at(detections, style, x, y, POINT_REACH_PX / transform.scale)
        return found if found is not None else (detection_at(detections, x, y), None)

    def show(
        self,
        result: FrameResult | None,
        style: OverlayStyle,
        transform: ViewTransform,
        pointer: QPointF | None,
    ) -> None:
        """Show the card of the selected detection, else of the hovered one.

        Args:
            result: result on the screen; None if there is none.
            style: what is drawn.
            transform: position of the image.
            pointer: position in the view; None if it is elsewhere.
        """
        if result is None:
            self.hide()
            return
        found = result.detections
        hovered, point = self.hovered(found, style, transform, pointer)
        pinned = not self.selection.is_empty
        index = self.selection.find(found) if pinned else hovered
        if index is not None:
            self._gone.stop()
            left, top, right, bottom = found.xyxy[index].tolist()
            low = QPointF(*transform.to_view(left, top))
            box = QRectF(low, QPointF(*transform.to_view(right, bottom)))
            numbers = self.numbers
            numbers.show_numbers(describe(found, index, style), box, pinned=pinned)
            numbers.move(self._layout.beside(numbers.size(), box))
        elif not pinned:
            self.hide()
        elif self.numbers.isVisible() and not self._gone.isActive():
            self.numbers.show_numbers(CardText(tr("Not detected in this frame")), None, pinned=True)
            self._gone.start()
        line = ""
        if hovered is not None and point is not None:
            line = describe_point(result, hovered, point, style)
        if line or self._are_made:
            self._show_line(line, pointer or QPointF())

    def _show_line(self, line: str, pointer: QPointF) -> None:
        """Show a line at the pointer; an empty one hides it."""
        tip, numbers = self.point, self.numbers
        tip.setVisible(bool(line))
        if line:
            tip.setText(line)
            tip.adjustSize()
            card = numbers.geometry() if numbers.isVisible() else QRect()
            tip.move(self._layout.at_pointer(tip.size(), pointer, card))
            tip.raise_()

    @property
    def _are_made(self) -> bool:
        return "_widgets" in vars(self)

    @cached_property
    def _widgets(self) -> tuple[HoverCard, Label]:
        numbers, point = HoverCard(self._view), Label(name=tr("Landmark"))
        point.setParent(self._view)
        point.setObjectName("chip")
        point.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        point.hide()
        for widget in (point, numbers):
            widget.lower()  # below the cards that the view has already
        self._gone.timeout.connect(numbers.hide)
        numbers.zoom.clicked.connect(self.zoom_pressed)
        numbers.close_button.clicked.connect(self.close_pressed)
        return numbers, point
