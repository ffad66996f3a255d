"""Blocks of ``kpviewer bench``: the pipeline and its comparisons, measured in turn.

Turns expose all of them to the same load of the machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from kpviewer.errors import SourceError
from kpviewer.models.selection import select
from kpviewer.pipeline.measuring.benchmark import (
    Block,
    Plan,
    Progress,
    Rate,
    measure_bare,
    measure_loop,
    measure_pipeline,
)
from kpviewer.runtime.executor import Executor
from kpviewer.sources.base import FrameSource, first_image
from kpviewer.structures import ImageArray, StreamInfo
from kpviewer.system.cpu_threads import available_cores

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Efficiency:
    """Blocks of the pipeline beside those that bound it; each block i was measured in turn.

    Two rates can't be exceeded. One is that of the bare model, whose input is on its device
    already. The other is that of all cores doing nothing but the frame's own work: the processor
    time of the same work in a loop on one thread, over the cores. The lower one is the bound.
    """

    cores: int
    """Number of cores that this process may use."""
    bare_fps: Sequence[float]
    """Rate of the model alone, repeated on one image."""
    in_turn: Sequence[Rate]
    """The work of the pipeline in a loop on one thread."""
    pipeline: Sequence[Block]

    @property
    def bounds_fps(self) -> list[float]:
        """The rate that can't be exceeded, by block."""
        pairs = zip(self.bare_fps, self.in_turn, strict=True)
        return [min(bare_fps, 1e3 * self.cores / loop.cpu_ms) for bare_fps, loop in pairs]

    @property
    def of_bound(self) -> list[float]:
        """Rate of the pipeline divided by the bound, by block."""
        pairs = zip(self.pipeline, self.bounds_fps, strict=True)
        return [block.fps / bound for block, bound in pairs]


@dataclass(frozen=True, slots=True)
class Sides:
    """What is measured in each block."""

    make_source: Callable[[], FrameSource]
    """Function that returns the closed source; each side begins at its first frame."""
    engine: Executor
    """Engine past its first call."""
    naive: Callable[[ImageArray], object] | None = None
    """Function that detects in an image, for a plain loop; None: no such loop."""
    records: bool = False
    """Whether the pipeline also runs with drawing and recording, which needs PyQt6."""

    @property
    def count(self) -> int:
        """Number of sides."""
        return 3 + (self.naive is not None) + 2 * self.records


@dataclass(frozen=True, slots=True)
class Measured:
    """All blocks, in the order in which they ran."""

    pipeline: Sequence[Block]
    efficiency: Efficiency
    recording: Efficiency | None = None
    """The same with drawing and recording; None: not measured."""
    naive: Sequence[Rate] = ()
    """Blocks of the plain loop; empty without one."""

    @property
    def stages_ms(self) -> dict[str, list[float]]:
        """Times in ms of all blocks together, by stage."""
        names = self.pipeline[0].stages_ms
        return {
            name: [value for block in self.pipeline for value in block.stages_ms[name]]
            for name in names
        }

    @property
    def ratios(self) -> list[float]:
        """Speed of the pipeline over that of the plain loop, by block."""
        pairs = zip(self.pipeline, self.naive, strict=False)
        return [block.fps / loop.fps for block, loop in pairs]


@dataclass(slots=True)
class _Kept:
    """Blocks of one kind of pipeline so far."""

    pipeline: list[Block] = field(default_factory=list)
    in_turn: list[Rate] = field(default_factory=list)

    def efficiency(self, bare_fps: Sequence[float]) -> Efficiency:
        return Efficiency(available_cores(), bare_fps, self.in_turn, self.pipeline)


def measure_blocks(sides: Sides, plan: Plan, progress: Progress = lambda frames: None) -> Measured:
    """Measure every side once a block.

    Raises:
        KpviewerError: the first error of source or engine.
    """
    plain, recorded = _Kept(), _Kept()
    bare_fps, naive = list[float](), list[Rate]()
    image, one = first_image(sides.make_source()), replace(plan, blocks=1)
    if image is None:
        raise SourceError("The source gave no frame to measure with. Is it a video?")

    def done(rate: T) -> T:
        progress(plan.warm_up + plan.frames)
        return rate

    for _ in range(plan.blocks):
        source, engine = sides.make_source, sides.engine
        block = measure_pipeline(source(), engine, one, progress=progress)
        plain.pipeline.append(block)
        bare_fps.append(done(measure_bare(engine, image, one)))
        plain.in_turn.append(done(measure_loop(source(), partial(_detect, engine), one)))
        if sides.naive is not None:
            naive.append(done(measure_loop(source(), sides.naive, one)))
        if sides.records:
            _record(recorded, sides, one, block.info)
            progress(2 * (plan.warm_up + plan.frames))
    recording = recorded.efficiency(bare_fps) if sides.records else None
    return Measured(plain.pipeline, plain.efficiency(bare_fps), recording, naive)


def _detect(engine: Executor, bgr: ImageArray) -> None:
    """Detect as in a pipeline that is never idle: ``infer`` takes more threads, which wait."""
    select(engine.submit(bgr).result()[0], engine.spec.thresholds)


def _record(kept: _Kept, sides: Sides, plan: Plan, info: StreamInfo) -> None:
    """Measure the pipeline and the loop with drawing and recording."""
    from kpviewer.benchmarking.recording import (  # noqa: PLC0415  # it needs Qt
        recorder,
        recording_loop,
    )

    with recorder(info, sides.engine.spec) as sink:
        kept.pipeline.append(measure_pipeline(sides.make_source(), sides.engine, plan, sink))
    with recording_loop(info, sides.engine) as record:
        kept.in_turn.append(measure_loop(sides.make_source(), record, plan))
