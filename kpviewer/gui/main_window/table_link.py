"""Link between the table of detections and the image: rows and boxes always agree."""

from PyQt6.QtCore import QObject, QTimer

from kpviewer.gui.controllers.recording_setup import header_of
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.language import tr
from kpviewer.gui.session import Session
from kpviewer.gui.views.panes import Panes
from kpviewer.recording.snapshot import save_frame_csv
from kpviewer.structures import Detections

TICK_MS = 100


class TableLink(QObject):
    """Shows detections in the table, and keeps the selection of both in step."""

    def __init__(self, panes: Panes, session: Session, saving: Saving) -> None:
        super().__init__(panes.table)
        self._panel, self._view, self._say = panes.table, panes.view, panes.say
        self._session, self._saving = session, saving
        panel, view = panes.table, panes.view
        panel.chosen.connect(lambda index: view.choose(panel.detections, index))
        panel.export_button.clicked.connect(self._on_export_clicked)
        view.result_changed.connect(self._show)
        timer = QTimer(self)  # also follows the selection, the table's visibility, the names
        timer.timeout.connect(self._show)
        timer.start(TICK_MS)

    def _on_export_clicked(self) -> None:
        """Write the detections of the frame on the screen to a CSV file."""
        result = self._view.current_result()
        if result is None or self._session.info is None:
            self._say(tr("There is no image to export from."))
            return
        header = header_of(self._session)
        self._saving.save(lambda folder: save_frame_csv(result, folder, header))

    def _show(self) -> None:
        if not self._panel.isVisible():
            return
        result, engine = self._view.current_result(), self._session.engine
        found = Detections.empty() if result is None else result.detections
        class_names = engine.spec.class_names if engine is not None else ()
        point_names = engine.spec.keypoint_names if engine is not None else ()
        has_scores = engine is not None and engine.spec.keypoint_threshold is not None
        chosen = self._view.selected(found)
        self._panel.show_detections(
            found, chosen, class_names, point_names, has_point_scores=has_scores
        )
