"""Link between the table of detections and the image: rows and boxes always agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.gui.controllers.recording_setup import header_of
from kpviewer.gui.language import tr
from kpviewer.gui.session import Session
from kpviewer.gui.views.panels.table_panel import TablePanel
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.recording.snapshot import save_frame_csv
from kpviewer.structures import Detections

TICK_MS = 100


class TableLink(QObject):
    """Shows detections in the table, and keeps the selection of both in step."""

    reported = pyqtSignal(str, object)
    """Message, and the Path of the saved file or None."""

    def __init__(self, panel: TablePanel, view: VideoView, session: Session) -> None:
        super().__init__(panel)
        self._panel, self._view, self._session = panel, view, session
        panel.chosen.connect(lambda index: view.choose(panel.detections, index))
        view.result_changed.connect(self._show)
        timer = QTimer(self)  # also follows the selection, the table's visibility, the names
        timer.timeout.connect(self._show)
        timer.start(TICK_MS)

    def export(self, save: Callable[[Callable[[Path], Path]], None]) -> None:
        """Write the detections of the frame on the screen to a CSV file."""
        result = self._view.result()
        if result is None or self._session.info is None:
            self.reported.emit(tr("There is no image to export from."), None)
            return
        header = header_of(self._session)
        save(lambda folder: save_frame_csv(result, folder, header))

    def _show(self) -> None:
        if not self._panel.isVisible():
            return
        result, engine = self._view.result(), self._session.engine
        found = Detections.empty() if result is None else result.detections
        class_names = engine.spec.class_names if engine is not None else ()
        point_names = engine.spec.keypoint_names if engine is not None else ()
        has_scores = engine is not None and engine.spec.keypoint_threshold is not None
        chosen = self._view.selected(found)
        self._panel.show_detections(
            found, chosen, class_names, point_names, has_point_scores=has_scores
        )
