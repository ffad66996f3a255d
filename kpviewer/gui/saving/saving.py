"""Recording and snapshots: what is saved of the stream, and where.

The recorder is a sink of the pipeline with a thread of its own; this starts it, stops it, and
tells what became of the files. With a pre-roll, that is the sink, and gives the recorder what it
kept first.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.config import Table
from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.gui.saving.choices import RecordingChoices
from kpviewer.gui.saving.folders import recording_place, recordings_folder
from kpviewer.gui.saving.preroll_keeper import PreRollKeeper
from kpviewer.gui.saving.setup import header_of, space_of, take_options, told_of
from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.pipeline import Pipeline, ResultSink
from kpviewer.recording.files import PART_SUFFIX, leftover_recordings
from kpviewer.recording.recorder import RecorderOptions, RecorderState, RecorderThread
from kpviewer.recording.snapshot import save_snapshot
from kpviewer.structures import FrameResult

_WAIT_S = 1.0
"""How long the window waits for the end of a recording; one with a long pre-roll may take more."""


class Saving(QObject):
    """Starts and stops recordings, and writes snapshots; for the GUI thread."""

    told = pyqtSignal(str, object)
    """A message, and the Path that was saved or None."""

    def __init__(
        self, session: Session, folder: Path | None, *, with_results: bool = False
    ) -> None:
        """Save nothing yet.

        Args:
            session: what is shown.
            folder: where files go; None is the usual place.
            with_results: write what was seen as JSON lines beside each recording.
        """
        super().__init__()
        self._session = session
        self.folder = folder or recordings_folder()
        """Where the next recordings and snapshots go."""
        self._style = OverlayStyle()
        self.choices = RecordingChoices(results=frozenset({"jsonl"} if with_results else ()))
        """What the next recording consists of; a pre-roll is renewed when none runs."""
        self._preroll = PreRollKeeper()
        self._recorder: RecorderThread | None = None
        self._ending: list[RecorderThread] = []
        self._pipeline: Pipeline | None = None
        self._wanted: str | None = None
        session.source_changed.connect(self.stop_recording)

    @property
    def with_results(self) -> bool:
        """Whether JSON lines are written beside recordings."""
        return "jsonl" in self.choices.results

    @with_results.setter
    def with_results(self, wanted: bool) -> None:
        others = self.choices.results - {"jsonl"}
        self.choices = replace(self.choices, results=others | ({"jsonl"} if wanted else set()))

    @property
    def recorded_s(self) -> float | None:
        """Length of the recording that runs; None while none does."""
        return self._recorder.status().seconds if self._recorder is not None else None

    @property
    def is_paused(self) -> bool:
        """Whether the running recording leaves frames out."""
        return self._recorder is not None and self._recorder.is_paused

    @property
    def dropped(self) -> int:
        """Frames that the running recording has lost."""
        if self._recorder is None:
            return 0
        return self._recorder.status().dropped + self._preroll.dropped

    def space_text(self) -> str:
        """Write what a recording takes and how long the disk lasts."""
        status = self._recorder.status() if self._recorder is not None else None
        return space_of(self.choices, self._session, self.folder, status)

    def take_choices(self, table: Table, *, with_results: bool = False) -> None:
        """Take remembered choices; ``with_results`` asks for JSON lines whatever they say."""
        self.choices = RecordingChoices.from_table(table)
        self.with_results = self.with_results or with_results

    def set_style(self, style: OverlayStyle) -> None:
        """Save the overlay as it is shown."""
        self._style = style
        if self._recorder is not None:
            self._recorder.set_style(style)

    def record_from_start(self, file: str) -> None:
        """Record as soon as the source is open.

        Args:
            file: where to; empty for the usual folder and name.
        """
        self._wanted = file

    def tell_leftovers(self) -> None:
        """Name the newest recording that a crash cut off, if there is one.

        It isn't renamed for the user: another window may still write it.
        """
        parts = [path for path in leftover_recordings(self.folder) if ".mp4" in path.suffixes]
        if parts:
            name = parts[-1].name
            text = tr("{name} was cut off by a crash. It plays; rename it to {new}.")
            new = name.removesuffix(PART_SUFFIX)
            self.told.emit(text.format(name=name, new=new), parts[-1])

    def toggle_recording(self) -> None:
        """Start recording, or stop it."""
        if self._recorder is not None:
            self.stop_recording()
        else:
            self._start("")

    def toggle_pause(self) -> None:
        """Leave out the frames that come, or go on."""
        if self._recorder is None:
            self.told.emit(tr("No recording runs."), None)
        elif self._recorder.is_paused:
            self._recorder.resume()
            self.told.emit(tr("Recording goes on."), None)
        else:
            self._recorder.pause()
            self.told.emit(tr("Recording is paused."), None)

    def split_recording(self) -> None:
        """Finish the files of the recording that runs, and go on in others."""
        if self._recorder is None:
            self.told.emit(tr("No recording runs."), None)
            return
        self._recorder.split()
        self.told.emit(tr("Recording goes on in another file."), None)

    def stop_recording(self) -> None:
        """Finish the recording that runs, and tell where it is."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        if self._pipeline is not None:
            self._pipeline.remove_sink(recorder)
        recorder.finish()
        recorder.join(_WAIT_S)
        self._ending.append(recorder)
        self._tell_ended()

    def save_snapshot(self, result: FrameResult | None) -> None:
        """Write a result as a PNG at the source's resolution with its overlay, and as JSON."""
        if result is None:
            return
        try:
            path = save_snapshot(result, self.folder, self._style, header=header_of(self._session))
        except KpviewerError as error:
            self.told.emit(str(error), None)
        else:
            self.told.emit(tr("Saved {name}").format(name=path.name), path)

    def poll(self) -> None:
        """Notice a recording that ended by itself, and start one that waits for its source."""
        recorder, pipeline = self._recorder, self._pipeline
        if recorder is not None and pipeline is not None:
            is_fed = _is_fed(pipeline, recorder, self._preroll.of(pipeline))
            is_over = not is_fed or self._session.failure is not None
            if is_over or recorder.status().state is RecorderState.FAILED:
                self.stop_recording()
        self._tell_ended()
        if self._recorder is None:
            opened = self._session.pipeline if self._session.info is not None else None
            self._preroll.follow(opened, self.choices.preroll_s)
        # The results begin with the names of the model's classes.
        is_ready = self._session.engine is not None or not self.choices.results
        if self._wanted is not None and self._session.info is not None and is_ready:
            wanted, self._wanted = self._wanted, None
            self._start(wanted)

    def close(self) -> None:
        """Finish what runs."""
        self.stop_recording()
        self._preroll.follow(None, 0)
        for recorder in self._ending:
            recorder.join()
        self._tell_ended()

    def _tell_ended(self) -> None:
        """Tell of the recordings whose files are finished."""
        for recorder in [each for each in self._ending if not each.is_alive()]:
            self._ending.remove(recorder)
            self.told.emit(*told_of(recorder.status()))

    def _start(self, file: str) -> None:
        info, pipeline = self._session.info, self._session.pipeline
        if info is None or pipeline is None:
            self.told.emit(tr("There is no picture to record yet."), None)
            return
        folder, stem = recording_place(file, self.folder)
        options = RecorderOptions(stem, self._style, take=take_options(self.choices, self._session))
        preroll = self._preroll.of(pipeline)
        recorder = RecorderThread(folder, info, options, preroll=preroll)
        try:
            recorder.start()
        except KpviewerError as error:
            self.told.emit(str(error), None)
            return
        self._recorder, self._pipeline = recorder, pipeline
        self._preroll.note_start()
        text = tr("Recording to {folder}: {space}")
        self.told.emit(text.format(folder=folder, space=self.space_text()), None)
        if preroll is None:
            pipeline.add_sink(recorder)


def _is_fed(pipeline: Pipeline, *by: ResultSink | None) -> bool:
    """Whether a pipeline still gives its results to one of them; one that failed it lets go."""
    return any(sink in by for sink in pipeline.settings.current.sinks)
