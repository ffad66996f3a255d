"""View of one stream in a grid; enlarged, it is the view of a window."""

from dataclasses import replace

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QResizeEvent, QWheelEvent

from kpviewer.gui.views.video.frame_view import FrameView
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.overlay import OverlayStyle
from kpviewer.structures import Detections

LEAST_WH = (96, 54)
NAMES_FROM_PX = 260
"""Width of a tile from which labels are written: in a smaller one they hide the image."""


class TileView(VideoView):
    """VideoView that a click enlarges; in the grid it neither zooms nor selects."""

    clicked = pyqtSignal()
    """Emitted by a click on a view in the grid."""

    def __init__(self) -> None:
        self._is_enlarged = self._was_just_clicked = False
        self._wanted_style = OverlayStyle()
        super().__init__()
        self.setMinimumSize(*LEAST_WH)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the grid has the focus

    def set_enlarged(self, *, is_enlarged: bool) -> None:
        """Set whether the view fills the grid."""
        if is_enlarged != self._is_enlarged:
            self._is_enlarged = is_enlarged
            self.set_style(self._wanted_style)
            self.fit()
            self.refresh_marks()

    def set_style(self, style: OverlayStyle) -> None:
        """Paint in another style, in the grid without legends and labels that hide the image."""
        self._wanted_style = style
        if not self._is_enlarged:
            style = replace(style, verdicts=False)
        if self.width() < NAMES_FROM_PX:
            style = replace(style, labels=False, scores=False, tracks=False)
        if style != self.overlay_style:
            super().set_style(style)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the image in place, and labels where there is room."""
        super().resizeEvent(event)
        self.set_style(self._wanted_style)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom at the pointer, if the view is enlarged."""
        if self._is_enlarged:
            super().wheelEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Start to pan, if the view is enlarged."""
        self._was_just_clicked = False
        if self._is_enlarged:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Enlarge a view of the grid; in an enlarged one select what is there."""
        if self._is_enlarged:
            super().mouseReleaseEvent(event)
        elif event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._was_just_clicked = True
            self.clicked.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Ask for full screen, if the view was enlarged before the first click."""
        if self._is_enlarged and not self._was_just_clicked:
            super().mouseDoubleClickEvent(event)

    def hovered(self, detections: Detections) -> int | None:
        """Return the index of the detection under the pointer; None in the grid."""
        return super().hovered(detections) if self._is_enlarged else None

    def selected(self, detections: Detections) -> int | None:
        """Return the index of the selected detection; None in the grid."""
        return super().selected(detections) if self._is_enlarged else None

    def refresh_marks(self) -> None:
        """Repaint; show the numbers of a detection if the view is enlarged."""
        if self._is_enlarged:
            super().refresh_marks()
        else:
            self.cards.hide()
            FrameView.refresh_marks(self)
