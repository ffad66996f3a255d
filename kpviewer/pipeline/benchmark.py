"""Speed of the pipeline, and the time of each stage of a frame.

The pipeline is measured from outside, by an object between it and its engine. This module knows
nothing of torch or Qt, nor of the loop that the pipeline is compared with.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.protocols import InferenceEngine, ResultSink, needs_pinned_memory

if TYPE_CHECKING:
    from kpviewer.models.spec import ModelSpec
    from kpviewer.sources.base import FrameSource
    from kpviewer.structures import Candidates, FrameResult, ImageArray, StreamInfo

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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Blocks of the pipeline, each followed by one of a plain loop over the same frames."""

    blocks: tuple[Block, ...]
    loop_fps: tuple[float, ...]
    """Frames per second of the loop, one value per block; empty if nothing was compared."""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Speed of the pipeline over that of the loop, for each block and the loop after it."""
        pairs = zip(self.blocks, self.loop_fps, strict=False)
        return tuple(block.fps / fps for block, fps in pairs)

    @property
    def stages_ms(self) -> dict[str, list[float]]:
        """Times in ms of all blocks together, by stage."""
        names = self.blocks[0].stages_ms
        return {
            name: [value for block in self.blocks for value in block.stages_ms[name]]
            for name in names
        }


def compare(
    make_source: Callable[[], FrameSource],
    engine: InferenceEngine,
    plan: Plan,
    *,
    detect: Callable[[ImageArray], object] | None = None,
    progress: Progress = lambda frames: None,
) -> Comparison:
    """Measure the pipeline in blocks; with ``detect``, in turn with a loop that calls it.

    Taking turns, both meet the same load of the machine.

    Args:
        make_source: function that returns the same source again, closed; each block starts at its
            first frame.
        engine: engine of the pipeline, past its first call.
        plan: number of frames and blocks.
        detect: function that the loop calls on each (H, W, 3) uint8 image.
        progress: function that gets the number of frames done.

    Raises:
        KpviewerError: the first error of source or engine.
    """
    blocks, loop_fps = [], []
    for _ in range(plan.blocks):
        blocks.append(measure_pipeline(make_source(), engine, plan, progress=progress))
        if detect is not None:
            loop_fps.append(measure_loop(make_source(), detect, plan))
            progress(plan.warm_up + plan.frames)
    return Comparison(tuple(blocks), tuple(loop_fps))


def measure_pipeline(
    source: FrameSource,
    engine: InferenceEngine,
    plan: Plan,
    *,
    progress: Progress = lambda frames: None,
) -> Block:
    """Measure one block of the pipeline at full speed. Short files are played again.

    Raises:
        KpviewerError: the first error of source or engine.
    """
    meter = StageMeter(engine, plan)
    info, warning = _run(source, meter, progress=progress)
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
    timer = _DrawTimer(draw)
    _run(source, StageMeter(engine, plan), timer)
    return timer.times_ms[plan.warm_up : plan.warm_up + plan.frames]


def measure_loop(source: FrameSource, detect: Callable[[ImageArray], object], plan: Plan) -> float:
    """Return the frames per second of a loop that reads and detects in turn, on this thread.

    Raises:
        SourceError: if the source can't be read.
    """
    source.open()
    try:
        images = _images(source)
        for _ in range(plan.warm_up):
            detect(next(images))
        began_s = time.perf_counter()
        for _ in range(plan.frames):
            detect(next(images))
        return plan.frames / (time.perf_counter() - began_s)
    finally:
        source.close()


class StageMeter:
    """Measures the stages of each frame, between a pipeline and its engine.

    It is engine and sink in one: both are called on the inference thread, in turn for each frame.
    """

    def __init__(self, engine: InferenceEngine, plan: Plan) -> None:
        self._engine = engine
        self._plan = plan
        self._decode_ms = 0.0
        self._began_s = self._ended_s = 0.0
        self.is_complete = threading.Event()
        """Event that is set when the block has all its frames."""
        self.results = 0
        """Number of results so far, the warm-up included."""
        self.image_hw = (0, 0)
        self.stages_ms: dict[str, list[float]] = {}

    @property
    def fps(self) -> float:
        """Frames per second from the last result of the warm-up to the last of the block."""
        return self._plan.frames / (self._ended_s - self._began_s)

    @property
    def spec(self) -> ModelSpec:
        """Description of the engine's model."""
        return self._engine.spec

    @property
    def needs_pinned_memory(self) -> bool:
        """Whether the engine copies frames to a GPU."""
        return needs_pinned_memory(self._engine)

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        """Run the engine on an (H, W, 3) uint8 image."""
        candidates, spent = self._engine.infer(bgr)
        self._decode_ms = spent[2]
        return candidates, spent

    def accept(self, result: FrameResult) -> None:
        """Record the times of a result."""
        if self.is_complete.is_set():
            return
        self.results += 1
        if self.results <= self._plan.warm_up:
            self._began_s = time.perf_counter()
            return
        self._record(result)
        if self.results == self._plan.warm_up + self._plan.frames:
            self._ended_s = time.perf_counter()
            self.is_complete.set()

    def _record(self, result: FrameResult) -> None:
        self.image_hw = (result.frame.bgr.shape[0], result.frame.bgr.shape[1])
        timings = result.timings
        times = {
            "read": timings.read_ms,
            "queue_wait": timings.queue_wait_ms,
            "upload": timings.upload_ms,
            "forward": timings.forward_ms,
            "postprocess": self._decode_ms,
            # The pipeline counts decoding and selecting as one.
            "select": timings.postprocess_ms - self._decode_ms,
            "total": timings.total_ms,
        }
        for stage, value in times.items():
            self.stages_ms.setdefault(stage, []).append(value)


class _DrawTimer:
    """A sink that draws every result and measures the time."""

    def __init__(self, draw: Callable[[FrameResult], object]) -> None:
        self._draw = draw
        self.times_ms: list[float] = []

    def accept(self, result: FrameResult) -> None:
        began_s = time.perf_counter()
        self._draw(result)
        self.times_ms.append((time.perf_counter() - began_s) * 1e3)


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
    pipeline.start()
    try:
        while not meter.is_complete.wait(_POLL_S) and not pipeline.join(0):  # raises failures
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
    """Yield the images of an open source in a loop, each in new memory.

    Raises:
        SourceError: if the source gives none.
    """
    while True:
        captured = source.read(_new_image)
        if captured is None:
            raise SourceError(_NO_FRAME)
        while captured is not None:
            yield captured.bgr
            captured = source.read(_new_image)
        if source.info.is_seekable:
            source.seek(0)
        else:
            source.close()
            source.open()


def _new_image(height: int, width: int) -> ImageArray:
    return np.empty((height, width, 3), np.uint8)
