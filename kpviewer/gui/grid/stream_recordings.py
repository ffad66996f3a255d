"""Recording of each stream of a grid in files of its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from kpviewer.gui.controllers.recording_setup import can_record, data_rate, recording_state
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.controllers.view_state import silence_text
from kpviewer.gui.grid.session import GridSession
from kpviewer.gui.saving.choices import RecordingChoices
from kpviewer.gui.session import Session
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.recorder import RecorderThread

Report = Callable[["Session", str, "Path | None"], None]
"""(session, message, saved file): shows a message about a stream's files."""


class StreamRecordings:
    """Owner of a ``Saving`` for each stream.

    A stream that opens while each is recorded joins; one that is removed finishes its files.
    """

    def __init__(self, grid: GridSession, report: Report) -> None:
        self._grid, self._report = grid, report
        self.savings: dict[Session, Saving] = {}
        """Recording and snapshots of each stream."""
        self._leaving: list[Saving] = []
        """Recordings of removed streams, whose files are being finished."""
        self._is_on = self._is_starting = self._is_expected = False

    def follow(self, folder: Path, choices: RecordingChoices, style: OverlayStyle) -> None:
        """Create a ``Saving`` with these contents for each stream of the grid."""
        if choices.streams != "each":  # one video of the grid has no pre-roll
            choices = replace(choices, preroll_s=0)
        for session in self._grid.sessions:
            if session not in self.savings:
                self.savings[session] = Saving(session, folder)
                self.savings[session].told.connect(partial(self._on_told, session))
                session.model_wait.for_recording = self._is_on or self._is_expected
        for session in [each for each in self.savings if each not in self._grid.sessions]:
            saving = self.savings.pop(session)
            saving.stop_recording()
            self._leaving.append(saving)
        for session, saving in self.savings.items():
            session.model_wait.is_next_recorded = self._is_on
            saving.folder, saving.choices = folder, choices
            saving.set_style(style)

    def expect(self) -> None:
        """Hold files at their first frame until the recording starts."""
        self._is_expected = True
        for session in self.savings:
            session.model_wait.for_recording = True

    def start(self) -> int:
        """Record each stream that is open, and those that open later; return how many are."""
        self._is_on, self._is_expected = True, False
        self.join()
        return len(self.recorders())

    def join(self) -> None:
        """Record the streams that have opened since ``start``; files play every frame for it."""
        self._record(self.savings)

    def stop(self) -> None:
        """Stop the recordings; their files are finished on threads."""
        self._is_on = self._is_expected = False
        for saving in self.savings.values():
            saving.stop_recording()
        self._keep_time()

    def recorders(self) -> list[RecorderThread]:
        """Return the running recordings."""
        recorders = (saving.recordings.recorder for saving in self.savings.values())
        return [each for each in recorders if each is not None]

    def state(self) -> RecordingState | None:
        """Return the state of all recordings together; None if there is none."""
        of_sessions = {session: self.state_of(session) for session in self.savings}
        states = {session: state for session, state in of_sessions.items() if state is not None}
        return _together(states) if states else None

    def state_of(self, session: Session) -> RecordingState | None:
        """Return the state of a stream's recording; None if it has none."""
        return recording_state(self.savings[session].recordings)

    def data_rate(self) -> float:
        """Return the data rate of all recordings together, in MB a minute."""
        rates: Iterable[float | None] = (
            data_rate(saving.choices, session, saving.recordings.status())
            for session, saving in self.savings.items()
        )
        return sum(rate for rate in rates if rate is not None)

    def poll(self) -> None:
        """Report what was saved; end what isn't needed any more."""
        for saving in (*self.savings.values(), *self._leaving):
            saving.poll()
        waiting = [session for session in self.savings if session.model_wait.for_recording]
        self._record(waiting)
        if self._is_on and not self.recorders():
            self._is_on = False  # all have ended by themselves
        if not (self._is_on or self._is_expected):
            for session in waiting:
                session.model_wait.begin_recorded()
        self._keep_time()
        for saving in [each for each in self._leaving if not each.recordings.is_finishing]:
            self._leaving.remove(saving)
            saving.close()

    def close(self) -> None:
        """Finish all files, within time limits."""
        self.stop()
        for saving in (*self.savings.values(), *self._leaving):
            saving.close()

    def _record(self, sessions: Iterable[Session]) -> None:
        if not self._is_on:
            return
        self._is_starting = True
        for session in sessions:
            saving = self.savings[session]
            if saving.recordings.recorder is None and can_record(session):
                self._grid.set_lossless(session, is_lossless=True)
                saving.toggle_recording()
                session.model_wait.begin_recorded()
        self._is_starting = False

    def _keep_time(self) -> None:
        """Let the streams that aren't recorded any more show the newest frame again."""
        for session, saving in self.savings.items():
            if saving.recordings.recorder is None and session.lossless is not False:
                self._grid.set_lossless(session, is_lossless=False)

    def _on_told(self, session: Session, text: str, path: Path | None) -> None:
        if not self._is_starting:  # one message for all is enough
            self._report(session, text, path)


def _together(states: Mapping[Session, RecordingState]) -> RecordingState:
    """Return the state of the recordings of several streams."""
    waits = not any(state.is_growing for state in states.values())
    pipelines = [session.pipeline for session in states if waits]
    words = {"" if each is None else silence_text(each.status()) for each in pipelines}
    return RecordingState(
        max(state.seconds for state in states.values()),
        is_paused=all(state.is_paused for state in states.values()),
        is_waiting=waits,
        silence=words.pop() if len(words) == 1 else "",
        lost=sum(state.lost for state in states.values()),
    )
