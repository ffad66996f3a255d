"""State of a session, as a snapshot. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from kpviewer.pipeline_status import PipelineStatus


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """State that the cards and chips over the video depend on."""

    source: str | None
    """Name of the source for people; None while nothing is open."""
    opening_s: float
    pipeline: PipelineStatus | None
    failure: str | None
    loading_model: str | None
    loading_s: float
    model_failure: str | None
    model_doubt: str | None = None
    """Why the boxes of the model can't be right; None while they may be."""
    waits_for_model: bool = False
    """Whether the first frame is held until the model is loaded."""
