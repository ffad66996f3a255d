"""The objects that the threads of one run share."""

from dataclasses import dataclass

from kpviewer.pipeline.clock import Clock
from kpviewer.pipeline.options import PipelineOptions
from kpviewer.pipeline.source.reader import QueuedFrame
from kpviewer.pipeline.source.transport import Transport
from kpviewer.pipeline.state.channels import FrameQueue, Latest
from kpviewer.pipeline.state.faults import Faults
from kpviewer.pipeline.state.lifecycle import Lifecycle
from kpviewer.pipeline.state.settings import SettingsCell
from kpviewer.pipeline.state.stats import StatsRecorder
from kpviewer.runtime.buffers import PinnedPool
from kpviewer.structures import FrameResult


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Wiring:
    """Channels between the threads, and shared state that they read and report to.

    Every member is thread-safe.
    """

    options: PipelineOptions
    pool: PinnedPool
    queue: FrameQueue[QueuedFrame]
    """Channel from capture to inference."""
    latest: Latest[FrameResult]
    """Channel from inference to the window."""
    settings: SettingsCell
    transport: Transport
    lifecycle: Lifecycle
    stats: StatsRecorder
    faults: Faults

    @property
    def clock(self) -> Clock:
        """Clock of the pipeline."""
        return self.options.clock
