"""Counts and times of a running pipeline, read as snapshots."""

import math
import threading
from collections import Counter, deque
from dataclasses import replace

from kpviewer.pipeline.clock import Clock
from kpviewer.pipeline_status import Percentiles, PipelineStats
from kpviewer.structures import Frame, StageTimings

QUEUE_FULL = "queue full"
NO_FREE_BUFFER = "no free buffer"
DISPLAY_SKIPPED = "display skipped"

DISPLAY = "display"
"""Key of the latency from capture to painting."""

_WINDOW_S = 2.0
_LEAST_S = 0.25
"""Shortest time to compute a rate from: the first frames come in a burst from a decoder."""
_LATENCY_FRAMES, _LATENCY_S = 300, 10.0
"""Most frames, and the time before the newest one, whose latency counts."""
_NS = 1_000_000_000
_Latency = deque[tuple[int, float]]
"""Times at which frames were done, in ns, and their latencies in ms."""
_STAGES = tuple(StageTimings().by_stage())


class RateMeter:
    """Events per second over the last two seconds; of slower events, since the last but one."""

    def __init__(self) -> None:
        self._times_ns: deque[int] = deque(maxlen=2000)

    def tick(self, now_ns: int) -> None:
        """Count one event."""
        self._times_ns.append(now_ns)

    def per_second(self, now_ns: int) -> float:
        """Return the rate at ``now_ns``; it falls towards 0 when events stop."""
        while len(self._times_ns) > 2 and now_ns - self._times_ns[0] > _WINDOW_S * _NS:
            self._times_ns.popleft()
        events = len(self._times_ns)
        if events < 2 or now_ns - self._times_ns[0] < _LEAST_S * _NS:
            return 0.0
        span_ns = self._times_ns[-1] - self._times_ns[0]
        silent_ns = now_ns - self._times_ns[-1]
        if silent_ns * (events - 1) > 2 * span_ns:  # two events are missing: it has slowed down
            span_ns += silent_ns
        return (events - 1) * _NS / span_ns if span_ns else 0.0


class StatsRecorder:
    """Collects counts and times from the threads. Thread-safe; every call is short."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything, for a new run."""
        with self._lock:
            self._capture, self._inference, self._display = RateMeter(), RateMeter(), RateMeter()
            self._frames_read = self._frames_inferred = 0
            self._drops: Counter[str] = Counter()
            self._latency = {
                stage: _Latency(maxlen=_LATENCY_FRAMES) for stage in (*_STAGES, DISPLAY)
            }
            self._last_displayed: tuple[int, int] | None = None

    def frame_read(self) -> None:
        """Count a frame that was read."""
        with self._lock:
            self._frames_read += 1
            self._capture.tick(self._clock.now_ns())

    def frame_inferred(self, timings: StageTimings) -> None:
        """Count a frame that went through the model."""
        with self._lock:
            self._frames_inferred += 1
            now_ns = self._clock.now_ns()
            self._inference.tick(now_ns)
            for stage, spent_ms in timings.by_stage().items():
                self._latency[stage].append((now_ns, spent_ms))

    def frame_displayed(self, frame: Frame) -> None:
        """Count a frame that was painted; painting the same one again counts once."""
        now_ns = self._clock.now_ns()
        identity = (frame.index, frame.captured_ns)
        with self._lock:
            if identity == self._last_displayed:
                return
            self._last_displayed = identity
            self._display.tick(now_ns)
            self._latency[DISPLAY].append((now_ns, (now_ns - frame.captured_ns) / 1e6))

    def dropped(self, cause: str, count: int = 1) -> None:
        """Count frames that were lost."""
        if count:
            with self._lock:
                self._drops[cause] += count

    def snapshot(self, queue_depth: int) -> PipelineStats:
        """Return the present numbers."""
        now_ns = self._clock.now_ns()
        with self._lock:
            latency = {stage: _recent(times) for stage, times in self._latency.items() if times}
            stats = PipelineStats(
                capture_fps=self._capture.per_second(now_ns),
                inference_fps=self._inference.per_second(now_ns),
                display_fps=self._display.per_second(now_ns),
                frames_read=self._frames_read,
                frames_inferred=self._frames_inferred,
                drops=dict(self._drops),
                queue_depth=queue_depth,
            )
        percentiles = {stage: _percentiles(times) for stage, times in latency.items()}
        return replace(stats, latency=percentiles)


def _recent(times: _Latency) -> list[float]:
    """Return the times in ms; those of frames long before the newest one are forgotten."""
    while times[-1][0] - times[0][0] > _LATENCY_S * _NS:
        times.popleft()
    return [spent_ms for _, spent_ms in times]


def _percentiles(times_ms: list[float]) -> Percentiles:
    """Return the percentiles of at least one time, in a fifteenth of NumPy's time."""
    ordered = sorted(times_ms)
    return Percentiles(*(_at_share(ordered, share) for share in (0.5, 0.95, 0.99)))


def _at_share(ordered: list[float], share: float) -> float:
    """Return the value that a share of the others is below, by linear interpolation."""
    rank = share * (len(ordered) - 1)
    lower = ordered[int(rank)]
    return lower + (ordered[math.ceil(rank)] - lower) * (rank % 1)
