"""What the threads of one run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kpviewer.pipeline.channels import FrameQueue, Latest
    from kpviewer.pipeline.faults import Faults
    from kpviewer.pipeline.lifecycle import Lifecycle
    from kpviewer.pipeline.options import PipelineOptions
    from kpviewer.pipeline.reader import QueuedFrame
    from kpviewer.pipeline.settings import SettingsCell
    from kpviewer.pipeline.stats import StatsRecorder
    from kpviewer.pipeline.transport import Transport
    from kpviewer.runtime.buffers import PinnedPool
    from kpviewer.structures import FrameResult


@dataclass(frozen=True, slots=True, eq=False)
class Wiring:
    """The channels, and the objects that every thread reports to or asks. All are thread-safe."""

    options: PipelineOptions
    pool: PinnedPool
    queue: FrameQueue[QueuedFrame]
    """From capture to inference."""
    latest: Latest[FrameResult]
    """From inference to the window."""
    settings: SettingsCell
    transport: Transport
    lifecycle: Lifecycle
    stats: StatsRecorder
    faults: Faults
