"""The segments of a recording, and where it continues if its folder is gone."""

import threading
from dataclasses import replace
from pathlib import Path

from kpviewer.errors import RecordingError
from kpviewer.models.spec import ModelSpec
from kpviewer.recording.files import recording_stem, recording_target
from kpviewer.recording.finishing import FinishedSegments
from kpviewer.recording.formats import ResultHeader
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recorder_status import RecorderState, RecorderStatus
from kpviewer.recording.segment import RAW, VIDEO, Images, Render, Segment
from kpviewer.structures import FrameResult


class Segments:
    """The present segment and the closed ones, for the recorder's thread."""

    def __init__(self, folder: Path, options: RecorderOptions, fps: float, render: Render) -> None:
        self._folder, self._stem = folder, options.stem
        self._options, self._fps, self._render = options, fps, render
        self._first_header = options.segment.header
        self._finished = FinishedSegments()
        self._notices: list[str] = []
        self.current: Segment | None = None
        """The present segment; None before ``open`` and after ``end``."""

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Threads that finish closed segments."""
        return self._finished.threads

    def open(self) -> None:
        """Open the first segment.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        self._folder, stem = recording_target(self._options.file, self._folder)
        self._stem = stem or self._stem
        self.current = self._new(self._folder)

    def write(self, result: FrameResult, images: Images, time_s: float) -> None:
        """Write a frame; if a file was removed, in a new segment.

        Raises:
            RecordingError: if it can't be written.
        """
        segment = self._opened
        try:
            segment.write(result, images, time_s)
        except Exception:
            missing = segment.missing()
            if missing is None:
                raise
            self._move_on(segment, missing)
            self._opened.write(result, images, time_s)

    def check_files(self) -> bool:
        """Continue in a new segment if a file was removed or moved; return whether one was.

        Raises:
            RecordingError: if recording can't continue.
        """
        segment = self._opened
        missing = segment.missing()
        if missing is not None:
            self._move_on(segment, missing)
        return missing is not None

    def split(self) -> None:
        """Open another segment; the previous one is finished meanwhile.

        Raises:
            RecordingError: as for ``open``.
        """
        if self._opened.frames:
            self._open_next()

    def fits(self, result: FrameResult) -> bool:
        """Return whether the files with results are of the model that found this one."""
        segment, spec = self._options.segment, result.spec
        has_results = bool(set(segment.outputs) - {VIDEO, RAW})
        if not has_results or segment.header.model is None or not isinstance(spec, ModelSpec):
            return True
        return segment.header.is_of(spec)

    def change_model(self, result: FrameResult) -> None:
        """Open another segment for the model that found a result.

        Raises:
            RecordingError: as for ``open``.
        """
        segment, spec, header = self._options.segment, result.spec, self._first_header
        assert isinstance(spec, ModelSpec)
        if not header.is_of(spec):  # else it has the categories of the ground truth
            thresholds = result.thresholds or spec.thresholds
            header = ResultHeader.of_model(
                header.source, spec, thresholds, has_clock=header.has_clock
            )
        self._options = replace(self._options, segment=replace(segment, header=header))
        self._notices.append(f"Another model: results of {spec.name} are in files of their own.")
        self._open_next()

    def end(self) -> BaseException | None:
        """Finish all files; return the first error."""
        segment, self.current = self.current, None
        if segment is not None:
            self._finished.finish(segment)
            self._notices += [*segment.notices, *segment.notes]
        return self._finished.join()

    def status(self, state: RecorderState, failure: str | None) -> RecorderStatus:
        """Return the status of the recording."""
        done, segment = self._finished, self.current
        paths = [*done.paths, *(segment.paths if segment is not None else ())]
        return RecorderStatus(
            state,
            paths[0] if paths else None,
            tuple(paths),
            seconds=done.seconds + (segment.seconds if segment is not None else 0.0),
            frames=done.frames + (segment.frames if segment is not None else 0),
            bytes=done.bytes + (segment.bytes if segment is not None else 0),
            notices=tuple(dict.fromkeys([*self._notices, *(segment.notices if segment else ())])),
            failure=failure,
        )

    def _open_next(self) -> None:
        before = self._opened
        self._notices += [*before.notices, *before.notes]
        self.current = self._new(before.folder)
        self._finished.finish_in_background(before)

    @property
    def _opened(self) -> Segment:
        if self.current is None:
            raise RecordingError("Recording must be started before it is written.")
        return self.current

    def _new(self, folder: Path) -> Segment:
        stem = self._stem or recording_stem(self._options.source)
        options = self._options.segment
        return Segment(folder, stem, options, nominal_fps=self._fps, render=self._render)

    def _move_on(self, before: Segment, missing: str) -> None:
        """Open another segment; the content of the previous one is saved again beside it."""
        if self._options.fallback is None:
            raise RecordingError(f"{missing} was removed or moved while it was written.")
        folder = before.folder if before.is_folder_there() else self._options.fallback
        before.rescue_to(folder)
        lost = before.forget_lost_folders()
        self._notices += [*before.notices, *before.notes]
        self.current = self._new(folder)
        self._finished.finish_in_background(before)
        if missing not in lost:
            self._notices.append(
                f"{missing} was removed or moved while it was written. Its content is saved again "
                f"in {folder}, where recording continues."
            )
        self._notices += [
            f"{name} was removed or moved while it was written. Its images aren't saved again; "
            f"recording continues in {folder}."
            for name in lost
        ]
