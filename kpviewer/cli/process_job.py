"""What ``process`` does with the results of one source: it hands them to the wanted files."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kpviewer.errors import PipelineError, RecordingError
from kpviewer.models.spec import Task
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.tracking import TrackingOptions
from kpviewer.recording.added_sinks import AddedSink
from kpviewer.recording.clock import FrameClock
from kpviewer.recording.disk import disk_silence_s
from kpviewer.recording.files import source_stem
from kpviewer.recording.jobs import DiskJobs
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.recording import SpaceLimits
from kpviewer.recording.results import (
    RESULT_FORMATS,
    ResultHeader,
    ResultWriter,
    open_results,
)
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.video import VideoOptions
from kpviewer.shipped import DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kpviewer.models.spec import ModelSpec
    from kpviewer.pipeline.pipeline import Pipeline
    from kpviewer.structures import FrameResult, StreamInfo

_PATIENCE_S = 10.0
"""A recorder without progress for so long is let go."""
_CLOSE_S = 60.0
"""Result files of many frames take a while to end."""
_LOOK_EVERY_S = 0.25
_SILENT_S = 2.0
"""Nobody watches who would want to know sooner that a disk doesn't answer."""
_LEAST_FREE_BYTES = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """What is made of each source."""

    out: Path
    outputs: tuple[str, ...] = ("video",)
    """Keys of ``recording.segment.ENDINGS``."""
    seconds: float | None = None
    """Of each source; None: all of it."""
    live_seconds: float | None = None
    """Of a source that never ends, where ``seconds`` is None; None: until Ctrl-C."""
    stem: str | None = None
    """Name of the files, without suffix; None: that of the source."""
    model: str = DEFAULT_MODEL
    device: str = "auto"
    changes: dict[str, Any] = field(default_factory=dict)
    """Fields of Thresholds that differ from the model's own."""
    ground_truth: str | None = None
    """Spec of annotations."""
    category_ids: Mapping[int, int] | None = None
    """Categories of a COCO ground truth by class id; None where there is none."""
    style: OverlayStyle = field(default_factory=OverlayStyle)
    """Its anonymise, smooth_landmarks and tracks count; names and skeleton are the model's."""
    every: int = 1
    """Of how many frames one goes to the folders of images."""
    sinks: tuple[str, ...] = ()
    """Names of sinks that installed packages add."""
    image_suffix: str = ".jpg"
    """Of those images."""
    sound: bool = True
    """Whether videos get the sound of their source."""

    @property
    def following(self) -> TrackingOptions:
        """What the style needs of the frames before."""
        return TrackingOptions(smooth=self.style.smooth_landmarks, track=self.style.tracks)


