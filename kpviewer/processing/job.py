"""Result sink of ``process``: passes the results of one source to the requested files."""

from __future__ import annotations

import math
import time
from functools import partial
from typing import TYPE_CHECKING

from kpviewer.errors import KpviewerError, PipelineError, RecordingError
from kpviewer.processing.claims import unclaimed_stem
from kpviewer.processing.names import endings_of
from kpviewer.recording.added_sinks import AddedSink
from kpviewer.recording.clock import DEFAULT_FPS, FrameClock
from kpviewer.recording.disk import disk_call, disk_silence_s
from kpviewer.recording.files import source_stem
from kpviewer.recording.jobs import DiskJobs
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.results import RESULT_FORMATS, ResultHeader, ResultWriter, open_results
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.space import SpaceLimits
from kpviewer.recording.video import VideoOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kpviewer.models.spec import ModelSpec
    from kpviewer.pipeline.pipeline import Pipeline
    from kpviewer.processing.options import ProcessOptions
    from kpviewer.processing.report import SourceReport
    from kpviewer.processing.scan import SourceScan
    from kpviewer.structures import FrameResult, StreamInfo

_PATIENCE_S = 10.0
"""Time without progress after which a recorder or a result file is abandoned."""
_CLOSE_S = 60.0
"""Time limit for closing the result files, which may hold many frames."""
_CHECK_INTERVAL_S = 0.25
_SILENT_S = 2.0
"""Time without an answer after which a disk is reported; longer than in the window."""
_ENCODER_THREADS = 4
"""Threads of the encoder. x264 cuts each frame into as many slices: a number that follows the cores
would give other bytes on another machine, and in a worker that has a share of them."""
_MIN_FREE_BYTES = 200 * 1024 * 1024


