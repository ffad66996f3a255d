"""Settings of a pipeline that stay the same for its life."""

from __future__ import annotations

from dataclasses import dataclass, field

from kpviewer.pipeline.clock import Clock


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """Settings of a pipeline for its life. The defaults suit a viewer."""

    lossless: bool | None = None
    """Every frame in order (True) or the newest one (False); None: the source's default."""
    pace: bool = True
    """Whether files play at their own speed; False reads them as fast as the model runs."""
    loop: bool = False
    """Whether files start again at their end."""
    hold_at_end: bool = True
    """Whether to stay on the last frame, paused, ready for a seek; False ends the pipeline."""
    queue_size: int = 2
    """Number of frames that a lossless source may be ahead of the model; a live one: 1."""
    carries_on: bool = False
    """Whether the video continues when the model, tracking or a sink fails, as in a viewer;
    ``Pipeline.faults`` reports it. False ends the pipeline."""
    batch: int = 1
    """Most frames that the model runs at once, of those that wait; for files without a window."""
    slots: int = 12
    """Number of frame buffers: queue 2, capture 1, model 3, mailbox 1, window 2, sinks 3."""
    clock: Clock = field(default_factory=Clock)

    @classmethod
    def at_full_speed(cls, batch: int = 1) -> PipelineOptions:
        """Return options for files without a window, for batches of up to ``batch`` frames."""
        ahead = max(2, batch)
        return cls(
            pace=False,
            hold_at_end=False,
            batch=batch,
            queue_size=ahead,
            slots=12 + 2 * (ahead - 2),  # those of the queue, and of the model
        )

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.queue_size < 1:
            raise ValueError(f"queue_size must be at least 1, got {self.queue_size}")
        if not 1 <= self.batch <= self.queue_size + 1:
            raise ValueError(f"batch must be 1 to queue_size + 1, got {self.batch}")
        if self.slots < self.queue_size + 3:
            raise ValueError(
                f"slots must be at least queue_size + 3 = {self.queue_size + 3}, got {self.slots}"
            )
