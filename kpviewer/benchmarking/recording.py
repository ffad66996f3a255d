"""Drawing and recording for ``kpviewer bench --record``: annotated H.264, as in the window.

Needs PyQt6. Files go to a temporary folder, which is removed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from kpviewer.errors import RecordingError
from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec
from kpviewer.overlay import OverlayStyle, ensure_gui_application
from kpviewer.pipeline.protocols import SubmittingEngine
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.segment import Segment, SegmentOptions
from kpviewer.structures import Frame, FrameResult, ImageArray, StageTimings, StreamInfo

_STEM = "bench"


@contextmanager
def recorder(info: StreamInfo, spec: ModelSpec) -> Iterator[RecorderThread]:
    """Record the results that the yielded sink gets; none is lost.

    Raises:
        RecordingError: if they couldn't be recorded.
    """
    ensure_gui_application()
    with TemporaryDirectory() as folder:
        options = RecorderOptions(stem=_STEM, style=OverlayStyle().of_model(spec), lossless=True)
        thread = RecorderThread(Path(folder), info, options)
        thread.start()
        try:
            yield thread
        finally:
            thread.stop()
        failure = thread.status().failure
        if failure is not None:
            raise RecordingError(failure)


@contextmanager
def recording_loop(
    info: StreamInfo, engine: SubmittingEngine
) -> Iterator[Callable[[ImageArray], None]]:
    """Yield a function that detects in an (H, W, 3) uint8 image, draws and encodes, in turn."""
    ensure_gui_application()
    style, thresholds = OverlayStyle().of_model(engine.spec), engine.spec.thresholds
    fps, numbers = info.nominal_fps or 30.0, count()
    with TemporaryDirectory() as folder:
        segment = Segment(Path(folder), _STEM, SegmentOptions(), nominal_fps=fps)

        def record(bgr: ImageArray) -> None:
            index = next(numbers)
            candidates, _ = engine.submit(bgr).result()
            frame = Frame(index, 0, index / fps, bgr)
            detections = select(candidates, thresholds)
            result = FrameResult(frame, candidates, detections, StageTimings())
            segment.write(result, segment.prepare(result, style), index / fps)

        try:
            yield record
        finally:
            segment.close()
