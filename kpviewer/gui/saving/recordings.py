"""The recording that runs, and those whose files are still being finished. No Qt."""

from __future__ import annotations

import logging
from pathlib import Path

from kpviewer.gui.language import tr
from kpviewer.gui.saving.preroll_keeper import PreRollKeeper
from kpviewer.gui.saving.setup import told_of
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.protocols import ResultSink
from kpviewer.pipeline_status import PipelineState
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recorder_status import RecorderStatus
from kpviewer.structures import StreamInfo

_PATIENCE_S = 2.0
"""At the end, a recorder that makes no progress for so long is let go."""

_log = logging.getLogger(__name__)

Message = tuple[str, Path | None]


class Recordings:
    """Owns the recorders and the pre-roll; only ``close`` makes the GUI thread wait."""

    def __init__(self) -> None:
        """Record nothing yet."""
        self._preroll = PreRollKeeper()
        self._recorder: RecorderThread | None = None
        self._pipeline: Pipeline | None = None
        self._ending: dict[RecorderThread, int] = {}
        """How many notices of each were told."""
        self._noticed = 0

    @property
    def recorder(self) -> RecorderThread | None:
        """The recording that runs."""
        return self._recorder

    def status(self) -> RecorderStatus | None:
        """Return the state of the recording that runs."""
        return self._recorder.status() if self._recorder is not None else None

    @property
    def dropped(self) -> int:
        """Frames that the running recording has lost."""
        status = self.status()
        return 0 if status is None else status.dropped + self._preroll.dropped

    def silence_s(self, folder: Path) -> float:
        """Return for how long a folder hasn't answered a recorder."""
        there = [each for each in self._ending if each.folder == folder]
        running = [*there, *([self._recorder] if self._recorder is not None else [])]
        return max((each.status().disk_silence_s for each in running), default=0.0)

    def start(
        self, pipeline: Pipeline, info: StreamInfo, folder: Path, options: RecorderOptions
    ) -> None:
        """Begin a recording; ``poll`` tells if it can't be."""
        preroll = self._preroll.of(pipeline)
        self._recorder = RecorderThread(folder, info, options, preroll=preroll)
        self._pipeline, self._noticed = pipeline, 0
        self._preroll.note_start()
        self._recorder.start()
        if preroll is None:
            pipeline.add_sink(self._recorder)

    def set_style(self, style: OverlayStyle) -> None:
        """Paint the frames to come in another style."""
        if self._recorder is not None:
            self._recorder.set_style(style)

    def stop(self) -> None:
        """End the recording that runs; ``poll`` tells once its files are finished."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            if self._pipeline is not None:
                self._pipeline.remove_sink(recorder)
            recorder.finish()
            self._ending[recorder] = self._noticed

    def poll(self) -> list[Message]:
        """Return what there is to tell; notice a recording or a video that ended by itself."""
        told: list[Message] = []
        status, pipeline = self.status(), self._pipeline
        if status is not None and pipeline is not None:
            told += [(text, None) for text in status.notices[self._noticed :]]
            self._noticed = len(status.notices)
            is_fed = _is_fed(pipeline, self._recorder, self._preroll.of(pipeline))
            has_failed = pipeline.status().state is PipelineState.FAILED
            if status.state.is_over or has_failed or not is_fed:
                self.stop()
        return told + self._ended()

    def follow(self, pipeline: Pipeline | None, preroll_s: int) -> None:
        """Keep the last seconds of a pipeline, while no recording runs."""
        if self._recorder is None:
            self._preroll.follow(pipeline, preroll_s)

    def close(self) -> list[Message]:
        """End all; what can't be finished as the disk doesn't answer is let go and told."""
        self.stop()
        self._preroll.follow(None, 0)
        for recorder in list(self._ending):
            if not recorder.wait(_PATIENCE_S):
                del self._ending[recorder]
                path = recorder.status().path
                text = tr("{name} may lack its end: the folder does not answer.")
                _log.warning(text.format(name=path if path is not None else tr("The recording")))
        return self._ended()

    def _ended(self) -> list[Message]:
        told: list[Message] = []
        for recorder in [each for each in self._ending if not each.is_alive()]:
            status = recorder.status()
            told += [(text, None) for text in status.notices[self._ending.pop(recorder) :]]
            told.append(told_of(status))
        return told


def _is_fed(pipeline: Pipeline, *by: ResultSink | None) -> bool:
    """Return whether a pipeline still gives its results to one of them; a failed one is let go."""
    return any(sink in by for sink in pipeline.settings.current.sinks)
