"""Recording and snapshots: contents, folder and messages.

Files are written on threads of their own. This module starts and stops them and reports their
outcome. The GUI thread never asks a disk: one that doesn't answer would freeze the window.
"""

from pathlib import Path

from kpviewer.gui.controllers.recording_setup import (
    can_start,
    data_rate,
    header_of,
    recorder_options,
    space_text,
)
from kpviewer.gui.language import tr
from kpviewer.gui.saving.recordings import Recordings
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.files import recording_stem
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.snapshot import save_snapshot
from kpviewer.structures import FrameResult


class Saving(RecordingTarget):
    """Starts and stops recordings, and writes snapshots; for the GUI thread."""

    def __init__(
        self, session: Session, folder: Path | None, *, with_results: bool = False
    ) -> None:
        super().__init__(folder, with_results=with_results)
        self._session = session
        self.recordings = Recordings()
        """The running recording, and those whose files are being finished."""
        session.source_changed.connect(self.stop_recording)

    @property
    def recorded_s(self) -> float | None:
        """Length of the running recording in seconds; None if there is none."""
        status = self.recordings.status()
        return status.seconds if status is not None else None

    def space_text(self) -> str:
        """Return the data rate of a recording and how long the disk lasts, for people."""
        rate = data_rate(self.choices, self._session, self.recordings.status())
        return space_text(rate, self.watch.free_bytes(self.folder)) if rate is not None else ""

    def set_style(self, style: OverlayStyle) -> None:
        """Use this style in recordings and snapshots."""
        self._style = style
        self.recordings.set_style(style)

    def record_from_start(self, file: str) -> None:
        """Record as soon as the source is open; a file waits for that at its first frame.

        An empty ``file`` is the usual folder and name.
        """
        self.file_from_start = file
        self._session.model_wait.for_recording = True

    def recorders(self) -> list[RecorderThread]:
        """Return the running recording, if there is one."""
        recorder = self.recordings.recorder
        return [recorder] if recorder is not None else []

    def stop_recording(self) -> None:
        """Stop the running recording; its files are finished on a thread."""
        self.recordings.stop()

    def save_snapshot(self, result: FrameResult | None) -> None:
        """Write a result as a PNG at the source's resolution with its overlay, and as JSON."""
        if result is None:
            return
        own, style, header = result.with_own_image(), self._style, header_of(self._session)
        stem = recording_stem(header.source)
        self.save(lambda folder: save_snapshot(own, folder, style, stem=stem, header=header))

    def poll(self) -> None:
        """Report saved files, and start a recording that waits for its source."""
        messages = self.recordings.poll() + self._saved()
        silence_s = max(self.recordings.silence_s(self.folder), self._files.silence_s)
        for text, path in messages + self.watch.poll(self.folder, silence_s):
            self.told.emit(text, path)
        opened = self._session.pipeline if self._session.info is not None else None
        self.recordings.follow(opened, self.choices.preroll_s)
        if self.file_from_start is not None and can_start(self._session, self.choices):
            self._start()

    def close(self) -> None:
        """Finish all files, within time limits."""
        for text, path in self.recordings.close() + self._close_files():
            self.told.emit(text, path)
        self.watch.close()

    def _start(self) -> None:
        info, pipeline = self._session.info, self._session.pipeline
        if info is None or pipeline is None or self._session.failure is not None:
            self.told.emit(tr("There is no image to record yet."), None)
            return
        file, self.file_from_start = self.file_from_start or "", None
        options = recorder_options(self.choices, self._session, self._style, file)
        self.recordings.start(pipeline, info, self.folder, options)
        self._session.model_wait.begin_recorded()
        target = Path(file).expanduser() if file else self.folder
        text = tr("Recording to {folder}: {space}")
        if self.choices.results and self._session.engine is None:
            text = tr("Recording to {folder} without results, as there is no model: {space}")
        self.told.emit(text.format(folder=target, space=self.space_text()), None)
