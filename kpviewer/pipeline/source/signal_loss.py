"""Warnings about a source without frames; a live one is given up in the end."""

from collections.abc import Callable

from kpviewer.errors import SourceError
from kpviewer.pipeline_status import PipelineState, PipelineStatus

WARN_S = 5.0
"""Time in s without a frame after which the user is warned."""
NEVER_SEEN_S = 20.0
"""Longest time in s without a frame, for a source that has given none."""
LOST_S = 45.0
"""The same for a source that has given some: a camera takes half a minute to restart."""
FIRST_FRAME_S = 60.0
"""Time in s for the first frame, on which a model is compiled and backends are benchmarked."""
MOST_LINES = 5
"""Largest number of warnings about lost signal, for one source."""
_SILENT = "It is connected, but silent."


class SignalLoss:
    """Monitors one source in a program without a window.

    Args:
        name: name of the source in messages.
        warn: function that gets each line.
    """

    def __init__(self, name: str, warn: Callable[[str], None]) -> None:
        self._name, self._warn = name or "camera", warn
        self._reported: set[str] = set()
        self._stall = ""

    def check(self, status: PipelineStatus) -> None:
        """Report each reason of a loss or a late opening once, and each hang every time.

        Raises:
            SourceError: if there has been no frame for too long.
        """
        self._report_stall(status)
        lost_s = status.signal_lost_s
        if lost_s is None:
            if status.state is PipelineState.STARTING and status.warning is not None:
                self._report(status.warning, "")
            return
        limit_s = LOST_S if status.stats.frames_read else NEVER_SEEN_S
        reason = status.warning
        if lost_s > limit_s:
            raise SourceError(f"No frame for {limit_s:g} s; given up. {reason or _SILENT}")
        if reason is None and lost_s > WARN_S:
            reason = f"{self._name}: no frame for {WARN_S:g} s. {_SILENT}"
        if reason is not None:
            self._report(reason, f" Trying again, for {limit_s:g} s.")

    def _report(self, reason: str, more: str) -> None:
        if reason not in self._reported and len(self._reported) < MOST_LINES:
            self._reported.add(reason)
            self._warn(f"{reason}{more}")

    def _report_stall(self, status: PipelineStatus) -> None:
        """Report once that a file or the model hangs; both may recover and hang again."""
        stall = ""
        if status.read_s is not None:
            stall = "the file doesn't answer. Is its disk there?"
        elif status.model_silent_s is not None and (
            status.stats.frames_inferred or status.model_silent_s > FIRST_FRAME_S
        ):
            stall = "the model doesn't finish a frame."
        if stall and stall != self._stall:
            self._warn(f"{self._name}: {stall} Still waiting; Ctrl-C ends it.")
        self._stall = stall
