"""Models that need seconds for a frame: a file pauses for them, and the user is told."""

from PyQt6.QtCore import QObject

from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.session import Session
from kpviewer.pipeline.protocols import InferenceEngine, takes_seconds


class SlowModels(QObject):
    """Pauses a file that a slow model runs on, as soon as either is opened.

    The user may resume it. A live source isn't paused: the model takes its newest frame.
    """

    def __init__(self, session: Session, compare: CompareLink, saving: Saving) -> None:
        super().__init__(session)
        self._session, self._saving = session, saving
        session.opened.connect(self._on_opened)
        session.model_changed.connect(self._on_model_changed)
        compare.second_changed.connect(self._on_second_changed)

    def _on_opened(self) -> None:
        session = self._session
        if session.info is None or session.pipeline is None or not takes_seconds(session.engine):
            return
        if session.info.is_live:
            session.pipeline.resume()  # it may wait, as its name is that of a file
        self._pause_for(session.engine, is_new=False)

    def _on_model_changed(self) -> None:
        self._pause_for(self._session.engine, is_new=True)

    def _on_second_changed(self) -> None:
        second = self._session.second
        self._pause_for(second.engine if second is not None else None, is_new=True)

    def _pause_for(self, engine: InferenceEngine | None, *, is_new: bool) -> None:
        """Pause a file that plays, unless it is recorded, and say why."""
        session, pipeline = self._session, self._session.pipeline
        if engine is None or not takes_seconds(engine):
            return
        if (
            pipeline is None
            or self._saving.recorded_s is not None
            or session.model_wait.for_recording
        ):
            return
        if session.info is None:
            session.model_wait.drop()  # stays at its first frame; ``opened`` follows
            return
        if session.info.is_live:
            text = tr("{name} takes seconds a frame, so only some frames have detections.")
        else:
            text = tr("{name} takes seconds a frame, so playback pauses. Step or seek to detect.")
            session.model_wait.drop()
            if not pipeline.transport.paused:
                pipeline.pause()
                if is_new:
                    pipeline.repeat_frame(engine)
        session.warned.emit(text.format(name=engine.spec.name))
