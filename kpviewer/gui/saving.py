"""Recording and snapshots: what is saved of the stream, and where.

The recorder is a sink of the pipeline with a thread of its own; this starts and stops it.
"""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from kpviewer.gui.session import Session
from kpviewer.overlay import OverlayStyle
from kpviewer.structures import FrameResult


class Saving(QObject):
    """Starts and stops recordings."""

    told = pyqtSignal(str, object)
    """A message, and the Path that was saved or None."""

    def __init__(self, session: Session, folder: Path | None) -> None:
        super().__init__()
        self._session = session
        self._style = OverlayStyle()
        self.recorded_s: float | None = None

    def set_style(self, style: OverlayStyle) -> None:
        self._style = style

    def record_from_start(self, record: str) -> None: ...

    def toggle_recording(self) -> None: ...

    def save_snapshot(self, result: FrameResult | None) -> None: ...

    def poll(self) -> None: ...

    def close(self) -> None: ...
