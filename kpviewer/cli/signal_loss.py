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
LOST_S = 60.0
"""The same for a source that has given some: a camera takes a minute to start again."""


class SignalLoss:
    """Watches one source whose results nobody sees."""

    def __init__(self, name: str) -> None:
        self._name = name or "camera"
        self._is_told = False
        self._told_stall = ""

    def check(self, status: PipelineStatus) -> None:
        """Print a line once for each loss.

        Raises:
            SourceError: if there has been no frame for too long.
        """
        self._tell_stall(status)
        lost_s = status.signal_lost_s
        if lost_s is None:
            self._is_told = False
            return
        limit_s = LOST_S if status.stats.frames_read else NEVER_SEEN_S
        why = status.warning or "It is connected, but silent."
        if lost_s > limit_s:
            raise SourceError(f"No frame for {limit_s:g} s; given up. {why}")
        if lost_s > TELL_S and not self._is_told:
            self._is_told = True
            click.echo(
                f"Warning: {self._name}: no frame for {TELL_S:g} s. {why} "
                f"Trying again, for {limit_s:g} s in all.",
                err=True,
            )

    def _tell_stall(self, status: PipelineStatus) -> None:
        """Print a line once where a file or the model hangs; either may come back."""
        stall = ""
        if status.read_s is not None:
            stall = "the file doesn't answer. Is its disk there?"
        elif status.model_silent_s is not None:
            stall = "the model doesn't come back from a frame."
        if stall and stall != self._told_stall:
            click.echo(f"Warning: {self._name}: {stall} Still waiting; Ctrl-C ends it.", err=True)
        self._told_stall = stall
