"""From the SOURCE of the command line to a source of frames."""

from __future__ import annotations

from kpviewer.errors import SourceError
from kpviewer.sources.base import FrameSource, TruthProvider
from kpviewer.sources.demo import DemoSource
from kpviewer.sources.redact import redact_url

__all__ = ["make_source", "redact_url"]


def make_source(text: str | None, *, truth: TruthProvider | None = None) -> FrameSource:
    """Make the source that a user named; it is not opened yet."""
    if text in (None, "demo"):
        return DemoSource()
    raise SourceError(f"No source of the name {text} is known yet. Try 'demo'.")