class ProcessJob:
    """A result sink; ``accept`` runs on the inference thread, the rest on the caller's.

    The files are opened when the first result comes, as only then the source is known. An error of
    a file ends the pipeline: there is nobody watching who would want it to go on.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        spec: ModelSpec,
        options: ProcessOptions,
        sound: Path | None = None,
    ) -> None:
        """Open nothing yet.

        Args:
            pipeline: where the results come from.
            spec: of the model.
            options: what is made.
            sound: file whose sound the videos get.
        """
        self._sound = sound
        self._pipeline = pipeline
        self._spec = spec
        self._options = options
        self._clock: FrameClock | None = None
        self._limit_s = float("inf")
        self._recorder: RecorderThread | None = None
        self._writers: list[ResultWriter] = []
        self._added: list[AddedSink] = []
        self._started_s = self._ended_s = time.monotonic()
        self._is_silent = self._is_let_go = False
        self._next_look_s = 0.0
        self.frames = 0
        """Results passed on."""
        self.is_complete = False
        """Whether the wanted seconds are over."""

    @property
    def fps(self) -> float:
        """Results a second so far, from the first to the last."""
        return (self.frames - 1) / max(self._ended_s - self._started_s, 1e-9)

    @property
    def sinks(self) -> tuple[str, ...]:
        """Names of the sinks of packages that got the results."""
        return self._options.sinks

    @property
    def frames_out(self) -> int:
        """Frames in the files: a live video may lack some that were passed on."""
        return self.frames if self._recorder is None else self._recorder.status().frames

    def accept(self, result: FrameResult) -> None:
        """Pass a result on.

        Raises:
            RecordingError: if a file can't be written.
        """
        if self.is_complete:
            return
        if self._clock is None:
            self._clock = self._open()
        if self._clock.seconds(result.frame) >= self._limit_s:
            self.is_complete = True
            return
        if self._recorder is not None:
            self._recorder.accept(result)
        for writer in self._writers:
            writer.accept(result)
        for sink in self._added:
            sink.accept(result)
        self.frames += 1
        self._ended_s = time.monotonic()
        self._look()
        self.check()

    def close(self) -> list[Path]:
        """Finish the files, whatever happened, and return those that hold something.

        What a disk that doesn't answer holds up is let go; ``check`` tells.
        """
        paths: list[Path | None] = []
        jobs: DiskJobs[Path | None] = DiskJobs("kpviewer-closing")
        for writer in self._writers:
            jobs.submit(writer.close)
        for sink in self._added:
            jobs.submit(sink.close)
        if self._recorder is not None:
            self._recorder.finish()
            self._is_let_go = not self._recorder.wait(_PATIENCE_S)
            paths += self._recorder.status().paths
        for done in jobs.close(_CLOSE_S):  # other failures are told by ``check``
            self._is_let_go |= done.failure is not None and "not answer" in str(done.failure)
        paths += [writer.path for writer in self._writers]
        return [path for path in paths if path is not None]

    def tell_silence(self, tell: Callable[[str], None]) -> None:
        """Say once that the folder doesn't answer."""
        if not self._is_silent and disk_silence_s() > _SILENT_S:
            self._is_silent = True
            tell(f"{self._options.out} does not answer. Waiting for it; Ctrl-C ends.")

    def _look(self) -> None:
        """Raise RecordingError if a file was removed; ``close`` saves it again then."""
        if self._ended_s < self._next_look_s:
            return
        self._next_look_s = self._ended_s + _LOOK_EVERY_S
        for part in (writer.part for writer in self._writers):
            if not part.is_there():
                raise RecordingError(f"{part.name} was removed or moved while it was written.")

    @property
    def notes(self) -> list[str]:
        """What the files lack, and why, for people."""
        told = list(self._recorder.status().notices) if self._recorder is not None else []
        return told + [note for writer in self._writers for note in writer.notes]

    def check(self) -> None:
        """Raise the first failure of any file.

        Raises:
            RecordingError: if one can't be written.
        """
        failures = [writer.failure for writer in self._writers]
        failures += [sink.failure for sink in self._added]
        if self._is_let_go:
            failures.append(f"{self._options.out} does not answer: files may lack their end.")
        if self._recorder is not None:
            failures.append(self._recorder.status().failure)
        for failure in failures:
            if failure is not None:
                raise RecordingError(failure)

    def _open(self) -> FrameClock:
        info = self._pipeline.info
        if info is None:
            raise PipelineError("A result came before its source was open.")
        self._started_s = time.monotonic()
        options = self._options
        limit_s = options.live_seconds if info.is_live else None
        self._limit_s = options.seconds or limit_s or float("inf")
        stem = options.stem or source_stem(info.name)
        header = self._header(info)
        seen = tuple(kind for kind in options.outputs if kind not in RESULT_FORMATS)
        if seen:
            self._recorder = self._start_recorder(info, stem, seen, header)
        for kind in options.outputs:
            if kind in RESULT_FORMATS:
                self._writers += open_results(kind, options.out, stem, header)
        self._added = [AddedSink(name, options.out, header) for name in options.sinks]
        return FrameClock.of_media(info)

    def _header(self, info: StreamInfo) -> ResultHeader:
        spec = self._spec
        return ResultHeader(
            info.name,
            spec.name,
            spec.class_names,
            spec.keypoint_names,
            self._pipeline.thresholds,
            spec.mirrored_keypoints,
            spec.skeleton,
            self._options.category_ids,
        )

    def _start_recorder(
        self, info: StreamInfo, stem: str, outputs: tuple[str, ...], header: ResultHeader
    ) -> RecorderThread:
        """Start the thread that writes what needs the pixels."""
        given, spec = self._options, self._spec
        bars = self._pipeline.thresholds if spec.task is Task.CLASSIFY else None
        style = replace(
            given.style, class_names=spec.class_names, skeleton=spec.skeleton, bars=bars
        )
        segment = SegmentOptions(
            outputs,
            header,
            limits=SpaceLimits(to_start=_LEAST_FREE_BYTES),
            video=VideoOptions(preset="superfast"),  # nobody waits for the single image
            image_suffix=given.image_suffix,
            every=given.every,
            sound=self._sound,
        )
        options = RecorderOptions(
            stem, style, lossless=not info.is_live, by_media_time=True, segment=segment
        )
        recorder = RecorderThread(given.out, info, options)
        recorder.start()
        return recorder
