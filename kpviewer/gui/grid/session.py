"""State behind a grid: a session for each stream, and the model that they share.

Several sources are opened a few at a time: each has a time limit, and many at once are slow.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.errors import KpviewerError
from kpviewer.gui.grid.layout import MOST_STREAMS
from kpviewer.gui.opening.loaders import Loaders, ViewerEngine
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.opening.source_opening import name_of
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.session import Session
from kpviewer.gui.session.base import AnySession, SessionStatus
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.sharing.model import SharedModel
from kpviewer.structures import Thresholds

AT_ONCE = 4
PATIENCE_S = 1.0
"""Time after which the next source is opened beside one that doesn't answer, in seconds."""
TICK_MS = 20


class OpeningQueue(QObject):
    """Queue of sessions whose sources are to be opened; the last ones wait."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._waiting: list[tuple[Session, str]] = []
        self._opening: dict[Session, float] = {}
        """Sessions that are opening, and since when, s."""
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._open_next)

    def add(self, session: Session, text: str) -> None:
        """Open a source as soon as it is its turn."""
        session.source_text, session.source_name = text, name_of(text)
        self._waiting.append((session, text))
        self._open_next()

    def is_waiting(self, session: Session) -> bool:
        """Return whether it isn't the session's turn yet."""
        return any(each is session for each, _ in self._waiting)

    def drop(self, session: Session) -> None:
        """Forget a session that was removed, or is opened out of turn."""
        self._waiting = [each for each in self._waiting if each[0] is not session]
        self._opening.pop(session, None)

    def close(self) -> None:
        """Open nothing more."""
        self._timer.stop()
        self._waiting.clear()

    def _open_next(self) -> None:
        now_s = self._clock()
        self._opening = {
            session: since_s
            for session, since_s in self._opening.items()
            if not _is_over(session) and now_s - since_s < PATIENCE_S
        }
        while self._waiting and len(self._opening) < AT_ONCE:
            session, text = self._waiting.pop(0)
            self._opening[session] = now_s
            session.open(text)
        if self._waiting and not self._timer.isActive():
            self._timer.start()
        elif not self._waiting:
            self._timer.stop()


def _is_over(session: Session) -> bool:
    """Return whether a source has been opened or can't be."""
    pipeline = session.pipeline
    return session.failure is not None or (pipeline is not None and pipeline.info is not None)


_SAME_S = 2.0
"""Time in which the same message of several streams is shown as one, in seconds."""


