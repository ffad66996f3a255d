"""Pre-roll of the pipeline that is shown, while one is requested. No Qt."""

from __future__ import annotations

from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.recording.preroll import PreRoll


class PreRollKeeper:
    """Owner of at most one pre-roll; to be used on one thread."""

    def __init__(self) -> None:
        self._preroll: PreRoll | None = None
        self._pipeline: Pipeline | None = None
        self._seconds = 0
        self._dropped_before = 0

    @property
    def dropped(self) -> int:
        """Number of frames lost since ``note_start``."""
        return 0 if self._preroll is None else self._preroll.dropped - self._dropped_before

    def note_start(self) -> None:
        """Count lost frames from now on."""
        self._dropped_before = self._preroll.dropped if self._preroll is not None else 0

    def of(self, pipeline: Pipeline) -> PreRoll | None:
        """Return the pre-roll of a pipeline; None if it has none."""
        return self._preroll if self._pipeline is pipeline else None

    def follow(self, pipeline: Pipeline | None, seconds: int) -> None:
        """Keep the last seconds of a pipeline; None or 0 keeps nothing."""
        requested = pipeline if seconds else None
        if requested is self._pipeline and seconds == self._seconds:
            return
        if self._preroll is not None and self._pipeline is not None:
            self._pipeline.remove_sink(self._preroll)
            self._preroll.stop()
            self._preroll = None
        self._pipeline, self._seconds = requested, seconds
        if requested is not None:
            self._preroll = PreRoll(seconds)
            self._preroll.start()
            requested.add_sink(self._preroll)
