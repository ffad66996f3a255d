"""Recording of a grid as one video."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kpviewer.gui.controllers.recording_setup import (
    PATIENCE_S,
    rate_of,
    recording_state,
    video_options,
)
from kpviewer.gui.grid.mosaic_source import MosaicSource, MosaicStream
from kpviewer.gui.saving.choices import RecordingChoices, recordings_folder
from kpviewer.gui.saving.recordings import Message, Recordings
from kpviewer.gui.session import Session
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.segment import SegmentOptions, plain_image
from kpviewer.structures import FrameResult

NAME = "grid"
"""Name that the files of a grid begin with."""
LARGE_FROM = 10
"""Number of streams from which the video is 1920x1080, not 1280x720."""
_CLOSE_S = 1.0


def mosaic_size(streams: int) -> tuple[int, int]:
    """Return width and height of the image of a grid, px."""
    return (1920, 1080) if streams >= LARGE_FROM else (1280, 720)


class MosaicRecording:
    """Records the newest images of all streams, as they are shown, until ``stop``.

    A pipeline without a model paints them, so the recorder is the same as for a stream.
    """

    def __init__(self) -> None:
        self._recordings = Recordings()
        self._pipeline: Pipeline | None = None
        self._source: MosaicSource | None = None
        self._sinks: dict[Session, MosaicStream] = {}
        self._fed: dict[Session, Pipeline] = {}
        """Pipelines that have the sinks."""
        self._removed: list[MosaicStream] = []
        """Sinks of streams that were removed, whose last frames may still be painted."""
        self._ending: list[tuple[Pipeline, tuple[MosaicStream, ...]]] = []

    @property
    def recorder(self) -> RecorderThread | None:
        """The running recording; None if there is none."""
        return self._recordings.recorder

    def state(self) -> RecordingState | None:
        """Return the state of the recording; None if there is none."""
        state = recording_state(self._recordings)
        return replace(state, is_waiting=False) if state is not None else None

    def data_rate(self, choices: RecordingChoices, streams: int) -> float:
        """Return the data rate in MB a minute; that of a recording of ``streams`` if none runs."""
        info = MosaicSource(NAME, mosaic_size(streams)).stream_info
        return rate_of(info, choices, self._recordings.status(), videos=1)

    def start(
        self,
        sessions: Sequence[Session],
        style: OverlayStyle,
        folder: Path,
        choices: RecordingChoices,
        file: str = "",
    ) -> None:
        """Start a recording of sessions; ``poll`` reports a failure."""
        source = self._source = MosaicSource(NAME, mosaic_size(len(sessions)))
        source.style = style
        options = RecorderOptions(
            source=NAME,
            patience_s=PATIENCE_S,
            segment=SegmentOptions(video=video_options(choices)),
            file=file,
            fallback=recordings_folder(),
        )
        self._pipeline = Pipeline(source, options=PipelineOptions(carries_on=True))
        self.follow(sessions)
        info = source.stream_info  # painted already
        self._recordings.start(self._pipeline, info, folder, options, render=plain_image)
        self._pipeline.start()

    def follow(self, sessions: Sequence[Session]) -> None:
        """Record these sessions, each with its present pipeline; call it regularly."""
        if self._source is None:
            return
        for session in sessions:
            sink = self._sinks.setdefault(session, MosaicStream(""))
            pipeline = session.pipeline
            if pipeline is not None and self._fed.get(session) is not pipeline:
                pipeline.add_sink(sink)
                self._fed[session] = pipeline
        for session in [each for each in self._sinks if each not in sessions]:
            self._unfeed(session)
            self._removed.append(self._sinks.pop(session))
        self._source.streams = tuple(self._sinks[session] for session in sessions)

    def show_state(
        self, session: Session, caption: str, shown: FrameResult | None, *, is_dimmed: bool
    ) -> None:
        """Write a caption over a stream, and darken its image if it is outdated.

        ``shown`` is what the screen shows: a paused stream has no other image, and sliders change
        its detections.
        """
        sink = self._sinks.get(session)
        if sink is not None:
            sink.caption, sink.is_dimmed = caption, is_dimmed
            if shown is not None:
                sink.accept(shown)

    def set_style(self, style: OverlayStyle) -> None:
        """Paint in another style."""
        if self._source is not None:
            self._source.style = style

    def stop(self) -> None:
        """Stop the recording; its file is finished on a thread."""
        self._recordings.stop()
        pipeline, self._pipeline, self._source = self._pipeline, None, None
        if pipeline is not None:
            pipeline.stop()
            for session in list(self._sinks):
                self._unfeed(session)
            self._ending.append((pipeline, (*self._sinks.values(), *self._removed)))
            self._sinks.clear()
            self._removed.clear()

    def poll(self) -> list[Message]:
        """Return new messages; let go of what has ended."""
        messages = self._recordings.poll()
        if self._pipeline is not None and self._recordings.recorder is None:
            self.stop()  # it ended by itself
        for ended in [each for each in self._ending if each[0].status().state.is_over]:
            self._ending.remove(ended)
            self._finish(*ended)
        return messages

    def close(self) -> list[Message]:
        """Finish the file within time limits; return the messages about it."""
        self.stop()
        for pipeline, sinks in self._ending:
            self._finish(pipeline, sinks)
        self._ending.clear()
        return self._recordings.close()

    def _unfeed(self, session: Session) -> None:
        pipeline = self._fed.pop(session, None)
        if pipeline is not None:
            pipeline.remove_sink(self._sinks[session])

    def _finish(self, pipeline: Pipeline, sinks: Sequence[MosaicStream]) -> None:
        pipeline.close(_CLOSE_S)
        for sink in sinks:
            sink.clear()