class ProcessJob:
    """Result sink; ``accept`` runs on the inference thread, the rest on the caller's.

    The first result opens the files, because the source isn't known before. An error of a file ends
    the pipeline, since no user is watching.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        spec: ModelSpec,
        options: ProcessOptions,
        sound: Path | None = None,
        scan: SourceScan | None = None,
        report: SourceReport | None = None,
    ) -> None:
        """Prepare the job without opening files.

        Args:
            pipeline: source of the results.
            spec: description of the model.
            options: files to write.
            sound: file whose sound is copied to the videos; None: no sound.
            scan: scan to write; None: none.
            report: report to write; None: none.
        """
        self._scan, self._report = scan, report
        self._scan_failure: str | None = None
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
        self._next_check_s = 0.0
        self.frames = 0
        """Number of results passed on."""
        self.stem: str | None = None
        """Name of the files without endings; None before the first result."""
        self.is_complete = False
        """Whether the requested duration is reached."""
        self.has_ended = False
        """Whether the source has ended, and every frame was passed on."""

    @property
    def fps(self) -> float:
        """Results per second between the first and the last; 0 without two."""
        return max(self.frames - 1, 0) / max(self._ended_s - self._started_s, 1e-9)

    @property
    def sinks(self) -> tuple[str, ...]:
        """Names of the package sinks that receive the results."""
        return self._options.sinks

    @property
    def frames_before(self) -> int:
        """Number of frames that weren't read, because the scan had them."""
        return self._scan.frames_skipped if self._scan is not None else 0

    @property
    def frames_total(self) -> int | None:
        """Number of frames in the end, with those before; by its rate if the duration is limited.

        None where the source has no number of frames, or isn't open yet.
        """
        info = self._pipeline.info
        count = info.frame_count if info is not None else None
        if info is None or count is None or math.isinf(self._limit_s):
            return count
        wanted = math.ceil(self._limit_s * (info.nominal_fps or DEFAULT_FPS))
        return min(count, self.frames_before + wanted)

    @property
    def frames_out(self) -> int:
        """Number of frames in the files; a live video may drop some that were passed on."""
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
        for sink in (self._recorder, *self._writers, *self._added, self._scan, self._report):
            if sink is not None:
                sink.accept(result)
        self.frames += 1
        self._ended_s = time.monotonic()
        self._check_parts()
        self.check()

    def close(self) -> list[Path]:
        """Finish the files, also after an error, and return those with content.

        Files on a disk that doesn't answer are abandoned; ``check`` reports that.
        """
        paths: list[Path | None] = []
        jobs: DiskJobs[Path | None] = DiskJobs("kpviewer-closing", let_go_s=_PATIENCE_S)
        for writer in self._writers:
            jobs.submit(partial(self._finish, writer))
        for sink in self._added:
            jobs.submit(sink.close)
        jobs.submit(self._close_scan)
        if self._recorder is not None:
            self._recorder.finish()
            self._is_let_go = not self._recorder.wait(_PATIENCE_S)
            paths += self._recorder.status().paths
        for done in jobs.close(_CLOSE_S):  # ``check`` reports other failures
            self._is_let_go |= done.failure is not None and "not answer" in str(done.failure)
        paths += [writer.path for writer in self._writers if self.frames]
        paths += [self._scan.path] if self._scan is not None and self.frames else []
        return [path for path in paths if path is not None]

    def _finish(self, writer: ResultWriter) -> Path:
        """Finish a file of results; without a frame it is removed."""
        try:
            return writer.close()
        finally:
            if not self.frames and writer.path is not None:
                with disk_call():
                    writer.path.unlink(missing_ok=True)

    def _close_scan(self) -> None:
        """Finish the scan; ``check`` reports a failure."""
        if self._scan is not None:
            try:
                self._scan.close(self._pipeline.info, is_complete=self.has_ended)
            except KpviewerError as error:
                self._scan_failure = str(error)

    def report_silence(self, report: Callable[[str], None]) -> None:
        """Report once that the folder doesn't answer."""
        if not self._is_silent and disk_silence_s() > _SILENT_S:
            self._is_silent = True
            report(f"{self._options.out} does not answer. Waiting for it; Ctrl-C ends.")

    def _check_parts(self) -> None:
        """Raise RecordingError if a file was removed; ``close`` then saves it again."""
        if self._ended_s < self._next_check_s:
            return
        self._next_check_s = self._ended_s + _CHECK_INTERVAL_S
        for part in (writer.part for writer in self._writers):
            if not part.is_there():
                raise RecordingError(f"{part.name} was removed or moved while it was written.")

    @property
    def notes(self) -> list[str]:
        """Sentences for the user on what the files lack, and why."""
        notices = list(self._recorder.status().notices) if self._recorder is not None else []
        notices += self._scan.notes if self._scan is not None else []
        return notices + [note for writer in self._writers for note in writer.notes]

    def check(self) -> None:
        """Raise the first failure of any file.

        Raises:
            RecordingError: if one can't be written.
        """
        failures = [writer.failure for writer in self._writers]
        failures += [self._scan_failure, *(sink.failure for sink in self._added)]
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
            raise PipelineError("A result arrived before its source was open.")
        self._started_s = time.monotonic()
        options = self._options
        limit_s = options.live_seconds if info.is_live else None
        self._limit_s = options.seconds or limit_s or float("inf")
        stem = options.stem
        if stem is None:
            stem = unclaimed_stem(options.out, source_stem(info.name), endings_of(options))
        self.stem = stem
        header = self._header(info)
        with_pixels = tuple(kind for kind in options.outputs if kind not in RESULT_FORMATS)
        if with_pixels:
            self._recorder = self._start_recorder(info, stem, with_pixels, header)
        for kind in options.outputs:
            if kind in RESULT_FORMATS:
                self._writers += open_results(kind, options.out, stem, header)
        self._added = [AddedSink(name, options.out, header) for name in options.sinks]
        if self._scan is not None:
            self._scan.begin(info)
        return FrameClock.of_media(info)

    def _header(self, info: StreamInfo) -> ResultHeader:
        ids, thresholds = self._options.category_ids, self._pipeline.settings.current.thresholds
        return ResultHeader.of_model(info.name, self._spec, thresholds, ids, has_clock=info.is_live)

    def _start_recorder(
        self, info: StreamInfo, stem: str, outputs: tuple[str, ...], header: ResultHeader
    ) -> RecorderThread:
        """Start the thread that writes the files with pixels: videos and images."""
        given, spec = self._options, self._spec
        style = given.style.of_model(spec, self._pipeline.settings.current.thresholds)
        segment = SegmentOptions(
            outputs,
            header,
            limits=SpaceLimits(to_start=_MIN_FREE_BYTES),
            video=VideoOptions(preset="superfast", threads=_ENCODER_THREADS),
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
