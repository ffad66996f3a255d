"""Opening of several sources, a few at a time: each has a time limit, and many at once are slow."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject, QTimer

from kpviewer.gui.opening.source_names import name_of
from kpviewer.gui.session import Session

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
        """Forget a session that was removed."""
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
