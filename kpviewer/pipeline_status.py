"""Status of a pipeline: state, statistics, and reason of its end. Frozen; no Qt, no torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PipelineState(StrEnum):
    """State of a pipeline."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether no thread runs: the pipeline has ended, or hasn't begun."""
        return self in (PipelineState.IDLE, PipelineState.FAILED)


class StopReason(StrEnum):
    """Reason that a pipeline stopped."""

    END_OF_STREAM = "end of stream"
    REQUESTED = "requested"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Median, 95th and 99th percentile of a stage's time over the last frames, in ms."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


@dataclass(frozen=True, slots=True)
class PipelineStats:
    """Statistics of the pipeline over the last seconds."""

    capture_fps: float = 0.0
    inference_fps: float = 0.0
    display_fps: float = 0.0
    frames_read: int = 0
    frames_inferred: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    """Frames dropped since the start by cause: queue full, recorder full, display skipped."""
    queue_depth: int = 0
    latency: Mapping[str, Percentiles] = field(default_factory=dict)
    """Percentiles by stage of StageTimings, and "display" from capture to paint."""


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """Snapshot of a pipeline's state."""

    state: PipelineState
    stop_reason: StopReason | None
    stats: PipelineStats
    failure: str | None
    """One or two lines for the user if the state is FAILED."""
    signal_lost_s: float | None = None
    """Seconds without an image from a live source that should send one; None otherwise."""
    reconnects: int = 0
    """Number of attempts to reopen a lost live source."""
    attempts: int = 0
    """Number of those since its last frame."""
    warning: str | None = None
    """Warning of the source, such as "ended early: 23 of 51 frames could be read"."""
    read_s: float | None = None
    """Seconds that a read or a seek of a file has lasted; None while it is fast."""
    model_silent_s: float | None = None
    """Seconds that the model has spent on one frame; None while it is fast."""
    detecting_s: float | None = None
    """Seconds that a model that takes seconds has spent on the present frame; None for others."""
    model_failure: str | None = None
    """Reason that the model fails on every frame, and the fix; None while it works."""
