"""Speed of several streams that share a model: total rate, latency of each, and fairness."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpviewer.errors import SourceError
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.pipeline.sharing.engine import SharedEngine
from kpviewer.pipeline.state.stats import QUEUE_FULL
from kpviewer.sources.base import FrameSource
from kpviewer.structures import FrameResult
from kpviewer.system.interrupts import interrupts_deferred

_POLL_S = 0.1
_NO_FRAME = "A stream gave no frame to measure with. Is it a video?"


@dataclass(frozen=True, slots=True)
class StreamRate:
    """Measurements of one stream."""

    fps: float
    """Frames per second with a result."""
    latencies_ms: Sequence[float]
    """Time of each frame from its capture to its result, in ms."""
    drops: int
    """Frames of the whole run that a newer one replaced before the model was free."""
    read: int
    """Frames of the whole run that were read."""


@dataclass(frozen=True, slots=True)
class StreamsBlock:
    """Measurements of streams that ran at the same time."""

    streams: Sequence[StreamRate]

    @property
    def fps(self) -> float:
        """Frames per second of all streams together."""
        return sum(stream.fps for stream in self.streams)

    @property
    def fairness(self) -> float:
        """Rate of the fastest stream over that of the slowest."""
        rates = [stream.fps for stream in self.streams]
        return max(rates) / min(rates)

    @property
    def dropped(self) -> float:
        """Share of the frames that were dropped."""
        return sum(one.drops for one in self.streams) / sum(one.read for one in self.streams)

    def percentiles_ms(self, percent: float) -> list[float]:
        """Return a percentile of the latency of each stream, in ms."""
        return [float(np.percentile(one.latencies_ms, percent)) for one in self.streams]


def measure_streams(
    sources: Sequence[FrameSource], engine: InferenceEngine, frames: int, warm_up: int = 10
) -> StreamsBlock:
    """Run sources through one model until each has ``frames`` results.

    All streams are counted over the same time, which begins when each has had its warm-up.

    Args:
        sources: sources that outlast the measurement, closed.
        engine: the model, past its first call.
        frames: least number of measured frames of each stream.
        warm_up: least number of frames of each stream before them.

    Raises:
        KpviewerError: the first error of a source or the model.
    """
    shared = SharedEngine(engine)
    options = PipelineOptions(hold_at_end=False)
    pipelines = [Pipeline(source, shared.seat(), options=options) for source in sources]
    meters = [_StreamMeter() for _ in sources]
    for pipeline, meter in zip(pipelines, meters, strict=True):
        pipeline.add_sink(meter)
    try:
        with interrupts_deferred():
            shared.start()
            for pipeline in pipelines:
                pipeline.start()
        _wait_for(meters, warm_up, pipelines)
        began_s = time.perf_counter()
        begun = [meter.count for meter in meters]
        _wait_for(meters, max(begun) + frames, pipelines)
        ended = [meter.count for meter in meters]
        took_s = time.perf_counter() - began_s
        statistics = [pipeline.status().stats for pipeline in pipelines]
    finally:
        for pipeline in pipelines:
            pipeline.stop()
        for pipeline in pipelines:
            pipeline.close()
        shared.stop()
    return StreamsBlock(
        [
            StreamRate(
                (end - begin) / took_s,
                meter.latencies_ms[begin:end],
                stats.drops.get(QUEUE_FULL, 0),
                stats.frames_read,
            )
            for meter, begin, end, stats in zip(meters, begun, ended, statistics, strict=True)
        ]
    )


class _StreamMeter:
    """A sink that notes the latency of each result."""

    def __init__(self) -> None:
        self.latencies_ms: list[float] = []
        self._changed = threading.Condition()

    @property
    def count(self) -> int:
        return len(self.latencies_ms)

    def accept(self, result: FrameResult) -> None:
        with self._changed:
            self.latencies_ms.append(result.timings.total_ms)
            self._changed.notify_all()

    def wait_for(self, count: int, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.count >= count, timeout_s)


def _wait_for(meters: Sequence[_StreamMeter], count: int, pipelines: Sequence[Pipeline]) -> None:
    """Wait until each stream has ``count`` results.

    Raises:
        KpviewerError: if a stream fails or ends before.
    """
    for meter, pipeline in zip(meters, pipelines, strict=True):
        while meter.count < count:
            with interrupts_deferred():
                if meter.wait_for(count, _POLL_S):
                    break
                for each in pipelines:
                    each.status()  # it lets go of threads that hang
                if pipeline.join(0) and meter.count < count:  # raises failures
                    raise SourceError(_NO_FRAME)
