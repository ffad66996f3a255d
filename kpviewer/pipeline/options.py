"""How a pipeline runs: settings that stay the same for its life."""

from __future__ import annotations

from dataclasses import dataclass, field

from kpviewer.pipeline.clock import Clock


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """Settings of a pipeline. The defaults suit a viewer."""

    lossless: bool | None = None
    """Every frame in order (True) or the newest one (False); None: what the source asks for."""
    pace: bool = True
    """Files play at their own speed; False reads them as fast as the model goes."""
    loop: bool = False
    """Start again at the end of a file."""
    hold_at_end: bool = True
    """Stay on the last frame, paused, so that one can seek back; False ends the pipeline."""
    queue_size: int = 2
    """Frames that a lossless source may be ahead of the model. Otherwise only one waits: an older
    one is old news."""
    carries_on: bool = False
    """Whether the video goes on where the model, tracking or a sink fails, as a viewer's does; what
    fails is in ``Pipeline.faults``. False ends the pipeline, as nobody looks at its results."""
    slots: int = 10
    """Frame buffers: queue 2, capture 1, model 1, mailbox 1, window 2, and 3 for sinks."""
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.queue_size < 1:
            raise ValueError(f"queue_size must be at least 1, got {self.queue_size}")
        if self.slots < self.queue_size + 3:
            raise ValueError(
                f"slots must be at least queue_size + 3 = {self.queue_size + 3}, got {self.slots}"
            )
