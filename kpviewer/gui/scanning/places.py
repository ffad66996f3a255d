"""Scan files of the present source: where they are, and what they already hold. On a thread."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from kpviewer.errors import ScanError
from kpviewer.gui.opening.loaders import ViewerEngine
from kpviewer.pipeline.protocols import content_hash
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scan_file import open_scan

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Scan file of a source with a model, which may not exist yet."""

    file: Path
    chunks: tuple[ScanChunk, ...] = ()
    """What it holds."""
    is_complete: bool = False

    @property
    def frames(self) -> int:
        """Number of frames that it holds."""
        return sum(len(chunk.columns) for chunk in self.chunks)


def place_of(source: str, engine: ViewerEngine, variant: str = "", turn: str = "") -> Place | None:
    """Find and read the scan of a source with a model.

    Args:
        source: source as the command line names it.
        engine: engine that runs the model.
        variant: how the model is run, if its scan must be another than that of the same model run
            otherwise; empty: any scan will do.
        turn: how the frames are rotated and mirrored (``StreamInfo.turn``).

    Returns:
        None if source or model can't be recognised, so that a scan couldn't be found again.
    """
    # Imported here, as it loads OpenCV.
    from kpviewer.scanning.cache import cached_path, find_scan  # noqa: PLC0415
    from kpviewer.scanning.fingerprint import fingerprint_of  # noqa: PLC0415

    model_hash = content_hash(engine)
    fingerprint = fingerprint_of(source, turn)
    if model_hash is None or fingerprint is None:
        return None
    if variant:
        cached = cached_path(fingerprint, f"{model_hash}:{variant}")
        found = cached if cached.exists() else None
    else:
        cached = cached_path(fingerprint, model_hash)
        found = find_scan(source, model_hash, turn)
    if found is None:
        return Place(cached)
    chunks: list[ScanChunk] = []
    is_complete = False
    try:
        reader = open_scan(found)
        while new := reader.read_new():
            chunks += new
        is_complete = reader.is_complete
    except ScanError as error:
        _log.info("%s", error)
    can_grow = is_complete or os.access(found, os.W_OK)
    return Place(found if can_grow else cached, tuple(chunks), is_complete)
