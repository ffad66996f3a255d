"""The running recording, and those whose files are still being finished. No Qt."""

import logging
from pathlib import Path

from kpviewer.gui.language import tr
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.protocols import ResultSink
from kpviewer.pipeline_status import PipelineState
from kpviewer.recording.preroll import PreRoll
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recorder_status import RecorderStatus
from kpviewer.recording.segment import Render
from kpviewer.structures import StreamInfo

_PATIENCE_S = 2.0
"""Time without progress after which closing lets a recorder go, in seconds."""

_log = logging.getLogger(__name__)

Message = tuple[str, Path | None]


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


class Recordings:
    """Owner of the recorders and the pre-roll; only ``close`` makes the GUI thread wait."""

    def __init__(self) -> None:
        self._preroll = PreRollKeeper()
        self.recorder: RecorderThread | None = None
        """The running recording; None if there is none."""
        self._pipeline: Pipeline | None = None
        self._ending: dict[RecorderThread, int] = {}
        """Number of notices of each recorder that were reported."""
        self._noticed = 0

    @property
    def is_finishing(self) -> bool:
        """Whether files of former recordings are still being finished."""
        return bool(self._ending)

    def status(self) -> RecorderStatus | None:
        """Return the status of the running recording."""
        return self.recorder.status() if self.recorder is not None else None

    @property
    def dropped(self) -> int:
        """Number of frames that the running recording has lost."""
        status = self.status()
        return 0 if status is None else status.dropped + self._preroll.dropped

    def silence_s(self, folder: Path) -> float:
        """Return the time for which a folder hasn't answered a recorder, in seconds."""
        there = [each for each in self._ending if each.folder == folder]
        running = [*there, *([self.recorder] if self.recorder is not None else [])]
        return max((each.status().disk_silence_s for each in running), default=0.0)

    def start(
        self,
        pipeline: Pipeline,
        info: StreamInfo,
        folder: Path,
        options: RecorderOptions,
        render: Render | None = None,
    ) -> None:
        """Start a recording; ``poll`` reports a failure."""
        preroll = self._preroll.of(pipeline)
        self.recorder = RecorderThread(folder, info, options, render=render, preroll=preroll)
        self._pipeline, self._noticed = pipeline, 0
        self._preroll.note_start()
        self.recorder.start()
        if preroll is None:
            pipeline.add_sink(self.recorder)

    def set_style(self, style: OverlayStyle) -> None:
        """Draw the frames to come in another style."""
        if self.recorder is not None:
            self.recorder.set_style(style)

    def stop(self) -> None:
        """Stop the running recording; ``poll`` reports its files once they are finished."""
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            if self._pipeline is not None:
                self._pipeline.remove_sink(recorder)
                self._pipeline = None  # it holds its engine
            recorder.finish()
            self._ending[recorder] = self._noticed

    def poll(self) -> list[Message]:
        """Return new messages; stop a recording that has ended by itself, or whose video has."""
        messages: list[Message] = []
        status, pipeline = self.status(), self._pipeline
        if status is not None and pipeline is not None:
            messages += [(text, None) for text in status.notices[self._noticed :]]
            self._noticed = len(status.notices)
            is_fed = _is_fed(pipeline, self.recorder, self._preroll.of(pipeline))
            has_failed = pipeline.status().state is PipelineState.FAILED
            if status.state.is_over or has_failed or not is_fed:
                self.stop()
        return messages + self._ended()

    def follow(self, pipeline: Pipeline | None, preroll_s: int) -> None:
        """Keep the pre-roll of a pipeline while no recording runs."""
        if self.recorder is None:
            self._preroll.follow(pipeline, preroll_s)

    def close(self) -> list[Message]:
        """Stop everything; let go of recordings that a silent disk holds up, and report them."""
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
        messages: list[Message] = []
        for recorder in [each for each in self._ending if not each.is_alive()]:
            status = recorder.status()
            messages += [(text, None) for text in status.notices[self._ending.pop(recorder) :]]
            messages.append(_outcome_message(status))
        return messages


def _is_fed(pipeline: Pipeline, *by: ResultSink | None) -> bool:
    """Return whether a pipeline still feeds one of the sinks; failed ones are removed."""
    return any(sink in by for sink in pipeline.settings.current.sinks)


def _outcome_message(status: RecorderStatus) -> tuple[str, Path | None]:
    """Return the message about a recording that has ended, and its file."""
    if status.failure is not None:
        return status.failure, status.path
    if status.path is None:
        return tr("Nothing recorded: no frame came. Was the video paused?"), None
    text = tr("Saved {name}, {seconds:.1f} s")
    if len(status.paths) > 1:
        text = tr("Saved {name} and {more} more, {seconds:.1f} s")
    more = len(status.paths) - 1
    return text.format(name=status.path.name, more=more, seconds=status.seconds), status.path
