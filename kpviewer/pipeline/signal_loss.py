"""Reports a live source that gives no frame, and gives it up in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpviewer.pipeline_status import PipelineStatus

TELL_S = 5.0
NEVER_SEEN_S = 20.0
"""Longest time without a frame, where there was none before."""
LOST_S = 45.0
"""The same for a source that has given some: a camera takes half a minute to start again."""
FIRST_FRAME_S = 60.0
"""For the first frame of a model, on which it may be compiled and its ways be measured."""
MOST_LINES = 5
"""For one source."""
_SILENT = "It is connected, but silent."


class SignalLoss:
    """Watches one source that nobody looks at.

    Args:
        name: of the source, for people.
        warn: gets each line.
    """

    def __init__(self, name: str, warn: Callable[[str], None]) -> None:
        self._name, self._warn = name or "camera", warn
        self._told: set[str] = set()
        self._stall = ""

    def check(self, status: PipelineStatus) -> None:
        """Report each reason of a loss once, and each hang, however often it comes back.

        Raises:
            SourceError: if there has been no frame for too long.
        """
        self._report_stall(status)
        lost_s = status.signal_lost_s
        if lost_s is None:
            return
        limit_s = LOST_S if status.stats.frames_read else NEVER_SEEN_S
        reason = status.warning
        if lost_s > limit_s:
            raise SourceError(f"No frame for {limit_s:g} s; given up. {reason or _SILENT}")
        if reason is None and lost_s > TELL_S:
            reason = f"{self._name}: no frame for {TELL_S:g} s. {_SILENT}"
        if reason is not None and reason not in self._told and len(self._told) < MOST_LINES:
            self._told.add(reason)
            self._warn(f"{reason} Trying again, for {limit_s:g} s.")

    def _report_stall(self, status: PipelineStatus) -> None:
        """Report once where a file or the model hangs; either may come back."""
        stall = ""
        if status.read_s is not None:
            stall = "the file doesn't answer. Is its disk there?"
        elif status.model_silent_s is not None and (
            status.stats.frames_inferred or status.model_silent_s > FIRST_FRAME_S
        ):
            stall = "the model doesn't come back from a frame."
        if stall and stall != self._stall:
            self._warn(f"{self._name}: {stall} Still waiting; Ctrl-C ends it.")
        self._stall = stall
