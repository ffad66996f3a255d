"""Recording and snapshots: what is saved of the stream, and where.

The recorder is a sink of the pipeline with a thread of its own; this starts it, stops it, and
tells what became of the file.
"""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.errors import KpviewerError
from kpviewer.gui.folders import recording_place, recordings_folder
from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.recording.files import PART_SUFFIX, leftover_recordings
from kpviewer.recording.recorder import RecorderOptions, RecorderState, RecorderThread
from kpviewer.recording.results import ResultHeader, ResultWriter, open_results
from kpviewer.recording.snapshot import save_snapshot
from kpviewer.structures import FrameResult, StreamInfo


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
        self.with_results = with_results
        self._recorder: RecorderThread | None = None
        self._results: ResultWriter | None = None
        self._pipeline: Pipeline | None = None
        self._wanted: str | None = None
        session.source_changed.connect(self.stop_recording)

    @property
    def recorded_s(self) -> float | None:
        """Length of the recording that runs; None while none does."""
        return self._recorder.status().seconds if self._recorder is not None else None

    @property
    def dropped(self) -> int:
        """Frames that the running recording has lost."""
        return self._recorder.status().dropped if self._recorder is not None else 0

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
            cure = f"It plays; rename it to {name.removesuffix(PART_SUFFIX)}."
            self.told.emit(f"{name} was cut off by a crash. {cure}", parts[-1])

    def toggle_recording(self) -> None:
        """Start recording, or stop it."""
        if self._recorder is not None:
            self.stop_recording()
        else:
            self._start("")

    def stop_recording(self) -> None:
        """Finish the recording that runs, and tell where it is."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        if self._pipeline is not None:
            self._pipeline.remove_sink(recorder)
        path = recorder.stop()
        self._finish_results()
        status = recorder.status()
        if status.failure is not None:
            self.told.emit(status.failure, path)
        elif path is not None:
            self.told.emit(f"Saved {path.name}, {status.seconds:.1f} s", path)
        else:
            self.told.emit("Nothing was recorded: no frame came.", None)

    def save_snapshot(self, result: FrameResult | None) -> None:
        """Write a result as a PNG at the source's resolution, with its overlay."""
        if result is None:
            return
        try:
            path = save_snapshot(result, self.folder, self._style)
        except KpviewerError as error:
            self.told.emit(str(error), None)
        else:
            self.told.emit(f"Saved {path.name}", path)

    def poll(self) -> None:
        """Notice a recording that ended by itself, and start one that waits for its source."""
        if self._recorder is not None and self._recorder.status().state is RecorderState.FAILED:
            self.stop_recording()
        # The results begin with the names of the model's classes.
        is_ready = self._session.engine is not None or not self.with_results
        if self._wanted is not None and self._session.info is not None and is_ready:
            wanted, self._wanted = self._wanted, None
            self._start(wanted)

    def close(self) -> None:
        """Finish what runs."""
        self.stop_recording()

    def _start(self, file: str) -> None:
        info, pipeline = self._session.info, self._session.pipeline
        if info is None or pipeline is None:
            self.told.emit("There is no picture to record yet.", None)
            return
        folder, stem = recording_place(file, self.folder)
        recorder = RecorderThread(folder, info, RecorderOptions(stem=stem, style=self._style))
        try:
            recorder.start()
        except KpviewerError as error:
            self.told.emit(str(error), None)
            return
        self._recorder, self._pipeline = recorder, pipeline
        self.told.emit(f"Recording to {folder}", None)
        if self.with_results:  # first, so that every frame of the video has its line
            self._start_results(info, recorder, pipeline)
        pipeline.add_sink(recorder)

    def _start_results(
        self, info: StreamInfo, recorder: RecorderThread, pipeline: Pipeline
    ) -> None:
        """Write JSON lines of the same name as the video."""
        part, engine = recorder.status().path, self._session.engine
        if part is None or engine is None:
            return
        spec, thresholds = engine.spec, self._session.thresholds
        header = ResultHeader(
            info.name, spec.name, spec.class_names, spec.keypoint_names, thresholds
        )
        try:
            self._results = open_results("jsonl", part.parent, part.name.split(".mp4")[0], header)
        except KpviewerError as error:
            self.told.emit(str(error), None)
        else:
            pipeline.add_sink(self._results)

    def _finish_results(self) -> None:
        results, self._results = self._results, None
        if results is None or self._pipeline is None:
            return
        self._pipeline.remove_sink(results)
        try:
            results.close()
        except KpviewerError as error:
            self.told.emit(str(error), results.path)
