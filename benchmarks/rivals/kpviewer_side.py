"""kpviewer, as ``kpviewer process`` runs it."""

from dataclasses import replace
from pathlib import Path

from benchmarks.rivals.sides import Asked
from kpviewer import __version__
from kpviewer.models.loading import open_model
from kpviewer.overlay import Canvas, OverlayStyle, ensure_gui_application
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.runtime.executor import Executor
from kpviewer.sources.video.file import VideoSource
from kpviewer.structures import FrameResult


class _Counter:
    """Sink that counts boxes, and draws if nobody else does."""

    def __init__(self, style: OverlayStyle, draws: bool) -> None:
        self._style, self._draws = style, draws
        self._canvas = Canvas()
        self.boxes = 0

    def accept(self, result: FrameResult) -> None:
        self.boxes += len(result.detections)
        if self._draws:
            self._canvas.paint(result, self._style)


class _Side:
    def __init__(self, asked: Asked) -> None:
        ensure_gui_application()
        self._engine = Executor(open_model(str(asked.model)), "cpu")
        spec = self._engine.spec
        self._thresholds = replace(spec.thresholds, score=asked.confidence, iou=asked.iou)
        self._style = OverlayStyle().of_model(spec)

    @property
    def versions(self) -> str:
        return f"kpviewer {__version__}, {self._engine.backend} {self._engine.precision}"

    def run(self, video: Path, draws: bool, target: Path | None) -> int:
        source = VideoSource(video)
        info = source.open()
        options = PipelineOptions.at_full_speed()
        pipeline = Pipeline(source, self._engine, thresholds=self._thresholds, options=options)
        counter = _Counter(self._style, draws and target is None)
        pipeline.add_sink(counter)
        recorder = None
        if target is not None:
            wanted = RecorderOptions(stem=target.stem, style=self._style, lossless=True)
            recorder = RecorderThread(target.parent, info, wanted)
            pipeline.add_sink(recorder)
            recorder.start()
        pipeline.start()
        pipeline.join()
        pipeline.close()
        if recorder is not None:
            recorder.stop()
        return counter.boxes


def open_side(asked: Asked) -> _Side:
    """Load the model."""
    return _Side(asked)
