"""The files of a recording: those that grow, those before, and where they go when a folder goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.errors import RecordingError
from kpviewer.recording.files import recording_place, recording_stem
from kpviewer.recording.finishing import Finished
from kpviewer.recording.recorder_status import RecorderState, RecorderStatus
from kpviewer.recording.segment import Segment

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from kpviewer.recording.recorder_options import RecorderOptions
    from kpviewer.recording.segment import Images, Render
    from kpviewer.structures import FrameResult


class Segments:
    """One segment that is written and those that are over, for the recorder's thread."""

    def __init__(self, folder: Path, options: RecorderOptions, fps: float, render: Render) -> None:
        """Make nothing yet; ``open`` does."""
        self._folder, self._stem = folder, options.stem
        self._options, self._fps, self._render = options, fps, render
        self._finished = Finished()
        self._notices: list[str] = []
        self.current: Segment | None = None
        """The segment that is written; None before ``open`` and after ``end``."""

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """Threads that finish segments."""
        return self._finished.threads

    def open(self) -> None:
        """Begin the first segment.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        self._folder, stem = recording_place(self._options.file, self._folder)
        self._stem = stem or self._stem
        self.current = self._new(self._folder)

    def write(self, result: FrameResult, images: Images, time_s: float) -> None:
        """Write a frame; where a file was removed, in a new segment.

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

    def look(self) -> bool:
        """Go on in other files if those that grow were removed or moved; return whether so.

        Raises:
            RecordingError: if recording is to end then, or can't go on.
        """
        segment = self._opened
        missing = segment.missing()
        if missing is not None:
            self._move_on(segment, missing)
        return missing is not None

    def split(self) -> None:
        """Begin another segment; the one before is finished meanwhile.

        Raises:
            RecordingError: as ``open``.
        """
        before = self._opened
        if before.frames:
            self._notices += [*before.notices, *before.notes]
            self.current = self._new(before.folder)
            self._finished.finish_beside(before)

    def end(self) -> BaseException | None:
        """Finish all files; return the first thing that went wrong."""
        segment, self.current = self.current, None
        if segment is not None:
            self._finished.finish(segment)
            self._notices += [*segment.notices, *segment.notes]
        return self._finished.join()

    def status(self, state: RecorderState, failure: str | None) -> RecorderStatus:
        """Return what there is."""
        done, segment = self._finished, self.current
        paths = [*done.paths, *(segment.paths if segment is not None else ())]
        return RecorderStatus(
            state,
            paths[0] if paths else None,
            tuple(paths),
            seconds=done.seconds + (segment.seconds if segment is not None else 0.0),
            frames=done.frames + (segment.frames if segment is not None else 0),
            bytes=done.bytes + (segment.bytes if segment is not None else 0),
            parts=done.segments + (segment is not None),
            notices=tuple(dict.fromkeys([*self._notices, *(segment.notices if segment else ())])),
            failure=failure,
        )

    @property
    def _opened(self) -> Segment:
        if self.current is None:
            raise RecordingError("Recording must be started before it is written.")
        return self.current

    def _new(self, folder: Path) -> Segment:
        stem = self._stem or recording_stem()
        options = self._options.segment
        return Segment(folder, stem, options, nominal_fps=self._fps, render=self._render)

    def _move_on(self, before: Segment, missing: str) -> None:
        """Begin another segment; what the one before holds is saved again beside it."""
        if self._options.fallback is None:
            raise RecordingError(f"{missing} was removed or moved while it was written.")
        folder = before.folder if before.is_folder_there() else self._options.fallback
        before.rescue_to(folder)
        self._notices += before.notices
        self.current = self._new(folder)
        self._finished.finish_beside(before)
        self._notices.append(
            f"{missing} was removed or moved while it was written. What it held is saved again in "
            f"{folder}, and recording goes on there."
        )
