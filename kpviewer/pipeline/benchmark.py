"""How fast the pipeline is at full speed, and where the time of a frame goes.

It measures the pipeline that everything else uses, from outside: it stands between the pipeline and
its engine. It knows nothing of torch, Qt or what the loop that it compares with does.
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
"""Called now and then with the number of frames since the last call."""

_POLL_S = 0.1
_NO_FRAME = "The source gave no frame to measure with. Is it a video?"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    frames: int
    """In each block."""
    warm_up: int = 10
    """Frames before each block, which start its clock and count for nothing."""
    blocks: int = 1

    def __post_init__(self) -> None:
        """Check ranges."""
        if min(self.frames, self.warm_up, self.blocks) < 1:
            raise ValueError(f"frames, warm_up and blocks must be at least 1, got {self}")


@dataclass(frozen=True, slots=True)
class Block:
    """What one run of the pipeline showed."""

    info: StreamInfo
    image_hw: tuple[int, int]
    fps: float
    stages_ms: Mapping[str, Sequence[float]]
    """One time a frame, for each stage, in the order of a frame's way."""
    warning: str | None
    """Of the source."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Blocks of the pipeline, each followed by one of a plain loop over the same frames."""

    blocks: tuple[Block, ...]
    loop_fps: tuple[float, ...]
    """One a block; empty where nothing was compared."""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Pipeline over loop, for each pair: what the machine does meanwhile meets both."""
        pairs = zip(self.blocks, self.loop_fps, strict=False)
        return tuple(block.fps / fps for block, fps in pairs)

    @property
    def stages_ms(self) -> dict[str, list[float]]:
        """The times of all blocks together."""
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
    """Run the pipeline in blocks; with ``detect``, in turn with a loop that calls it on each frame.

    Args:
        make_source: gives the same source anew, closed; every block starts at its first frame.
        engine: of the pipeline, past its first call.
        plan: how much.
        detect: what the loop does with an (H, W, 3) uint8 image.
        progress: told of frames as they are done.

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
    """Run one block through the pipeline, as fast as it goes. Short files are played again.

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
    """Give the time of ``draw``, ms, for each frame of a block of its own.

    Apart from the rest, as the window draws on another thread and only what it shows.

    Raises:
        KpviewerError: the first error of source, engine or drawing.
    """
    timer = _DrawTimer(draw)
    _run(source, StageMeter(engine, plan), timer)
    return timer.times_ms[plan.warm_up : plan.warm_up + plan.frames]


def measure_loop(source: FrameSource, detect: Callable[[ImageArray], object], plan: Plan) -> float:
    """Read and look in turn, on this thread; give the frames a second of one block.

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
    """Stands between a pipeline and its engine, and notes where the time of each frame goes.

    Engine and sink in one: both are called on the inference thread, in turn for each frame.
    """

    def __init__(self, engine: InferenceEngine, plan: Plan) -> None:
        self._engine = engine
        self._plan = plan
        self._decode_ms = 0.0
        self._began_s = self._ended_s = 0.0
        self.is_complete = threading.Event()
        """Set when the block has all its frames."""
        self.results = 0
        """So far, with those of the warm-up."""
        self.image_hw = (0, 0)
        self.stages_ms: dict[str, list[float]] = {}

    @property
    def fps(self) -> float:
        """Frames a second from the last result of the warm-up to the last of the block."""
        return self._plan.frames / (self._ended_s - self._began_s)

    @property
    def spec(self) -> ModelSpec:
        """That of the engine."""
        return self._engine.spec

    @property
    def needs_pinned_memory(self) -> bool:
        """As the engine says."""
        return needs_pinned_memory(self._engine)

    def infer(self, bgr: ImageArray) -> tuple[Candidates, tuple[float, float, float]]:
        """Let the engine look at an (H, W, 3) uint8 image."""
        candidates, spent = self._engine.infer(bgr)
        self._decode_ms = spent[2]
        return candidates, spent

    def accept(self, result: FrameResult) -> None:
        """Note a result."""
        if self.is_complete.is_set():
            return
        self.results += 1
        if self.results <= self._plan.warm_up:
            self._began_s = time.perf_counter()
            return
        self._note(result)
        if self.results == self._plan.warm_up + self._plan.frames:
            self._ended_s = time.perf_counter()
            self.is_complete.set()

    def _note(self, result: FrameResult) -> None:
        self.image_hw = (result.frame.bgr.shape[0], result.frame.bgr.shape[1])
        timings = result.timings
        times = {
            "read": timings.read_ms,
            "queue_wait": timings.queue_wait_ms,
            "upload": timings.upload_ms,
            "forward": timings.forward_ms,
            "postprocess": self._decode_ms,
            "select": timings.postprocess_ms
            - self._decode_ms,  # the pipeline counts the two as one
            "total": timings.total_ms,
        }
        for stage, value in times.items():
            self.stages_ms.setdefault(stage, []).append(value)


class _DrawTimer:
    """A sink that draws every result and notes how long it took."""

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
    """Run a pipeline until the meter has enough; give the source's info and its warning."""
    options = PipelineOptions(pace=False, loop=True, hold_at_end=False)
    pipeline = Pipeline(source, meter, options=options)
    for sink in (*before, meter):
        pipeline.add_sink(sink)
    told = 0
    pipeline.start()
    try:
        while not meter.is_complete.wait(_POLL_S) and not pipeline.join(0):  # raises failures
            done = meter.results
            progress(done - told)
            told = done
    finally:
        pipeline.close()
    progress(meter.results - told)
    if pipeline.info is None or not meter.is_complete.is_set():
        raise SourceError(_NO_FRAME)
    return pipeline.info, pipeline.status().warning


def _images(source: FrameSource) -> Iterator[ImageArray]:
    """Give the images of an open source, each in new memory, from the start again at its end.

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
