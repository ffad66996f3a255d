"""Options of a recording."""

from dataclasses import dataclass, field
from pathlib import Path

from kpviewer.overlay import OverlayStyle
from kpviewer.recording.segment import SegmentOptions


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    """Options of a recording."""

    stem: str | None = None
    """File name without suffix; None: ``SOURCE_YYYY-MM-DD_HH-MM-SS``."""
    style: OverlayStyle = field(default_factory=OverlayStyle)
    """Overlay style at the start."""
    lossless: bool = False
    """Whether the pipeline waits while too many frames wait (True), or the newest is lost."""
    patience_s: float | None = None
    """Time in s without progress after which a lossless recorder loses frames; None: never."""
    by_media_time: bool = False
    """Times of the frames: media time (True) or time of capture (False); see ``FrameClock``."""
    queue_size: int = 2
    """Number of frames that may wait; each, and the one at work, holds one buffer."""
    segment: SegmentOptions = field(default_factory=SegmentOptions)
    """Outputs of the recording."""
    file: str = ""
    """File or existing folder as the user typed it; it replaces folder and name."""
    source: str = ""
    """Name of the source, with which the file name begins; empty: ``kpviewer``."""
    fallback: Path | None = None
    """Folder where recording continues if its own is gone; None: it ends then."""
