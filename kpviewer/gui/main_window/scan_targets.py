"""What a child process runs to scan the present source with the present models, and where to."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from kpviewer.errors import ScanError
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.opening.loaders import ViewerEngine
from kpviewer.gui.opening.model_request import LoadedModel
from kpviewer.gui.saving.export_choices import model_arguments
from kpviewer.gui.session import Session
from kpviewer.pipeline.protocols import content_hash, needs_pinned_memory, runs_on
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.scan_file import open_scan
from kpviewer.sources.naming import GENERATED, path_of
from kpviewer.sources.turn import UNTURNED, Turn

GPU_BATCH = 8
"""Number of frames that a GPU runs at once in a scan."""


@dataclass(frozen=True, slots=True)
class Target:
    """A source, and a model to scan it with as the window runs it."""

    side: str
    """A or B."""
    source: str
    model: LoadedModel
    turn: Turn = UNTURNED
    """How the frames are rotated and mirrored."""

    def arguments(self, file: Path) -> tuple[str, ...]:
        """Return the arguments of ``kpviewer`` that scan to a file."""
        batch = GPU_BATCH if needs_pinned_memory(self.model.engine) else 1
        return (
            *("process", "--json-progress", f"--scan={file}"),  # without "=" FILE is optional
            *model_arguments(self.model),
            *("--batch", str(batch)),
            *self.turn.options,
            *("--", self.source),
        )

    @property
    def variant(self) -> str:
        """Backend and precision, for two scans of one model that differ only in them."""
        _, backend, precision = runs_on(self.model.engine)
        return f"{backend}:{precision}:{self.model.device}"


def source_name(session: Session) -> str:
    """Return the source as the command line names it; empty for a camera that was found."""
    text, info = session.source_text, session.info
    if text is None:  # the first camera, or the demo where there is none
        return info.name if info is not None and info.name in GENERATED else ""
    return text.strip().lower() if text.strip().lower() in GENERATED else text


def targets_of(session: Session, compare: CompareLink) -> list[Target]:
    """Return a target for each model that is loaded; none without an open source."""
    first, second, info = session.models.current, compare.models.current, session.info
    if info is None or first is None or session.engine is None:
        return []
    source, turn = source_name(session), Turn.parse(info.turn)
    models = {"A": first, "B": second}
    return [Target(side, source, each, turn) for side, each in models.items() if each is not None]


def hindrance_of(session: Session, *, is_own: bool) -> str | None:
    """Return why the open source can't be scanned, for people; None if it can."""
    info, source = session.info, source_name(session)
    if info is None or info.is_live or not info.is_seekable:
        return tr("Only files and folders can be scanned: a live source can't be read again.")
    if path_of(source) is None and source not in GENERATED:
        return tr("Only files and folders can be scanned.")
    if not is_own:
        return tr("This source or model exists only in this program: no other process can scan it.")
    return None


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class FoundScan:
    """Scan file of a source with a model, which may not exist yet."""

    file: Path
    chunks: tuple[ScanChunk, ...] = ()
    """What it holds."""
    is_complete: bool = False

    @property
    def frames(self) -> int:
        """Number of frames that it holds."""
        return sum(len(chunk.columns) for chunk in self.chunks)


def found_scan(
    source: str, engine: ViewerEngine, variant: str = "", turn: str = ""
) -> FoundScan | None:
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
        return FoundScan(cached)
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
    return FoundScan(found if can_grow else cached, tuple(chunks), is_complete)