class GridSession(AnySession):
    """Owner of up to 16 sessions, which run one model in turns; ``close`` ends them.

    Each stream has a pipeline of its own: one that fails doesn't affect the others. Live
    streams and files show the newest frame, so that all keep time; a file that is recorded plays
    every frame.
    """

    streams_changed = pyqtSignal()
    """Emitted when ``sessions`` has changed."""
    streams_warned = pyqtSignal(list, str)
    """Emitted with the Sessions whose streams have the same warning, and the warning."""

    def __init__(
        self, options: ViewerOptions, loaders: Loaders, remembered: RememberedSettings
    ) -> None:
        super().__init__(ModelLoading(options, loaders), options, remembered)
        self._loaders = loaders
        self.models.engine_loaded.connect(self._on_engine_loaded)
        self._queue = OpeningQueue(time.monotonic)
        self.sessions: list[Session] = []
        """Sessions of the streams, in the order of their tiles."""
        self._shared = SharedModel()
        self._leaving: dict[Session, Pipeline] = {}
        """Sessions that were removed, whose pipelines are ending."""
        self._warned: dict[str, tuple[float, list[Session]]] = {}
        """Times of the warnings of the last seconds, and whose they are, by their texts."""

    @property
    def room(self) -> int:
        """Number of streams that may still be added."""
        return MOST_STREAMS - len(self.sessions)

    @property
    def failure(self) -> KpviewerError | None:
        """Error of the first stream, if all have failed; else None."""
        failures = [session.failure for session in self.sessions]
        return failures[0] if failures and all(failures) else None

    def add(self, texts: Sequence[str]) -> None:
        """Open further streams, up to the limit."""
        added = texts[: self.room]
        for text in added:
            options = replace(self._options, source=text)
            session = Session(options, self._loaders, self._remembered, models=self.models)
            session.lossless = False
            session.opened.connect(partial(self._on_opened, session))
            session.warned.connect(partial(self._on_warned, session))
            if self._shared.engine is not None:
                self._use_engine(session)
            self.sessions.append(session)
            self._queue.add(session, text)
        if added:
            self.streams_changed.emit()

    def remove(self, session: Session) -> None:
        """End a stream; ``poll`` waits for its threads."""
        self.sessions.remove(session)
        self._queue.drop(session)
        self.streams_changed.emit()
        leaving = session.pipeline
        session.close_source()
        if leaving is not None:
            self._leaving[session] = leaving
        else:
            session.close()

    def reopen(self, session: Session) -> None:
        """Open a stream again; one that waits for its turn is opened now."""
        self._queue.drop(session)
        session.reopen()

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other thresholds from the next frames on; a model that loads later keeps them."""
        super().set_thresholds(thresholds)
        for session in self.sessions:
            session.set_thresholds(thresholds)

    def set_lossless(self, session: Session, *, is_lossless: bool) -> None:
        """Set whether a file plays every frame, as for its recording, or keeps time."""
        session.lossless = None if is_lossless else False
        if session.pipeline is not None:
            session.pipeline.transport.change(lossless=session.lossless)

    def poll(self) -> list[SessionStatus]:
        """Process what the threads report; return the status of each stream."""
        statuses = [self._status_of(session) for session in self.sessions]
        if not self.sessions:
            self.models.start_due(None, can_wait=False)
        present = self._shared.engine
        if present is not None and present is not self.engine:  # its device failed
            self.engine = self.models.moved_to_cpu(present)
            self.model_changed.emit()
        for session in [
            each for each in self._leaving if self._leaving[each].status().state.is_over
        ]:
            del self._leaving[session]
            session.close()
        return statuses

    def close(self) -> None:
        """Stop everything and wait for it in bounded time."""
        self.models.close()
        self._queue.close()
        for pipeline in self._pipelines():
            pipeline.stop()
        for session in (*self.sessions, *self._leaving):
            session.close()
        self._shared.stop()

    def _status_of(self, session: Session) -> SessionStatus:
        status = session.poll()
        return replace(status, opening_s=0.0) if self._queue.is_waiting(session) else status

    def _pipelines(self) -> Iterable[Pipeline]:
        return [each.pipeline for each in self.sessions if each.pipeline is not None]

    def _on_engine_loaded(self, engine: ViewerEngine) -> None:
        self.engine = engine
        self._take_model(engine.spec)
        self._shared.use(engine, self._seat_all)
        self.model_changed.emit()

    def _seat_all(self) -> None:
        for session in self.sessions:
            self._use_engine(session)

    def _use_engine(self, session: Session) -> None:
        seat = self._shared.seat()
        session.ground_truth.use_names(seat.spec.class_names, seat.spec.keypoint_names)
        # A seat has no device and no backend, which only the window's own engine is asked for.
        session.use_engine(cast("ViewerEngine", seat), self._thresholds)

    def _on_opened(self, session: Session) -> None:
        self.source_text, self.info = session.source_text, session.info
        self.opened.emit()

    def _on_warned(self, session: Session, text: str) -> None:
        """Pass a warning on, with the streams that have had the same one in a moment."""
        now_s = time.monotonic()
        self._warned = {
            key: each for key, each in self._warned.items() if now_s - each[0] < _SAME_S
        }
        _, sessions = self._warned.setdefault(text, (now_s, []))
        if session not in sessions:
            sessions.append(session)
            self.streams_warned.emit(sessions, text)
