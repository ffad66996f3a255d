"""Recording and snapshots: what is saved of the stream, and where.

Files are written on threads of their own; this starts and stops them and tells what became of
them. No disk is asked on the GUI thread: one that doesn't answer would freeze the window.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.config import Table
from kpviewer.gui.language import tr
from kpviewer.gui.saving.choices import RecordingChoices
from kpviewer.gui.saving.file_jobs import FileJobs
from kpviewer.gui.saving.folder_watch import FolderWatch
from kpviewer.gui.saving.folders import recordings_folder
from kpviewer.gui.saving.recordings import Recordings
from kpviewer.gui.saving.setup import header_of, recorder_options, space_of
from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.files import recording_stem
from kpviewer.recording.snapshot import save_snapshot
from kpviewer.structures import FrameResult


class Saving(QObject):
    """Starts and stops recordings, and writes snapshots; for the GUI thread."""

    _recorder = property(lambda self: self._recordings.recorder)
    """The recording that runs, a RecorderThread; None while none does."""
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
        self._recordings = Recordings()
        self._files = FileJobs()
        self.watch = FolderWatch()
        """What is known of the folder."""
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
        status = self._recordings.status()
        return status.seconds if status is not None else None

    @property
    def is_paused(self) -> bool:
        """Whether the running recording leaves frames out."""
        status = self._recordings.status()
        return status is not None and status.is_paused

    @property
    def dropped(self) -> int:
        """Frames that the running recording has lost."""
        return self._recordings.dropped

    def space_text(self) -> str:
        """Write what a recording takes and how long the disk lasts."""
        free = self.watch.free_bytes(self.folder)
        return space_of(self.choices, self._session, free, self._recordings.status())

    def take_choices(self, table: Table, *, with_results: bool = False) -> None:
        """Take remembered choices; ``with_results`` asks for JSON lines whatever they say."""
        self.choices = RecordingChoices.from_table(table)
        self.with_results = self.with_results or with_results

    def set_style(self, style: OverlayStyle) -> None:
        """Save the overlay as it is shown."""
        self._style = style
        self._recordings.set_style(style)

    def record_from_start(self, file: str) -> None:
        """Record as soon as the source is open.

        Args:
            file: where to; empty for the usual folder and name.
        """
        self._wanted = file

    def recover_leftovers(self) -> None:
        """Finish the recordings that a crash cut off, and tell which."""
        self.watch.recover(self.folder)

    def toggle_recording(self) -> None:
        """Start recording, or stop it."""
        if self._recorder is not None:
            self.stop_recording()
        else:
            self._start("")

    def toggle_pause(self) -> None:
        """Leave out the frames that come, or go on."""
        recorder = self._recorder
        if recorder is None:
            self.told.emit(tr("Not recording."), None)
        elif recorder.is_paused:
            recorder.resume()
            self.told.emit(tr("Recording resumed."), None)
        else:
            recorder.pause()
            self.told.emit(tr("Recording paused."), None)

    def split_recording(self) -> None:
        """Finish the files of the recording that runs, and go on in others."""
        recorder = self._recorder
        if recorder is None:
            self.told.emit(tr("Not recording."), None)
        else:
            recorder.split()
            self.told.emit(tr("New file started."), None)

    def stop_recording(self) -> None:
        """End the recording that runs; its files are finished beside the window."""
        self._recordings.stop()

    def save_snapshot(self, result: FrameResult | None) -> None:
        """Write a result as a PNG at the source's resolution with its overlay, and as JSON."""
        if result is None:
            return
        own = replace(result.frame, bgr=result.frame.bgr.copy(), lease=None)
        result, style, stem = replace(result, frame=own), self._style, recording_stem()
        header = header_of(self._session)
        self.save(lambda folder: save_snapshot(result, folder, style, stem=stem, header=header))

    def save(self, job: Callable[[Path], Path]) -> None:
        """Write a file on a thread, and tell; ``job`` takes the folder and returns the file."""
        if self._files.has_room:
            self._files.submit(partial(job, self.folder))
        else:
            self.told.emit(tr("Not saved: too many files are still being saved."), None)

    def poll(self) -> None:
        """Tell what became of files, and start a recording that waits for its source."""
        told = self._recordings.poll() + self._files.poll()
        silence_s = max(self._recordings.silence_s(self.folder), self._files.silence_s)
        for text, path in told + self.watch.poll(self.folder, silence_s):
            self.told.emit(text, path)
        opened = self._session.pipeline if self._session.info is not None else None
        self._recordings.follow(opened, self.choices.preroll_s)
        # The results begin with the names of the model's classes.
        is_ready = self._session.engine is not None or not self.choices.results
        if self._wanted is not None and self._session.info is not None and is_ready:
            wanted, self._wanted = self._wanted, None
            self._start(wanted)

    def close(self) -> None:
        """Finish what runs, within bounds."""
        for text, path in self._recordings.close() + self._files.close():
            self.told.emit(text, path)
        self.watch.close()

    def _start(self, file: str) -> None:
        info, pipeline = self._session.info, self._session.pipeline
        if info is None or pipeline is None:
            self.told.emit(tr("There is no image to record yet."), None)
            return
        options = recorder_options(self.choices, self._session, self._style, file)
        self._recordings.start(pipeline, info, self.folder, options)
        place = Path(file).expanduser() if file else self.folder
        text = tr("Recording to {folder}: {space}")
        self.told.emit(text.format(folder=place, space=self.space_text()), None)
