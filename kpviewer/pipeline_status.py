"""What a pipeline says of itself: state, numbers, and why it ended. Frozen; no Qt, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PipelineState(StrEnum):
    """Where a pipeline is in its life."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FAILED = "failed"


class StopReason(StrEnum):
    """Why a pipeline is no longer running."""

    END_OF_STREAM = "end of stream"
    REQUESTED = "requested"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Median, 95th and 99th percentile of a stage over the last frames, in ms."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


@dataclass(frozen=True, slots=True)
class PipelineStats:
    """A snapshot of what the pipeline does, over the last seconds."""

    capture_fps: float = 0.0
    inference_fps: float = 0.0
    display_fps: float = 0.0
    frames_read: int = 0
    frames_inferred: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    """Frames lost since the start, by cause ("queue full", "recorder full", "display skipped")."""
    queue_depth: int = 0
    latency: Mapping[str, Percentiles] = field(default_factory=dict)
    """By stage of StageTimings, and "display" for capture to paint."""


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """State of the pipeline, as one snapshot."""

    state: PipelineState
    stop_reason: StopReason | None
    stats: PipelineStats
    failure: str | None
    """One or two lines for the user, where state is FAILED."""
    signal_lost_s: float | None = None
    """Seconds without an image from a live source that should give one; None while all is well."""
    reconnects: int = 0
    """How often a lost live source was opened again, in vain or not."""
    warning: str | None = None
    """What the source has to say, such as "ended early: 23 of 51 frames could be read"."""
    read_s: float | None = None
    """Seconds that a read or a seek of a file has been under way for; None while all is well."""
    model_silent_s: float | None = None
    """Seconds that the model has been at one frame for; None while all is well."""
    model_failure: str | None = None
    """Why the model fails on every frame, and what to do; None while it works."""
