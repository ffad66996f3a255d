"""How a recording is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpviewer.overlay import OverlayStyle
from kpviewer.recording.segment import SegmentOptions

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """How a recording is made."""

    stem: str | None = None
    """File name without suffix; None: ``kpviewer_YYYY-MM-DD_HH-MM-SS``."""
    style: OverlayStyle = field(default_factory=OverlayStyle)
    lossless: bool = False
    """When too many frames wait: the pipeline waits too (True), or the newest is lost (False)."""
    patience_s: float | None = None
    """A lossless recorder without progress for this time loses frames; None: it never does."""
    by_media_time: bool = False
    """Time by the file's stamps (True) or by the clock of capture (False); see ``FrameClock``."""
    queue_size: int = 2
    """Frames that wait; each holds one of the pipeline's buffers, and so does the one at work."""
    segment: SegmentOptions = field(default_factory=SegmentOptions)
    """What is written."""
    file: str = ""
    """A file, or a folder that is there, as the user typed it: replaces folder and name."""
    fallback: Path | None = None
    """Folder where recording goes on when its own is gone; None: it ends then."""
