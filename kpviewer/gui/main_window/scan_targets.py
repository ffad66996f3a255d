"""What a child process has to run to scan the present source with the present models. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kpviewer.gui.language import tr
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.opening.loaders import ViewerEngine
from kpviewer.gui.session import Session
from kpviewer.models.libraries.inference import BACKENDS
from kpviewer.pipeline.protocols import needs_pinned_memory, runs_on
from kpviewer.runtime.runners import PRECISIONS
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
    name: str
    """Model as on the command line."""
    device: str
    engine: ViewerEngine
    turn: Turn = UNTURNED
    """How the frames are rotated and mirrored."""

    def arguments(self, file: Path) -> tuple[str, ...]:
        """Return the arguments of ``kpviewer`` that scan to a file."""
        _, backend, precision = runs_on(self.engine)
        batch = GPU_BATCH if needs_pinned_memory(self.engine) else 1
        return (
            "process",
            "--json-progress",
            f"--scan={file}",
            f"--model={self.name}",
            f"--device={self.device}",
            f"--backend={backend if backend in BACKENDS else 'auto'}",
            f"--precision={precision if precision in PRECISIONS else 'auto'}",
            f"--batch={batch}",
            *self.turn.options,
            "--",
            self.source,
        )

    @property
    def variant(self) -> str:
        """Backend and precision, for two scans of one model that differ only in them."""
        _, backend, precision = runs_on(self.engine)
        return f"{backend}:{precision}:{self.device}"


def source_name(session: Session) -> str:
    """Return the source as the command line names it; empty for a camera that was found."""
    text, info = session.source_text, session.info
    if text is None:  # the first camera, or the demo where there is none
        return info.name if info is not None and info.name in GENERATED else ""
    return text.strip().lower() if text.strip().lower() in GENERATED else text


def targets_of(session: Session, compare: CompareLink) -> list[Target]:
    """Return a target for each model that is loaded; none without an open source."""
    source, loaded, engine = source_name(session), session.models.current, session.engine
    if session.info is None or loaded is None or engine is None:
        return []
    device = (loaded.choice.device if loaded.choice is not None else "") or loaded.request.device
    turn = Turn.parse(session.info.turn)
    targets = [Target("A", source, loaded.request.model, device, engine, turn)]
    if compare.engine is not None and compare.request is not None:
        targets.append(
            Target("B", source, compare.request.model, session.models.device, compare.engine, turn)
        )
    return targets


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
