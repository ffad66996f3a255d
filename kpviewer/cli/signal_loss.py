"""Reports a live source that gives no frame, and gives it up in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kpviewer.errors import SourceError

if TYPE_CHECKING:
    from kpviewer.structures import PipelineStatus

TELL_S = 5.0
NEVER_SEEN_S = 20.0
"""Longest time without a frame, where there was none before."""
LOST_S = 45.0
"""The same for a source that has given some: a camera takes half a minute to start again."""
MOST_LINES = 5
"""For one source."""
_SILENT = "It is connected, but silent."


class SignalLoss:
    """Watches one source whose results nobody sees."""

    def __init__(self, name: str) -> None:
        self._name = name or "camera"
        self._told: set[str] = set()

    def check(self, status: PipelineStatus) -> None:
        """Print a line for each reason of a loss, once, however often it comes back.

        Raises:
            SourceError: if there has been no frame for too long.
        """
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
            click.echo(f"Warning: {reason} Trying again, for {limit_s:g} s.", err=True)
