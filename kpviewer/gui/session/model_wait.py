"""A file's first frame waits for the model, so that a short clip isn't over before it is loaded.

It also waits for a recording that is to have every frame.
"""

import time

from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.sources.naming import path_of

PATIENCE_S = 3.0
"""Longest time for which a first frame waits, in seconds."""


class ModelWait:
    """Holds a pipeline at its first frame until the model is loaded, or for too long."""

    def __init__(self) -> None:
        self._pipeline: Pipeline | None = None
        self._since_s: float | None = None
        self._has_frames = False
        self.for_recording = False
        """Whether files wait for a recording of all frames, until ``begin_recorded``."""
        self.is_next_recorded = False
        """Whether a file that opens from now on waits for a recording, too."""

    @property
    def is_on(self) -> bool:
        """Whether a pipeline is held."""
        return self._pipeline is not None

    @property
    def is_settled(self) -> bool:
        """Whether no pipeline is held, or its first frame is shown."""
        return not self.is_on or self._has_frames

    def hold(self, pipeline: Pipeline, source: str | None) -> None:
        """Hold a pipeline that is about to start, if it would play a file.

        It still shows its first frame.
        """
        self.for_recording = self.for_recording or self.is_next_recorded
        if path_of(source) is None or pipeline.transport.paused:
            return
        self._pipeline, self._since_s, self._has_frames = pipeline, None, False
        pipeline.pause()

    def poll(self, loading: str | None, *, has_frames: bool) -> None:
        """Let the pipeline play once the model is loaded or failed to load, or time is up.

        ``loading`` is the name of the model that is on its way, if any.
        """
        pipeline, self._has_frames = self._pipeline, has_frames
        if pipeline is None or self.for_recording:
            return
        if has_frames and self._since_s is None:
            self._since_s = time.monotonic()
        is_late = self._since_s is not None and time.monotonic() - self._since_s >= PATIENCE_S
        is_live = pipeline.info is not None and pipeline.info.is_live
        if loading is None or is_late or is_live or not pipeline.transport.paused:
            self.release()

    def begin_recorded(self) -> None:
        """Let a pipeline that waits for its recording play, from the first frame."""
        pipeline, is_due, self.for_recording = self._pipeline, self.for_recording, False
        if is_due and pipeline is not None:
            if pipeline.info is not None and pipeline.info.is_seekable:
                pipeline.seek(0)
            self.release()

    def release(self) -> None:
        """Let the pipeline play at once."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            pipeline.resume()

    def drop(self) -> None:
        """Leave the pipeline paused: the user paused it, or it ends."""
        self._pipeline = None
