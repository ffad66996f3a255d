"""Speed of the pipeline, and of loops over the same frames.

This module knows nothing of torch or Qt, nor of what the loops do.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from kpviewer.errors import SourceError
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.pipeline.measuring.stage_meter import DrawTimer, StageMeter
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.protocols import (
    EngineResult,
    InferenceEngine,
    ResultSink,
    SubmittingEngine,
    submits,
)
from kpviewer.runtime.tickets import Ticket
from kpviewer.sources.base import FrameSource, Scratch
from kpviewer.sources.resizing import resized
from kpviewer.structures import FrameResult, ImageArray, StreamInfo
from kpviewer.system.interrupts import interrupts_deferred

Progress: TypeAlias = Callable[[int], object]
"""Function that gets the number of frames since its last call."""

_POLL_S = 0.1
_NO_FRAME = "The source gave no frame to measure with. Is it a video?"


@dataclass(frozen=True, slots=True)
class Plan:
    """Number of frames and blocks to measure."""

    frames: int
    """Number of measured frames in each block."""
    warm_up: int = 10
    """Number of frames before each block, which are not measured."""
    blocks: int = 1
    """Number of blocks."""

    def __post_init__(self) -> None:
        """Check ranges."""
        if min(self.frames, self.warm_up, self.blocks) < 1:
            raise ValueError(f"frames, warm_up and blocks must be at least 1, got {self}")


@dataclass(frozen=True, slots=True)
class Block:
    """Measurements of one run of the pipeline."""

    info: StreamInfo
    image_hw: tuple[int, int]
    fps: float
    stages_ms: Mapping[str, Sequence[float]]
    """Times of each stage in ms, one per frame; stages in the order that a frame passes them."""
    warning: str | None
    """Warning of the source."""


class Rate(NamedTuple):
    """Speed of a loop, and what it costs."""

    fps: float
    cpu_ms: float
    """Processor time of this process for one frame, over all its threads, ms."""


def measure_pipeline(
    source: FrameSource,
    engine: InferenceEngine,
    plan: Plan,
    *sinks: ResultSink,
    progress: Progress = lambda frames: None,
) -> Block:
    """Measure one block of the pipeline at full speed. Short files are played again.

    Args:
        source: source of the frames, closed.
        engine: engine of the pipeline, past its first call.
        plan: number of frames.
        sinks: further consumers of every result, such as a recorder.
        progress: function that gets the number of frames done.

    Raises:
        KpviewerError: the first error of source, engine or a sink.
    """
    meter = StageMeter(engine, plan.frames, plan.warm_up)
    info, warning = _run(source, meter, *sinks, progress=progress)
    return Block(info, meter.image_hw, meter.fps, meter.stages_ms, warning)


def measure_drawing(
    source: FrameSource,
    engine: InferenceEngine,
    plan: Plan,
    draw: Callable[[FrameResult], object],
) -> list[float]:
    """Measure the time of ``draw`` in ms, for each frame of a block of its own.

    It is measured apart, as the window draws on another thread, and only the frames it shows.

    Raises:
        KpviewerError: the first error of source, engine or drawing.
    """
    timer = DrawTimer(draw)
    _run(source, StageMeter(engine, plan.frames, plan.warm_up), timer)
    return timer.times_ms[plan.warm_up : plan.warm_up + plan.frames]


def measure_loop(source: FrameSource, detect: Callable[[ImageArray], object], plan: Plan) -> Rate:
    """Measure a loop that reads and detects in turn, on this thread.

    Raises:
        SourceError: if the source can't be read.
    """
    source.open()
    try:
        images = _images(source)
        return measure_calls(lambda: detect(next(images)), plan)
    finally:
        source.close()


def measure_bare(engine: InferenceEngine, bgr: ImageArray, plan: Plan) -> float:
    """Return the frames per second of an engine's model alone, on one (H, W, 3) uint8 image.

    That is the higher of two rates: that of one image at a time, by the engine's own clock, from
    the image on the device to the candidates on the host; and that of as many images in flight as
    the engine takes, of the size of its input, so that they need no resizing.
    """
    for _ in range(plan.warm_up):
        engine.infer(bgr)
    spent_ms = [sum(engine.infer(bgr)[1][1:]) for _ in range(plan.frames)]
    one_by_one = 1e3 * plan.frames / sum(spent_ms)
    if not submits(engine):
        return one_by_one
    fitting = resized(bgr, letterbox_of(engine.spec, (bgr.shape[0], bgr.shape[1])).input_hw)
    return max(one_by_one, _rate_in_flight(engine, fitting, plan))


def _rate_in_flight(engine: SubmittingEngine, bgr: ImageArray, plan: Plan) -> float:
    """Return the results per second of images in flight."""
    pending: deque[Ticket[EngineResult]] = deque()

    def step() -> None:
        pending.append(engine.submit(bgr))
        while len(pending) >= engine.frames_in_flight:
            pending.popleft().result()

    return measure_calls(step, plan).fps


def measure_calls(act: Callable[[], object], plan: Plan) -> Rate:
    """Measure calls of a function on this thread, each of which counts as a frame."""
    for _ in range(plan.warm_up):
        act()
    began_s, cpu_s = time.perf_counter(), time.process_time()
    for _ in range(plan.frames):
        act()
    cpu_s = time.process_time() - cpu_s
    return Rate(plan.frames / (time.perf_counter() - began_s), cpu_s * 1e3 / plan.frames)


def _run(
    source: FrameSource,
    meter: StageMeter,
    *before: ResultSink,
    progress: Progress = lambda frames: None,
) -> tuple[StreamInfo, str | None]:
    """Run a pipeline until the meter is complete; return the source's info and its warning."""
    options = PipelineOptions(pace=False, loop=True, hold_at_end=False)
    pipeline = Pipeline(source, meter, options=options)
    for sink in (*before, meter):
        pipeline.add_sink(sink)
    reported = 0
    try:
        with interrupts_deferred():
            pipeline.start()
        while True:
            with interrupts_deferred():
                if meter.is_complete.wait(_POLL_S) or pipeline.join(0):  # raises failures
                    break
            done = meter.results
            progress(done - reported)
            reported = done
    finally:
        pipeline.close()
    progress(meter.results - reported)
    if pipeline.info is None or not meter.is_complete.is_set():
        raise SourceError(_NO_FRAME)
    return pipeline.info, pipeline.status().warning


def _images(source: FrameSource) -> Iterator[ImageArray]:
    """Yield the images of an open source in a loop, each valid until the next."""
    allocate = Scratch().allocate
    while True:
        captured = source.read(allocate)
        if captured is None:
            raise SourceError(_NO_FRAME)
        while captured is not None:
            yield captured.bgr
            captured = source.read(allocate)
        if source.info.is_seekable:
            source.seek(0)
        else:
            source.close()
            source.open()
