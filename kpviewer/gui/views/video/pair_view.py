"""View of a frame, and beside it the same frame with a second model's detections."""

from dataclasses import replace

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QGridLayout, QWidget

from kpviewer.gui.language import tr
from kpviewer.gui.views.video.frame_view import FrameView
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.gui.widgets.fitted_label import FittedLabel
from kpviewer.metrics.frame_error import frame_error
from kpviewer.overlay import OverlayStyle

LEAST_WH = 280, 180
"""Least size that leaves room for the table and the side panel in the smallest window, px."""


class PairView(QWidget):
    """One view, or two of equal size with the same part of the same frame."""

    def __init__(self, view: VideoView) -> None:
        super().__init__()
        self.setMinimumSize(*LEAST_WH)
        self.view = view
        """The first view."""
        self.second = FrameView()
        self.second.setAccessibleName(tr("Video, second model"))
        self._captions = (FittedLabel(), FittedLabel())
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.setHorizontalSpacing(1)
        for column, (caption, each) in enumerate(
            zip(self._captions, (view, self.second), strict=True)
        ):
            caption.setObjectName("caption")
            caption.setProperty("kind", "small")
            caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(caption, 0, column)
            grid.addWidget(each, 1, column)
        grid.setRowStretch(1, 1)
        grid.setColumnStretch(0, 1)
        self._grid = grid
        view.transformed.connect(lambda: self.second.show_part(view.transform))
        self.set_names(None)

    def set_names(self, names: tuple[str, str] | None) -> None:
        """Show two views under the names of their models; None shows one view."""
        for widget in (self.second, *self._captions):
            widget.setVisible(names is not None)
        self._grid.setColumnStretch(1, 0 if names is None else 1)
        if names is None:
            self.second.clear()
            return
        for caption, letter, name in zip(self._captions, "AB", names, strict=True):
            caption.set_parts(f"{letter}  {name}")

    def set_dimmed(self, is_dimmed: bool) -> None:
        """Set whether the images are darkened, as outdated ones, without their detections."""
        for view in (self.view, self.second):
            view.set_dimmed(is_dimmed)

    def show_frame(self, style: OverlayStyle, *, shares_names: bool = True) -> None:
        """Show the second model's detections in the frame of the first view.

        Args:
            style: what to paint.
            shares_names: whether both models have the same classes and keypoints; without, true
                keypoints aren't shown: they are numbered as those of the first model.
        """
        result = self.view.result()
        if self.second.isHidden():
            return
        if result is None or result.second is None:
            self.second.clear()
            return
        second, frame = result.second, result.frame
        ground_truth = frame.ground_truth
        if ground_truth is not None and not shares_names:
            ground_truth = replace(
                ground_truth,
                keypoints_xy=ground_truth.keypoints_xy[:, :0],
                keypoints_visible=ground_truth.keypoints_visible[:, :0],
            )
            frame = replace(frame, ground_truth=ground_truth)
        error = None if ground_truth is None else frame_error(second.detections, ground_truth)
        result.frame.retain()  # a lease of its own for the second view
        self.second.overlay_style = style
        self.second.show_result(
            replace(
                result,
                frame=frame,
                candidates=second.candidates,
                detections=second.detections,
                error=error,
                # not painted, but anonymised as in the first view
                second=replace(second, detections=result.detections),
            )
        )
        self.second.show_part(self.view.transform)
